//! Commands that are run where there is no sale: they say so, and create nothing.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::{file, refusal, run, said};
use crate::command_line::techkraft;
use testkit::database::TestDatabase;

const COMMANDS: [&[&str]; 4] =
    [&["set-admin-password"], &["reset-admin-password"], &["verify"], &["backup", "a.backup"]];

#[test]
fn a_command_makes_no_database_where_there_is_none() {
    let database = TestDatabase::create();
    for command in COMMANDS {
        let line = refusal(techkraft(&database).args(command));
        let reason = if database.is_postgres() { "it is not a TechKraft database" } else { "no such file" };
        assert!(line.contains("DATABASE_URL=") && line.contains(reason), "{line}");
        if database.is_postgres() {
            let tables = format!(
                "pg_tables WHERE schemaname = '{}'",
                database.url.rsplit_once("%3D").expect("a schema").1
            );
            assert_eq!(database.count(&tables), 0, "{command:?}");
        } else {
            assert!(!file(&database).exists(), "{command:?}");
            assert!(line.contains(&*database.folder.path().to_string_lossy()), "the whole path: {line}");
        }
    }
    if !database.is_postgres() {
        std::fs::write(file(&database), "").expect("written");
        for command in COMMANDS {
            let line = refusal(techkraft(&database).args(command));
            assert!(line.contains("it is not a TechKraft database"), "{command:?}: {line}");
        }
    }
    assert!(!database.folder.path().join("a.backup").exists());
}

/// At a terminal, a mistyped password would lock everybody out.
#[test]
fn a_password_is_asked_for_twice_at_a_terminal() {
    let database = TestDatabase::create();
    assert!(run(techkraft(&database).arg("migrate")).status.success());
    let set = |typed: &str| {
        let techkraft = techkraft(&database);
        let mut terminal = Command::new("script");
        let line = format!("{} set-admin-password", techkraft.get_program().to_string_lossy());
        terminal.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        terminal.current_dir(database.folder.path());
        for (name, value) in techkraft.get_envs() {
            match value {
                Some(value) => terminal.env(name, value),
                None => terminal.env_remove(name),
            };
        }
        terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = terminal.spawn().expect("script runs");
        child.stdin.take().expect("a pipe").write_all(typed.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        (output.status.success(), said(&output))
    };
    let (is_done, text) = set("a long new password\na long new passwort\n");
    assert!(!is_done && text.contains("differ") && database.count("admins") == 0, "{text}");
    let (is_done, text) = set("a long new password\na long new password\n");
    assert!(is_done && text.contains("is set") && database.count("admins") == 1, "{text}");
}
