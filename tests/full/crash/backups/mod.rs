//! Backups of a site that is selling, and restores from them.

mod damage;
mod places;
mod selling;
mod versions;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use testkit::database::TestDatabase;
use testkit::server::techkraft;

/// The output of a command, and whether it succeeded.
struct Said {
    is_done: bool,
    text: String,
    error: String,
}

impl Said {
    fn of(command: &mut Command) -> Self {
        let Output { status, stdout, stderr } = command.output().expect("it runs");
        let text = String::from_utf8_lossy(&stdout).into_owned();
        Self { is_done: status.success(), text, error: String::from_utf8_lossy(&stderr).into_owned() }
    }

    fn well(self) -> String {
        assert!(self.is_done, "{}{}", self.text, self.error);
        self.text
    }

    /// The command must have failed with a single line, which is returned.
    fn refusal(self) -> String {
        assert!(!self.is_done, "{}", self.text);
        let lines: Vec<&str> = self.error.lines().filter(|line| !line.contains(" WARN ")).collect();
        assert_eq!(lines.len(), 1, "{}", self.error);
        assert!(lines[0].starts_with("techkraft: ") && !lines[0].contains("panic"), "{}", lines[0]);
        lines[0].to_owned()
    }
}

fn backup(database: &TestDatabase, to: &Path, more: &[&str]) -> Said {
    Said::of(techkraft(database).arg("backup").arg(to).args(more))
}

fn restore(database: &TestDatabase, from: &Path, more: &[&str]) -> Said {
    database.disconnect();
    Said::of(techkraft(database).arg("restore").arg(from).args(more))
}

/// A database with a concert, and a backup of it.
fn seeded_with_backup() -> (TestDatabase, PathBuf) {
    let database = TestDatabase::create();
    Said::of(techkraft(&database).arg("seed")).well();
    let path = database.folder.path().join("a.backup");
    backup(&database, &path, &[]).well();
    (database, path)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Waits until no temporary database of a backup's verification is left. Other tests on the same PostgreSQL may have
/// theirs for a while.
fn assert_no_throwaway_is_left(database: &TestDatabase) {
    let begun = Instant::now();
    while database.is_postgres() && database.count("pg_database WHERE datname LIKE 'techkraft_proof_%'") > 0 {
        assert!(begun.elapsed() < Duration::from_secs(90), "a database of a proof is left");
        thread::sleep(Duration::from_millis(50));
    }
}
