//! Runs the commands in the documents as they are written there; only addresses and folders are replaced by the
//! test's own.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use super::run;
use crate::admin::tokens::make_token;
use crate::command_line::techkraft;
use crate::support::TestApp;

/// What a document may tell an operator to run beside a server that sells.
const RUN: [&str; 6] = ["backup", "health", "migrate", "reset-admin-password", "seed", "verify"];

fn document(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name))
        .unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// The commands `techkraft …`, in backticks or on a line of their own. A command with a placeholder in capitals is
/// incomplete, and is left out.
fn commands(text: &str) -> BTreeSet<String> {
    let spans = text.lines().flat_map(|line| line.split('`'));
    let commands =
        spans.filter_map(|span| span.split_once("techkraft ").filter(|(before, _)| is_prefix(before)));
    let complete =
        commands.map(|(_, command)| command.split(" #").next().unwrap_or(command).trim().to_owned());
    complete
        .filter(|command| RUN.contains(&command.split(' ').next().unwrap_or_default()))
        .filter(|command| command != "backup" && !command.contains("--grant-to"))
        .filter(|command| {
            !command.split(' ').any(|word| word.len() > 1 && word.chars().all(char::is_uppercase))
        })
        .collect()
}

/// Whether the text before a command is empty, or runs the command in a container.
fn is_prefix(before: &str) -> bool {
    before.trim().is_empty() || (before.starts_with("docker compose ") && before.contains(" exec "))
}

/// The `curl` commands of a document's code blocks.
fn requests(text: &str) -> Vec<String> {
    let blocks = text.split("```").skip(1).step_by(2);
    blocks
        .filter(|block| block.trim_start().starts_with("curl "))
        .map(|block| block.trim().to_owned())
        .collect()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn an_operators_commands_do_what_the_documents_say() {
    let app = TestApp::spawn();
    let backups = tempfile::tempdir().expect("a folder");
    let folder = backups.path().to_str().expect("text");
    let names = ["README.md", "docs/install.md", "docs/backups.md", "docs/operations.md", "docs/releases.md"];
    let here =
        |command: String| command.replace("/var/backups/techkraft", folder).replace("/data/backups", folder);
    let commands: BTreeSet<String> =
        names.iter().flat_map(|name| commands(&document(name))).map(here).collect();
    for name in RUN.iter().filter(|name| **name != "seed") {
        assert!(commands.iter().any(|it| it.starts_with(name)), "no {name} in {commands:?}");
    }
    for command in commands {
        let mut techkraft = techkraft(&app.database);
        let output = run(techkraft.args(command.split(' ')).env("BIND", app.address.to_string()));
        assert!(output.status.success(), "techkraft {command}: {}", said(&output));
    }
    assert!(fs::read_dir(folder).expect("a folder").count() > 0, "a backup");
}

#[test]
fn a_programs_requests_do_what_the_documents_say() {
    let app = TestApp::spawn();
    let token = make_token(&app, &app.organizer(), "A program", &["events:write"]);
    let requests = requests(&document("docs/api.md"));
    assert_eq!(requests.len(), 2, "{requests:?}");
    for (request, field) in requests.iter().zip(["reference", "slug"]) {
        let site = format!("http://{}", app.address);
        let here =
            request.replace("http://127.0.0.1:3000", &site).replace("https://tickets.example.org", &site);
        let here = here.replacen("curl ", "curl --silent --show-error --fail-with-body ", 1);
        let output = run(Command::new("sh").arg("-c").arg(&here).env("TOKEN", &token));
        assert!(output.status.success(), "{here}: {}", said(&output));
        let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert!(answer[field].is_string(), "{here}: {answer}");
    }
}
