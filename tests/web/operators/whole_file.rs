//! An SQLite database is one file. After a stop, the file contains the whole sale. While the file needs its log, it
//! is marked.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::{beside, file, refusal, run, said, serving};
use crate::command_line::techkraft;
use testkit::database::TestDatabase;

const LOG: [&str; 2] = ["-wal", "-shm"];

fn has_log(file: &Path) -> bool {
    LOG.iter().any(|ending| beside(file, ending).exists())
}

/// Whether a process holds a POSIX lock on the file.
fn is_locked(file: &Path) -> bool {
    let inode = fs::metadata(file).expect("a database").ino();
    let locks = fs::read_to_string("/proc/locks").expect("the system's locks");
    locks.lines().any(|line| line.contains(&format!(":{inode} ")))
}

/// Copies the file alone, with its secret, to another place.
fn copied(database: &TestDatabase) -> TestDatabase {
    let copy = TestDatabase::create();
    fs::copy(file(database), file(&copy)).expect("copied");
    fs::copy(beside(&file(database), ".secret"), beside(&file(&copy), ".secret")).expect("copied");
    copy
}

#[test]
fn after_a_stop_the_one_file_is_the_sale() {
    let database = TestDatabase::create();
    if database.is_postgres() {
        return; // PostgreSQL's server manages its own files.
    }
    let server = serving(&database, &[]);
    server.sell(&database, 20);
    assert!(has_log(&file(&database)));
    server.stop();
    assert!(!has_log(&file(&database)), "the log is in the file");
    let copy = copied(&database);
    let server = serving(&copy, &[]);
    assert_eq!(copy.count("bookings"), 20);
    server.stop();
    copy.assert_books_balance();
}

#[test]
fn after_each_command_the_one_file_is_all() {
    let database = TestDatabase::create();
    if database.is_postgres() {
        return;
    }
    let backup = database.folder.path().join("a.backup");
    let backup = backup.to_string_lossy();
    for command in [&["migrate"][..], &["seed"], &["verify"], &["backup", &backup]] {
        let output = run(techkraft(&database).args(command));
        assert!(output.status.success(), "{command:?}: {}", said(&output));
        assert!(!has_log(&file(&database)), "{command:?}");
    }
    // A server was killed: the next program that opens the file writes its log back.
    for command in ["verify", "migrate"] {
        let server = serving(&database, &[]);
        server.sell(&database, 3);
        server.kill();
        assert!(has_log(&file(&database)), "{command}");
        let output = run(techkraft(&database).arg(command));
        assert!(output.status.success() && !has_log(&file(&database)), "{command}: {}", said(&output));
    }
    assert_eq!(copied(&database).count("bookings"), 6);
}

/// The bookings are only in the log. With the log, a killed server can start again; without it, every command refuses
/// the file.
#[test]
fn a_file_without_the_log_that_it_needs_is_refused() {
    let database = TestDatabase::create();
    if database.is_postgres() {
        return;
    }
    let server = serving(&database, &[]);
    server.sell(&database, 20);
    wait_until_marked(&file(&database));
    let running = copied(&database);
    server.kill();
    let killed = copied(&database);
    for copy in [running, killed] {
        let backup = copy.folder.path().join("a.backup");
        let backup = backup.to_string_lossy();
        let commands: [&[&str]; 6] =
            [&[], &["migrate"], &["seed"], &["verify"], &["set-admin-password"], &["backup", &backup]];
        for command in commands {
            let line = refusal(techkraft(&copy).args(command));
            assert!(
                line.contains("test.db-wal is missing") && line.contains("DATABASE_URL"),
                "{command:?}: {line}"
            );
        }
        let place = TestDatabase::create();
        let line = refusal(techkraft(&place).arg("restore").arg(file(&copy)));
        assert!(line.contains("without its log"), "{line}");
        fs::copy(beside(&file(&database), "-wal"), beside(&file(&copy), "-wal")).expect("copied");
        let line = refusal(techkraft(&place).arg("restore").arg(file(&copy)));
        assert!(line.contains("has a separate log"), "{line}");
        let server = serving(&copy, &[]);
        assert_eq!(copy.count("bookings"), 20, "with its log it is whole");
        server.stop();
    }
}

/// Another program opens the database while it sells, reads it, and closes it.
#[test]
fn a_reader_of_another_program_takes_nothing_away() {
    let database = TestDatabase::create();
    if database.is_postgres() {
        return;
    }
    let server = serving(&database, &[]);
    for sold in [10, 20, 30, 40] {
        // The orders of the previous round are sent again, and find the same bookings.
        server.sell(&database, sold);
        assert_eq!(database.count("bookings"), sold as u64);
        assert!(has_log(&file(&database)), "the log was taken away from a running server");
        // SQLite before 3.51, which most other programs use, would delete the log if nobody held this lock.
        assert!(is_locked(&file(&database)), "the server holds no lock on its database");
    }
    wait_until_marked(&file(&database));
    assert_eq!(database.count("bookings"), 40);
    server.kill();
    let server = serving(&database, &[]);
    assert_eq!(database.count("bookings"), 40, "nothing that was sold is lost");
    server.stop();
    assert_eq!(copied(&database).count("bookings"), 40);
}

/// A copy that SQLite makes of a database in use is complete and is accepted; so is our own backup.
#[test]
fn copies_that_were_made_with_the_log_are_whole() {
    let database = TestDatabase::create();
    if database.is_postgres() {
        return;
    }
    let server = serving(&database, &[]);
    server.sell(&database, 5);
    wait_until_marked(&file(&database));
    let copy = TestDatabase::create();
    database.execute(&format!("VACUUM INTO '{}'", file(&copy).display()));
    fs::copy(beside(&file(&database), ".secret"), beside(&file(&copy), ".secret")).expect("copied");
    let backup = database.folder.path().join("a.backup");
    let made = run(techkraft(&database).arg("backup").arg(&backup));
    assert!(made.status.success(), "{}", said(&made));
    let restored = TestDatabase::create();
    let made = run(techkraft(&restored).arg("restore").arg(&backup));
    assert!(made.status.success(), "{}", said(&made));
    for place in [&copy, &restored] {
        let server = serving(place, &[]);
        assert_eq!(place.count("bookings"), 5);
        server.stop();
    }
    server.stop();
}

/// A site is lost after it has sold more than its backup contains. Seen to fail without the ids that `restore` skips:
/// the next booking had the reference of a lost one, and the lost booking's ticket was admitted for it.
#[test]
fn a_restored_site_gives_nobody_the_reference_of_a_lost_booking() {
    let database = TestDatabase::create();
    if database.is_postgres() {
        return; // References are random there.
    }
    let server = serving(&database, &[]);
    server.sell(&database, 2);
    let backup = database.folder.path().join("a.backup");
    let made = run(techkraft(&database).arg("backup").arg(&backup));
    assert!(made.status.success(), "{}", said(&made));
    // Send the first two orders again, and one more.
    server.sell(&database, 3);
    server.stop();
    let restored = TestDatabase::create();
    let made = run(techkraft(&restored).arg("restore").arg(&backup));
    assert!(made.status.success(), "{}", said(&made));
    let server = serving(&restored, &[]);
    server.sell(&restored, 3);
    server.stop();
    let lost_or_kept = references(&database);
    let now = references(&restored);
    assert_eq!((lost_or_kept.len(), now.len()), (3, 5));
    assert_eq!(now.intersection(&lost_or_kept).count(), 2, "those of the backup: {now:?}");
}

fn references(database: &TestDatabase) -> BTreeSet<String> {
    let all = database.text("SELECT group_concat(reference, ' ') AS text FROM bookings");
    all.split(' ').map(str::to_owned).collect()
}

/// Waits until `user_version` is set in the header of the file itself.
fn wait_until_marked(file: &Path) {
    let begun = Instant::now();
    while fs::read(file).expect("a database")[60..64] != [0, 0, 0, 1] {
        assert!(begun.elapsed() < Duration::from_secs(30), "the file is never marked");
        thread::sleep(Duration::from_millis(10));
    }
}
