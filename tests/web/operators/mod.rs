//! What operators do: move a database, change its secret, run a command in the wrong folder, edit `.env`.

mod documents;
mod env_file;
mod health;
#[cfg(unix)]
mod permissions;
mod proxies;
mod secrets;
mod whole_file;
mod wrong_place;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::command_line::{Running, serve, signal, techkraft, wait};
use testkit::database::TestDatabase;

/// The file of an SQLite database.
fn file(database: &TestDatabase) -> PathBuf {
    Path::new(database.url.strip_prefix("sqlite:").expect("SQLite")).to_owned()
}

/// Another file that belongs to a database file: its log or its secret.
fn beside(file: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", file.display()))
}

fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().expect("the binary runs")
}

/// The command must fail. Returns its last line on standard error.
fn refusal(command: &mut Command) -> String {
    let output = run(command);
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    assert!(!output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stdout));
    let line = said.lines().last().unwrap_or_default().to_owned();
    assert!(line.starts_with("techkraft: ") && !said.contains("panic"), "{said}");
    line
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

impl Running {
    /// Books so many times, and returns the bookings.
    fn sell(&self, database: &TestDatabase, count: usize) -> Vec<Value> {
        let id = database.ticket_type_id("General Admission");
        let book = |number: usize| {
            let body = json!({ "ticketTypeId": id.to_string(), "quantity": 1, "name": "Ada Lovelace",
                "email": format!("ada{number}@example.org") });
            let key = format!("a key of the operator {}-{number}", self.child.id());
            let post = reqwest::blocking::Client::new().post(format!("{}/api/v1/bookings", self.url));
            let answer = post.header("idempotency-key", key).json(&body).send().expect("an answer");
            assert_eq!(answer.status(), 201, "{}", answer.text().unwrap_or_default());
            answer.json().expect("JSON")
        };
        (0..count).map(book).collect()
    }

    fn stop(self) {
        signal(&self.child, "-TERM");
        assert!(wait(self.child).success());
    }

    fn kill(self) {
        signal(&self.child, "-KILL");
        wait(self.child);
    }
}

/// A server on a database that nobody else uses, without rate limits.
fn serving(database: &TestDatabase, settings: &[(&str, &str)]) -> Running {
    serve(techkraft(database).env("RATE_LIMITS", "off").envs(settings.iter().copied()))
}
