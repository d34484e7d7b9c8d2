//! The folders that backups are written to, and the databases that they are restored into.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{Said, backup, names, restore, seeded_with_backup};
use testkit::database::TestDatabase;
use testkit::server::{Server, assert_verified, techkraft};
use testkit::wait::eventually;

#[test]
fn a_database_with_content_is_only_set_aside_when_that_is_asked_for() {
    let (database, path) = seeded_with_backup();
    let place = database.empty_place();
    restore(&place, &path, &[]).well();
    place.execute("UPDATE ticket_types SET name = 'Changed since' WHERE name = 'VIP'");
    let line = restore(&place, &path, &[]).refusal();
    assert!(line.contains("--overwrite"), "{line}");
    assert_eq!(place.tiers()[0].name, "Changed since");

    let server = Server::start(&place, &[]);
    let line = restore(&place, &path, &["--overwrite"]).refusal();
    assert!(line.contains("stop"), "{line}");
    drop(server);
    assert_eq!(place.tiers()[0].name, "Changed since");

    let said = restore_alone(&place, &path).well();
    assert!(said.contains("kept as"), "{said}");
    assert_eq!(place.tiers()[0].name, "VIP");
    assert_verified(&place);
    let aside = said.lines().find_map(|line| line.strip_prefix("The previous content was kept as "));
    let aside = aside.expect("a place").trim();
    if database.is_postgres() {
        assert_eq!(place.count(&format!("{aside}.ticket_types WHERE name = 'Changed since'")), 1);
    } else {
        assert!(names(place.folder.path()).iter().any(|name| aside.ends_with(name.as_str())), "{aside}");
    }
}

/// Restores when the sessions of a server that was killed are gone.
fn restore_alone(place: &TestDatabase, path: &Path) -> Said {
    let mut said = None;
    eventually("no other client is connected", || {
        let tried = restore(place, path, &["--overwrite"]);
        let is_alone = !tried.error.contains("other clients are connected");
        said = Some(tried);
        is_alone
    });
    said.expect("it was tried")
}

/// The restore fails after the former content has been set aside: the former content comes back.
#[test]
fn what_was_there_comes_back_when_a_dump_cannot_be_restored() {
    let (database, path) = seeded_with_backup();
    if !database.is_postgres() {
        return; // With SQLite, one file replaces the other in a single step.
    }
    let place = database.empty_place();
    restore(&place, &path, &[]).well();
    place.execute("UPDATE ticket_types SET name = 'Changed since' WHERE name = 'VIP'");
    let cut_off = database.folder.path().join("cut_off.dump");
    let whole = fs::read(&path).expect("the backup");
    fs::write(&cut_off, &whole[..whole.len() * 3 / 4]).expect("written");
    let line = restore(&place, &cut_off, &["--overwrite"]).refusal();
    assert!(line.contains("is damaged"), "{line}");
    assert_eq!(place.tiers()[0].name, "Changed since");
}

#[test]
fn a_folder_keeps_the_backups_that_it_is_told_to() {
    let (database, _) = seeded_with_backup();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ending = if database.is_postgres() { "dump" } else { "db" };
    for stamp in ["20200101T000000Z", "20200101T010000Z", "20200102T000000Z"] {
        for more in ["", ".sha256"] {
            fs::write(folder.path().join(format!("techkraft-{stamp}.{ending}{more}")), "old")
                .expect("written");
        }
    }
    fs::write(folder.path().join("techkraft.txt"), "somebody's own").expect("written");
    let metrics = database.folder.path().join("backup.prom");
    let said = backup(&database, folder.path(), &["--keep", "2", "--metrics", &metrics.to_string_lossy()]);
    assert!(said.well().contains("removed: 2"));
    let left = names(folder.path());
    let backups: Vec<&String> = left.iter().filter(|name| name.ends_with(ending)).collect();
    assert_eq!(backups.len(), 2, "{left:?}");
    assert!(
        left.contains(&"techkraft.txt".into()) && !left.iter().any(|name| name.contains("20200101")),
        "{left:?}"
    );
    let newest = folder.path().join(backups[1]);
    assert_eq!(fs::metadata(&newest).expect("it").permissions().mode() & 0o777, 0o600, "it holds names");
    let metrics = fs::read_to_string(metrics).expect("metrics");
    assert!(metrics.contains("\ntechkraft_backup_timestamp_seconds 1"), "{metrics}");

    let line = backup(&database, &newest, &[]).refusal();
    assert!(line.contains("already exists"), "{line}");
    let line = backup(&database, &folder.path().join("new.backup"), &["--keep", "2"]).refusal();
    assert!(line.contains("--keep"), "{line}");
    let line = backup(&database, "/no/such/folder/x.backup".as_ref(), &[]).refusal();
    assert!(line.contains("/no/such/folder"), "{line}");
}

/// Every user of a machine can read the command lines of all programs.
#[test]
fn a_password_is_on_no_command_line() {
    let database = TestDatabase::create();
    if !database.is_postgres() {
        return; // With SQLite no other program is run, and there is no password.
    }
    Said::of(techkraft(&database).arg("seed")).well();
    let programs = tempfile::tempdir().expect("a temporary folder");
    let seen = programs.path().join("seen");
    let path = std::env::var("PATH").unwrap_or_default();
    for program in ["pg_dump", "pg_restore"] {
        let script = format!(
            "#!/bin/sh\nprintf '%s\\n' \"$0 $* PGPASSWORD is ${{#PGPASSWORD}} long\" >>'{}'\nPATH='{path}' exec {program} \"$@\"\n",
            seen.display()
        );
        let file = programs.path().join(program);
        fs::write(&file, script).expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("it can be run");
    }
    let (user, server) = database.url.split_once('@').expect("a user");
    let url = format!("{user}:pass%2Fword@{server}");
    let to = database.folder.path().join("a.backup");
    let mut command = techkraft(&database);
    command.env("DATABASE_URL", &url).env("PATH", format!("{}:{path}", programs.path().display()));
    Said::of(command.arg("backup").arg(to)).well();
    let seen = fs::read_to_string(seen).expect("they were run");
    assert!(seen.contains("pg_dump") && seen.contains("pg_restore"), "{seen}");
    assert!(seen.contains("PGPASSWORD is 9 long"), "{seen}");
    assert!(!seen.contains("pass%2Fword") && !seen.contains("pass/word"), "{seen}");
}

/// Tickets are signed with this secret, so a backup without it would make them invalid.
#[test]
fn the_secret_beside_an_sqlite_file_goes_with_it() {
    let (database, _) = seeded_with_backup();
    if database.is_postgres() {
        return; // PostgreSQL keeps the secret inside the database.
    }
    let secret = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01";
    let file = |place: &TestDatabase| place.folder.path().join("test.db.secret");
    fs::write(file(&database), secret).expect("written");
    let path = database.folder.path().join("b.backup");
    backup(&database, &path, &[]).well();
    let place = database.empty_place();
    restore(&place, &path, &[]).well();
    assert_eq!(fs::read_to_string(file(&place)).expect("it came along"), secret);
    fs::write(file(&place), secret.replace('0', "9")).expect("written");
    let said = restore(&place, &path, &["--overwrite"]).well();
    assert!(said.contains("SECRET_KEY_PREVIOUS"), "{said}");
}
