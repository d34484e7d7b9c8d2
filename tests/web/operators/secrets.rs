//! Secrets that are lost, replaced, or set for the first time after selling.

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::{beside, file, refusal, run, said, serving};
use crate::command_line::{Running, serve_logging, techkraft};
use crate::support::acts::open_doors;
use testkit::database::TestDatabase;

const ONE: &str = "6f1ed002ab5595859014ebf0951522d9";
const OTHER: &str = "q3Jt0Zr9pXw1mVbK7yUeA5sLdHf2GcN8";
const WARNING: &str = "the tickets of 2 bookings of concerts that are not over were signed with a secret";

fn code(booking: &Value) -> String {
    booking["tickets"][0]["code"].as_str().expect("a code").to_owned()
}

/// A site that has sold two bookings, and the code of one of its tickets.
fn sold(settings: &[(&str, &str)]) -> (TestDatabase, String) {
    let database = TestDatabase::create();
    let server = serving(&database, settings);
    let bookings = server.sell(&database, 2);
    server.stop();
    (database, code(&bookings[0]))
}

fn set_password(database: &TestDatabase) {
    let mut command = Command::new("sh");
    command.args(["-c", "echo 'a long new password' | \"$0\" set-admin-password"]);
    command.arg(testkit::binary()).env("DATABASE_URL", &database.url).current_dir(database.folder.path());
    assert!(run(&mut command).status.success());
}

/// The status of the gate's answer to a code.
fn admits(database: &TestDatabase, server: &Running, code: &str) -> u16 {
    set_password(database);
    open_doors(database);
    let client = crate::support::browser();
    let post = |path: &str, form: &[(&str, &str)]| {
        client.post(format!("{}{path}", server.url)).form(form).send().expect("an answer").status().as_u16()
    };
    assert_eq!(post("/admin/sign-in", &[("username", "admin"), ("password", "a long new password")]), 303);
    post("/admin/check-in", &[("event", "midnight-parade"), ("gate", "North"), ("code", code)])
}

/// Starts a server. Returns the server and its log.
fn logging(database: &TestDatabase, settings: &[(&str, &str)]) -> (Running, String) {
    let log = database.folder.path().join("server.log");
    let mut command = techkraft(database);
    command.envs(settings.iter().copied());
    let server = serve_logging(&mut command, fs::File::create(&log).expect("a log"));
    (server, fs::read_to_string(log).expect("a log"))
}

/// The database was moved without its secret, or restored from a file alone: with a new secret, all tickets would
/// count as forged.
#[test]
fn a_lost_secret_stops_the_start_while_its_tickets_are_out() {
    let (database, code) = sold(&[]);
    let mut kept = None;
    if database.is_postgres() {
        database.execute("DELETE FROM secrets WHERE name = 'signing'");
    } else {
        kept = Some(fs::read(beside(&file(&database), ".secret")).expect("a secret"));
        fs::remove_file(beside(&file(&database), ".secret")).expect("removed");
    }
    let line = refusal(&mut techkraft(&database));
    assert!(
        line.contains("SECRET_KEY=") && line.contains("2 bookings of concerts that are not over"),
        "{line}"
    );
    let verified = run(techkraft(&database).arg("verify"));
    assert!(!verified.status.success() && said(&verified).contains(WARNING), "{}", said(&verified));
    assert!(said(&verified).contains("All counts add up."), "{}", said(&verified));

    if let Some(secret) = kept {
        assert!(!beside(&file(&database), ".secret").exists(), "none was made");
        fs::write(beside(&file(&database), ".secret"), secret).expect("written");
        assert!(run(techkraft(&database).arg("verify")).status.success());
        let server = serving(&database, &[]);
        assert_eq!(admits(&database, &server, &code), 201);
        server.stop();
    }
    // Once the concert is over, its tickets open nothing anyway.
    if !database.is_postgres() {
        fs::remove_file(beside(&file(&database), ".secret")).expect("removed");
    }
    database.execute("UPDATE events SET starts_at = '2020-01-01 20:00:00', ends_at = '2020-01-01 23:00:00'");
    serving(&database, &[]).stop();
}

#[test]
fn a_lone_backup_says_that_its_secret_is_missing() {
    let (database, _) = sold(&[("SECRET_KEY", ONE)]);
    let backup = database.folder.path().join("a.backup");
    assert!(run(techkraft(&database).env("SECRET_KEY", ONE).arg("backup").arg(&backup)).status.success());
    let place = database.empty_place();
    let restored = run(techkraft(&place).arg("restore").arg(&backup));
    assert!(restored.status.success() && said(&restored).contains(WARNING), "{}", said(&restored));
    let line = refusal(&mut techkraft(&place));
    assert!(line.contains("SECRET_KEY="), "{line}");
    let verified = run(techkraft(&place).env("SECRET_KEY", ONE).arg("verify"));
    assert!(verified.status.success(), "{}", said(&verified));
    serving(&place, &[("SECRET_KEY", ONE)]).stop();
}

/// The server's log at its start says how long a previous secret must stay, and what happens if it is removed too
/// early.
#[test]
fn a_previous_secret_must_stay_until_its_concerts_are_over() {
    let (database, code) = sold(&[("SECRET_KEY", ONE)]);
    let rotated = [("SECRET_KEY", OTHER), ("SECRET_KEY_PREVIOUS", ONE)];
    let (server, log) = logging(&database, &rotated);
    assert!(log.contains("previous secret 1 must stay until 2027-06-"), "{log}");
    assert!(!log.contains(WARNING) && !log.contains(ONE), "{log}");
    assert_eq!(admits(&database, &server, &code), 201);
    server.stop();

    let (server, log) = logging(&database, &[("SECRET_KEY", OTHER)]);
    assert!(log.contains("ERROR") && log.contains(WARNING) && log.contains("SECRET_KEY_PREVIOUS"), "{log}");
    server.stop();
    let verified = run(techkraft(&database).env("SECRET_KEY", OTHER).arg("verify"));
    assert!(!verified.status.success() && said(&verified).contains(WARNING), "{}", said(&verified));

    database.execute("UPDATE events SET starts_at = '2020-01-01 20:00:00', ends_at = '2020-01-01 23:00:00'");
    let (server, log) = logging(&database, &rotated);
    assert!(log.contains("no ticket needs previous secret 1 any more: you can remove it"), "{log}");
    server.stop();
    let (server, log) = logging(&database, &[("SECRET_KEY", OTHER)]);
    assert!(!log.contains("a secret that is not configured"), "{log}");
    server.stop();
}

/// Tickets were sold under the generated secret, which is still accepted.
#[test]
fn a_secret_that_is_set_after_selling_joins_the_generated_one() {
    let (database, code) = sold(&[]);
    let (server, log) = logging(&database, &[("SECRET_KEY", OTHER)]);
    assert!(log.contains("previous secret 1 must stay until"), "{log}");
    assert!(!log.contains("a secret that is not configured"), "{log}");
    assert_eq!(admits(&database, &server, &code), 201);
    server.stop();
    let verified = run(techkraft(&database).env("SECRET_KEY", OTHER).arg("verify"));
    assert!(verified.status.success(), "{}", said(&verified));
}

/// The server is started with a wrong secret by mistake, and then with the right one again. No tickets are sold under
/// the wrong secret in these rounds.
#[test]
fn a_secret_that_nothing_was_sold_under_is_no_alarm_once_it_is_gone() {
    let (right, mistake) = ([("SECRET_KEY", ONE)], [("SECRET_KEY", OTHER)]);
    let (database, _) = sold(&right);
    for sold in [2, 3] {
        let (server, log) = logging(&database, &mistake);
        assert!(log.contains(&format!("the tickets of {sold} bookings of")), "while it is wrong: {log}");
        server.stop();
        let (server, log) = logging(&database, &right);
        assert!(!log.contains("ERROR"), "{log}");
        server.sell(&database, 1);
        server.stop();
        let verified = run(techkraft(&database).env("SECRET_KEY", ONE).arg("verify"));
        assert!(verified.status.success(), "{}", said(&verified));
    }
    // Only the tickets that are sold under the wrong secret count.
    let server = serving(&database, &mistake);
    server.sell(&database, 1);
    server.stop();
    let (server, log) = logging(&database, &right);
    assert!(log.contains("the tickets of 1 booking of concerts that are not over were signed"), "{log}");
    server.sell(&database, 3);
    server.stop();
    let verified = run(techkraft(&database).env("SECRET_KEY", ONE).arg("verify"));
    assert!(!verified.status.success() && said(&verified).contains("of 1 booking of"), "{}", said(&verified));
}
