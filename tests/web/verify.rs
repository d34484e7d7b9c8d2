//! `techkraft verify` must find every violation, even when the schema's own guards are gone.

use std::process::{Command, Output};

use crate::support::TestApp;
use testkit::database::TestDatabase;
use testkit::wait::eventually;

fn verify(database: &TestDatabase) -> Output {
    Command::new(testkit::binary())
        .arg("verify")
        .env("DATABASE_URL", &database.url)
        .current_dir(database.folder.path())
        .output()
        .expect("the binary runs")
}

#[test]
fn correct_counts_are_shown_as_a_table() {
    let app = TestApp::spawn();
    app.book_well("VIP", 3);
    let output = verify(&app.database);
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{table}");
    assert!(table.contains("All counts add up."), "{table}");
    let vip: Vec<&str> =
        table.lines().find(|line| line.contains("VIP")).expect("a line").split_whitespace().collect();
    assert_eq!(vip[2..], ["VIP", "100", "3", "0", "97", "1", "ok"]);
}

#[test]
fn each_violation_is_found() {
    for (says, damage) in [
        ("DOES NOT ADD UP", "UPDATE ticket_types SET available = available - 1 WHERE name = 'VIP'"),
        ("request keys with more than one booking", "UPDATE bookings SET request_key = 'one'"),
        ("references with more than one", "UPDATE bookings SET reference = 'TK-AAAA-AAAA'"),
        ("tokens with more than one", "UPDATE bookings SET token = 'one'"),
        ("a total other than the sum", "UPDATE bookings SET total_minor = total_minor + 1"),
        ("bookings without any ticket", "DELETE FROM booking_lines"),
        ("a ticket type that does not exist", "UPDATE booking_lines SET ticket_type_id = 999999"),
        ("lines of a booking", "UPDATE booking_lines SET booking_id = booking_id + 1000"),
        ("lines of another event", "UPDATE bookings SET event_id = event_id + 1"),
        ("another count of returned tickets", "UPDATE booking_lines SET returned = 1"),
        ("used tickets of a booking that does not exist", &admit("999999", "1")),
        ("a seat that the booking does not have", &admit("booking_id", "quantity + 1")),
        ("tickets used more than once", &format!("{0}; {0}", admit("booking_id", "1"))),
        ("in an unknown state", "UPDATE bookings SET status = 'perhaps'"),
        ("DOES NOT ADD UP", "UPDATE bookings SET status = 'canceled', canceled_at = created_at"),
        ("without a cancellation time", "UPDATE bookings SET status = 'canceled'"),
        ("without a cancellation time", "UPDATE bookings SET canceled_at = created_at"),
        ("held bookings without a hold", "UPDATE bookings SET status = 'held'"),
        ("holds of others", "INSERT INTO holds (booking_id, held_until) SELECT id, '2999-12-31 00:00:00' FROM bookings"),
        (
            "overdue by more than a minute",
            "UPDATE bookings SET status = 'held';
             INSERT INTO holds (booking_id, held_until) SELECT id, '2020-01-01 00:00:00' FROM bookings",
        ),
        (
            "canceled bookings with an admission",
            &format!(
                "{}; UPDATE bookings SET status = 'canceled', canceled_at = created_at",
                admit("booking_id", "1")
            ),
        ),
        (
            "admitted one ticket twice",
            "INSERT INTO scans (event_id, gate, actor, booking_id, seat, ticket, outcome, scanned_at, decided_at)
             SELECT b.event_id, 'North', 'admin', 1, 1, 'x', 'admitted', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP
             FROM bookings b",
        ),
        ("without a confirmation", "DELETE FROM mails"),
        ("more than one confirmation", "INSERT INTO mails SELECT * FROM mails"),
        (
            "mails for a booking without an email address",
            "UPDATE bookings SET buyer_email = NULL, buyer_external_id = '7'",
        ),
        ("mails for a booking that does not exist", "UPDATE mails SET booking_id = booking_id + 1000"),
    ] {
        let app = TestApp::spawn();
        app.book_well("VIP", 3);
        app.book_well("Front Row", 1);
        // The damage must change mails, so all mails must be written first.
        app.database.wait_until_mails_are_written();
        drop_guards(&app.database);
        app.database.execute(damage);
        let output = verify(&app.database);
        let table = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{damage}: {table}");
        assert!(table.contains(says) && table.contains("do NOT add up"), "{damage}: {table}");
    }
}

#[test]
fn a_missing_database_is_an_error() {
    let output = Command::new(testkit::binary())
        .args(["verify", "--database-url", "sqlite:/no/such/file.db"])
        .output()
        .expect("the binary runs");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("no such file"));
}

/// SQL that admits a ticket of every booking, without any guard.
fn admit(booking_id: &str, seat: &str) -> String {
    format!(
        "INSERT INTO used_tickets (id, booking_id, seat, ticket_type_id, state, gate, actor, used_at)
         SELECT 1, {booking_id}, {seat}, ticket_type_id, 'admitted', 'North gate', 'admin', CURRENT_TIMESTAMP
         FROM booking_lines"
    )
}

/// Makes the tables again with the same rows, but without keys, checks and references. Servers can no longer end a
/// hold.
fn drop_guards(database: &TestDatabase) {
    let is_postgres = database.is_postgres();
    let (unchecked, cascade) = if is_postgres { ("", "CASCADE") } else { ("PRAGMA foreign_keys = OFF;", "") };
    // The view depends on one of these tables.
    database.execute("DROP VIEW batched_confirmations");
    for table in ["cancellation_notes", "used_tickets", "mails", "holds", "booking_lines", "bookings"] {
        let bare = format!(
            "{unchecked} CREATE TABLE bare AS SELECT * FROM {table}; DROP TABLE {table} {cascade};
             ALTER TABLE bare RENAME TO {table};"
        );
        // A query of the server may have locked the tables in another order; then PostgreSQL aborts one of the two.
        eventually(table, || database.try_to(&bare).is_ok());
    }
    database.execute(if database.is_postgres() {
        "DROP FUNCTION expire_holds_1"
    } else {
        "CREATE TRIGGER holds_stay BEFORE DELETE ON holds BEGIN SELECT RAISE(ABORT, 'it stays'); END"
    });
    database.execute(
        "CREATE VIEW batched_confirmations AS
         SELECT id AS batch_id, id AS booking_id, queued_at FROM confirmation_batches",
    );
}

#[test]
fn the_organizer_sees_the_reconciliation() {
    let desk = |app: &TestApp| {
        app.organizer().get(app.url("/admin")).send().expect("an answer").text().expect("a page")
    };
    assert!(desk(&TestApp::spawn()).contains("Counts verified just now"));
    // A server counts at most twice a minute, so use a server that has not counted before.
    let app = TestApp::spawn();
    app.database.execute("UPDATE ticket_types SET available = available - 1 WHERE name = 'VIP'");
    assert!(desk(&app).contains("VIP: 0 sold + 0 held + 99 available ≠ 100"));
}
