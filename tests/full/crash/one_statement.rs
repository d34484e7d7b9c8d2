//! Tickets are returned by a single statement that commits by itself.

use testkit::rush::{order, tier_ids};
use testkit::server::{Server, assert_verified};
use testkit::visitor::Visitor;
use testkit::wait::eventually;

use super::locks::{hold, prepared};

/// All orders need the ticket types' rows. A single statement that commits by itself locks them, so the lock never
/// lasts for a network round trip.
/// Seen to fail when the statement runs inside a transaction of the server, as it once did.
#[test]
fn whatever_gives_tickets_back_locks_ticket_types_for_one_statement() {
    let (cluster, database) = prepared();
    let server = Server::start(&database, &[]);
    let password = server.admin_password().expect("one was made");
    let id = tier_ids(&database)[1];
    let mut visitor = Visitor::new(server.address);
    let [mut mine, mut theirs] = ["", ""].map(|_| {
        let location = visitor.book(&order(id, 2)).expect("an answer").location().to_owned();
        assert!(location.starts_with("/bookings/"));
        location
    });
    mine.push_str("/cancellation");
    #[derive(diesel::QueryableByName)]
    struct Reference {
        #[diesel(sql_type = diesel::sql_types::Text)]
        reference: String,
    }
    let token = theirs.split_off("/bookings/".len());
    let found =
        database.rows::<Reference>(&format!("SELECT reference FROM bookings WHERE token = '{token}'"));
    let theirs = format!("/admin/bookings/{}/cancellation", found[0].reference);
    let mut organizer = Visitor::new(server.address);
    let sign_in = [("username", "admin".to_owned()), ("password", password)];
    organizer.post("/admin/sign-in", &sign_in).expect("an answer");

    database.execute("ALTER SYSTEM SET log_statement = 'all'");
    database.execute("SELECT pg_reload_conf()");
    eventually("it logs", || {
        database.execute("SELECT 'is it logged?'");
        cluster.log().contains("is it logged?")
    });
    assert_eq!(visitor.post(&mine, &[]).expect("an answer").status, 303);
    assert_eq!(organizer.post(&theirs, &[]).expect("an answer").status, 303);
    hold(&database, id, "over", "timezone('utc', now())");
    eventually("the hold is over", || database.count("bookings WHERE status = 'expired'") == 1);
    let log = cluster.log();
    for (function, calls) in [("release_booking_1", 1), ("cancel_booking_1", 1), ("expire_holds_1", 1)] {
        let found = calls_by_themselves(&log, function);
        assert!(found.len() >= calls, "{function}: {found:?}");
        assert!(found.iter().all(|is_alone| *is_alone), "{function} was called inside a transaction");
    }
    assert_eq!(database.tier("Front Row").available, 200);
    assert_verified(&database);
}

/// For each call of a function in PostgreSQL's log: whether its session was outside of any transaction.
fn calls_by_themselves(log: &str, function: &str) -> Vec<bool> {
    let mut in_transaction = std::collections::HashSet::new();
    let mut calls = Vec::new();
    for line in log.lines() {
        let Some((session, statement)) = line.split_once("] LOG:  ") else { continue };
        let Some(process) = session.rsplit('[').next() else { continue };
        let Some((_, sql)) = statement.split_once(": ") else { continue };
        let sql = sql.trim_start();
        if sql.starts_with("BEGIN") {
            in_transaction.insert(process);
        } else if sql.starts_with("COMMIT") || sql.starts_with("ROLLBACK") {
            in_transaction.remove(process);
        } else if sql.contains(function) {
            calls.push(!in_transaction.contains(process));
        }
    }
    calls
}
