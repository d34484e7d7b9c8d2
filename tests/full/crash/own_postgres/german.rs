//! The server classifies a database error by its SQLSTATE and other fields, never by its text: when PostgreSQL's
//! messages are in German, buyers get the same answers.

use std::thread;
use std::time::Instant;

use serde_json::json;
use testkit::blockade::Transaction;
use testkit::cluster::Cluster;
use testkit::database::TestDatabase;
use testkit::rush::{order, tier_ids};
use testkit::server::{Server, assert_verified, logged_errors};
use testkit::visitor::{Answer, Visitor};
use testkit::wait::eventually;

/// So often a deadlock is provoked at most.
const TRIES: usize = 5;

fn prepared() -> (Cluster, TestDatabase, Server) {
    let cluster = Cluster::start_in_german();
    let database = cluster.database();
    eventually("it speaks German", || {
        database.try_to("SELECT 1 / 0").is_err_and(|said| said.contains("Division durch Null"))
    });
    let server = Server::start(&database, &[]);
    (cluster, database, server)
}

fn assert_busy(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(!answer.header("retry-after").is_empty(), "{}", answer.body);
}

/// SQLSTATE 55P03: a lock timeout. For buyers at the desk, and for a cancellation, which does not go through the
/// desk.
#[test]
fn a_locked_row_is_busy_in_any_language() {
    let (_cluster, database, server) = prepared();
    let ids = tier_ids(&database);
    let mut visitor = Visitor::new(server.address);
    let booked = visitor.book(&order(ids[0], 1)).expect("an answer");
    let booking = booked.header("location").to_owned();
    let psql = Transaction::begin(
        &database,
        &format!("BEGIN; SELECT FROM ticket_types WHERE id = {} FOR UPDATE", ids[0]),
    );
    let begun = Instant::now();
    assert_busy(&visitor.book(&order(ids[0], 1)).expect("an answer"));
    assert_busy(&visitor.post(&format!("{booking}/cancellation"), &[]).expect("an answer"));
    println!("told after {:?}", begun.elapsed());
    psql.end("ROLLBACK");
    eventually("it sells again", || visitor.book(&order(ids[0], 1)).is_ok_and(|answer| answer.status == 303));
    assert_eq!(visitor.post(&format!("{booking}/cancellation"), &[]).expect("an answer").status, 303);
    assert_eq!(logged_errors(&database), Vec::<String>::new());
    assert_verified(&database);
}

/// SQLSTATE 40P01: PostgreSQL aborts the desk's transaction in a deadlock; the desk retries and books.
#[test]
fn a_deadlock_is_tried_again_in_any_language() {
    let (_cluster, database, server) = prepared();
    // The desk's session checks for a deadlock before its lock times out, and before the other session does.
    database.execute("ALTER SYSTEM SET deadlock_timeout = '700ms'");
    database.execute("SELECT pg_reload_conf()");
    eventually("new sessions have the setting", || {
        database.disconnect();
        database.text("SELECT setting AS text FROM pg_settings WHERE name = 'deadlock_timeout'") == "700"
    });
    // On a busy machine the lock may time out first: then there is no deadlock, and the buyer is told to try again.
    let is_proved = (0..TRIES).any(|number| {
        let status = status_after_deadlock(&database, &server, number);
        assert!([201, 503].contains(&status), "{status}: {}", server.logged());
        status == 201 && server.logged().contains("Verklemmung")
    });
    assert!(is_proved, "no deadlock was tried again: {}", server.logged());
    assert_eq!(logged_errors(&database), Vec::<String>::new());
    assert_verified(&database);
}

/// Sends an order for two ticket types. It waits for a session that then waits for the order.
fn status_after_deadlock(database: &TestDatabase, server: &Server, number: usize) -> u16 {
    let ids = tier_ids(database);
    let mut visitor = Visitor::new(server.address);
    // After a time-out the desk leaves out a ticket type for a while.
    for &id in &ids[..2] {
        eventually("it sells", || visitor.book(&order(id, 1)).is_ok_and(|answer| answer.status == 303));
    }
    let lock = |id: i64| format!("SELECT FROM ticket_types WHERE id = {id} FOR UPDATE");
    let mut psql =
        Transaction::begin(database, &format!("SET deadlock_timeout = '20s'; BEGIN; {}", lock(ids[1])));
    let line = |id: i64| json!({ "ticketTypeId": id.to_string(), "quantity": 1 });
    let body = json!({ "lines": [line(ids[0]), line(ids[1])], "name": "Ada", "email": "ada@example.org" });
    let post = reqwest::blocking::Client::new().post(format!("http://{}/api/v1/bookings", server.address));
    let key = format!("8e03978e-40d5-43dd-bc93-6894a57f93{number:02}");
    let post = post.header("idempotency-key", key).json(&body);
    thread::scope(|scope| {
        let answer = scope.spawn(move || post.send().expect("an answer"));
        eventually("the desk waits for the second ticket type", || {
            database.count("pg_locks WHERE NOT granted") > 0 || answer.is_finished()
        });
        psql.execute(&lock(ids[0]));
        psql.execute("COMMIT");
        answer.join().expect("it ends").status().as_u16()
    })
}
