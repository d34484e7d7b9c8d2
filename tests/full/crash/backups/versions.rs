//! `pg_dump` and `pg_restore` of a version other than the server's, as is common. Scripts stand in for them and print
//! the same messages.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::TempDir;

use super::{Said, names, seeded_with_backup};
use testkit::database::TestDatabase;
use testkit::server::{assert_verified, techkraft};

/// `pg_restore` 17 and later sets a parameter that a server of version 15 does not know.
const NEW_RESTORE: &str = r#"
case "$*" in *--dbname*)
  echo 'pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "transaction_timeout"' >&2
  echo 'Command was: SET transaction_timeout = 0;' >&2
  exit 1 ;;
esac
"#;
/// `pg_dump` of an earlier version than the server's.
const OLD_DUMP: &str = r#"
echo 'pg_dump: error: aborting because of server version mismatch' >&2
echo 'pg_dump: detail: server version: 15.18; pg_dump version: 13.22' >&2
exit 1
"#;

/// A folder with scripts that claim a version, run the given lines, and then run the real programs.
fn stand_ins(version: &str, dump: &str, restore: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = std::env::var("PATH").unwrap_or_default();
    for (program, act) in [("pg_dump", dump), ("pg_restore", restore)] {
        let script = format!(
            "#!/bin/sh\n[ \"$1\" = --version ] && {{ echo '{program} (PostgreSQL) {version}'; exit 0; }}\n\
             {act}\nPATH='{path}' exec {program} \"$@\"\n"
        );
        let file = folder.path().join(program);
        fs::write(&file, script).expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("it can be run");
    }
    folder
}

fn with(folder: &Path, database: &TestDatabase, arguments: &[&str]) -> Said {
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    Said::of(techkraft(database).env("PATH", path).args(arguments))
}

/// The right programs are found elsewhere.
#[test]
fn programs_of_other_versions_in_the_path_are_passed_over() {
    let (database, path) = seeded_with_backup();
    if !database.is_postgres() {
        return; // With SQLite no other program is run.
    }
    let path = path.to_string_lossy();
    for (version, dump, restore) in
        [("17.2", "", NEW_RESTORE), ("18.1", "", NEW_RESTORE), ("13.22", OLD_DUMP, "")]
    {
        let programs = stand_ins(version, dump, restore);
        let to = programs.path().join("a.backup");
        with(programs.path(), &database, &["backup", &to.to_string_lossy()]).well();
        let place = database.empty_place();
        with(programs.path(), &place, &["restore", &path]).well();
        assert_verified(&place);
    }
}

/// The error for an intact dump that the server refuses does not call the dump damaged. A backup that cannot be
/// verified for that reason keeps the suffix `.unproved`.
#[test]
fn a_whole_dump_that_a_server_refuses_is_not_called_damaged() {
    let (database, path) = seeded_with_backup();
    if !database.is_postgres() {
        return;
    }
    let refused = "case \"$*\" in *--dbname*) echo 'pg_restore: error: FATAL:  something about this server' >&2; exit 1 ;; esac";
    let programs = stand_ins("15.99", "", refused);
    let place = database.empty_place();
    let line = with(programs.path(), &place, &["restore", &path.to_string_lossy()]).refusal();
    assert!(
        line.contains("is intact, but cannot be restored") && line.contains("about this server"),
        "{line}"
    );
    assert!(line.contains("of version 15") && !line.contains("damaged"), "{line}");
    let to = programs.path().join("a.backup");
    let line = with(programs.path(), &database, &["backup", &to.to_string_lossy()]).refusal();
    assert!(line.contains("verification failed") && !line.contains("damaged"), "{line}");
    assert!(names(programs.path()).contains(&"a.backup.unproved".to_owned()), "{line}");
}
