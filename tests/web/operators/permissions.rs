//! Only the program's own user can read the files that it writes, also when the program is started by hand.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use super::{beside, file};
use crate::command_line::{Running, serve_logging, signal, techkraft, wait};
use testkit::database::TestDatabase;
use testkit::server::set_as;

/// Starts the server as a shell with that umask does.
fn serve_under(umask: &str, database: &TestDatabase) -> (Running, String) {
    let model = techkraft(database);
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("umask {umask}; exec \"$0\"")]).arg(model.get_program());
    set_as(&mut shell, &model);
    shell.current_dir(database.folder.path()).stdin(Stdio::null());
    let log = database.folder.path().join("server.log");
    let running = serve_logging(&mut shell, fs::File::create(&log).expect("a file"));
    (running, fs::read_to_string(log).expect("a log"))
}

/// The files in the database's folder that others may read, except this test's own log.
fn open_files(database: &TestDatabase) -> Vec<String> {
    let entries = fs::read_dir(database.folder.path()).expect("a folder").flatten();
    let mode = |entry: &fs::DirEntry| entry.metadata().expect("a file").permissions().mode();
    let open = entries.filter(|entry| mode(entry) & 0o077 != 0);
    let names = open.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name != "server.log").collect()
}

#[test]
fn a_database_made_by_hand_is_for_its_user_alone() {
    for umask in ["022", "000"] {
        let database = TestDatabase::create();
        if database.is_postgres() {
            return;
        }
        let (running, log) = serve_under(umask, &database);
        reqwest::blocking::get(&running.url).expect("an answer");
        assert!(beside(&file(&database), "-wal").exists(), "a server has a log beside it");
        assert_eq!(open_files(&database), Vec::<String>::new(), "umask {umask}");
        assert!(!log.contains("chmod"), "{log}");
        signal(&running.child, "-TERM");
        assert!(wait(running.child).success());
    }
}

#[test]
fn a_database_that_others_may_read_is_named_at_each_start() {
    let database = TestDatabase::create();
    if database.is_postgres() {
        return;
    }
    assert!(techkraft(&database).arg("migrate").output().expect("it runs").status.success());
    let file = file(&database);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("it is ours");
    let (running, log) = serve_under("022", &database);
    let warning = log.lines().find(|line| line.contains("WARN")).unwrap_or_else(|| panic!("{log}"));
    assert!(warning.contains(&format!("chmod 600 {}", file.display())), "{warning}");
    signal(&running.child, "-KILL");
    wait(running.child);
}
