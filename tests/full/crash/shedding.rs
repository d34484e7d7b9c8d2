//! The database does not answer, and orders pile up: what is too much is sent away, told so, and never
//! booked afterward.

use std::thread;
use std::time::{Duration, Instant};

use testkit::blockade::Transaction;
use testkit::database::TestDatabase;
use testkit::rush::{order, tier_ids};
use testkit::server::{Server, assert_verified};
use testkit::visitor::{Answer, Purchase, Visitor};
use testkit::wait::eventually;

const QUEUE_LENGTH: usize = 8;
const DEADLINE: Duration = Duration::from_millis(1500);
const SETTINGS: [(&str, &str); 2] = [("DESK_QUEUE_LENGTH", "8"), ("DESK_DEADLINE_MS", "1500")];
/// Until the worker has taken the one order that waits.
const TAKEN: Duration = Duration::from_millis(500);

/// Tried: without the claim that decides between the worker and the buyer, orders that were answered with
/// 503 were booked.
#[test]
fn what_was_shed_is_not_booked_behind_the_buyers_back_and_its_key_still_books_once() {
    let database = TestDatabase::create();
    let server = Server::start(&database, &SETTINGS);
    let tiers = tier_ids(&database);
    let blockade = Transaction::blocking_writes(&database);
    let first = order(tiers[0], 1);
    let mut first_visitor = Visitor::new(server.address);
    first_visitor.send_order(&first).expect("sent");
    thread::sleep(TAKEN);

    let others: Vec<Purchase> = (0..40).map(|n| order(tiers[n % 3], 1)).collect();
    let answers = all_at_once(&server, &others);
    for (answer, _) in &answers {
        assert_eq!(answer.status, 503, "{}", answer.body);
        assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0));
        assert!(answer.body.contains("be booked twice"), "{}", answer.body);
    }
    let at_once = answers.iter().filter(|(_, after)| *after < DEADLINE).count();
    let too_many = others.len() - QUEUE_LENGTH;
    // On PostgreSQL the desk gives a lock up after a second, and tells those who wait for the same ticket type.
    let is_right = if database.is_postgres() { at_once >= too_many } else { at_once == too_many };
    assert!(is_right, "the queue was full for all but those that it holds: {at_once} were answered at once");

    blockade.end("ROLLBACK");
    let first_is_booked = !database.is_postgres();
    let expected = if first_is_booked { 303 } else { 503 };
    assert_eq!(first_visitor.receive().expect("an answer").status, expected);
    // Long enough for a worker that still held one of them.
    thread::sleep(Duration::from_millis(700));
    assert_eq!(bookings(&database), i64::from(first_is_booked), "an order that was shed was booked");

    for purchase in others.iter().chain([&first]) {
        let mut visitor = Visitor::new(server.address);
        eventually("it is booked", || visitor.book(purchase).expect("an answer").status == 303);
    }
    assert_eq!(bookings(&database), 1 + others.len() as i64);
    assert_verified(&database);
}

/// Also the order that is already in the database's hands: its buyer must not wait for ever, and what is
/// told then must be true. Tried: without a `lock_timeout` on PostgreSQL it waited as long as the lock was held.
#[test]
fn an_order_that_is_stuck_in_the_database_is_given_up_too() {
    let database = TestDatabase::create();
    let server = Server::start(&database, &SETTINGS);
    let blockade = Transaction::blocking_writes(&database);
    let purchase = order(tier_ids(&database)[0], 1);
    let mut visitor = Visitor::new(server.address);
    let (answer, stuck_for) = thread::scope(|scope| {
        let begun = Instant::now();
        let asked = scope.spawn(move || (visitor.book(&purchase).expect("an answer"), begun.elapsed()));
        // As long as SQLite itself waits for a lock, and something on top.
        thread::sleep(Duration::from_secs(8));
        blockade.end("ROLLBACK");
        asked.join().expect("a visitor")
    });
    assert_eq!(answer.status, 503, "after {stuck_for:?}");
    assert!(stuck_for < Duration::from_secs(8), "{stuck_for:?}");
    thread::sleep(Duration::from_millis(700));
    assert_eq!(bookings(&database), 0, "an order that was shed was booked");
}

/// Tried: with a worker that minds when nobody takes its answer, the next buyer was not served.
#[test]
fn buyers_who_leave_while_they_wait_neither_leak_nor_block() {
    let database = TestDatabase::create();
    let server = Server::start(&database, &SETTINGS);
    let tier = tier_ids(&database)[2];
    let mut left: Vec<Purchase> = Vec::new();
    // Together several times what the queue holds.
    for _ in 0..4 {
        let blockade = Transaction::blocking_writes(&database);
        for n in 0..QUEUE_LENGTH - 1 {
            let (purchase, mut visitor) = (order(tier, 1), Visitor::new(server.address));
            visitor.send_order(&purchase).expect("sent");
            left.push(purchase);
            // Most have been read by the server, and wait, when their visitors leave.
            thread::sleep(Duration::from_millis(20));
            visitor.leave(n % 2 == 0);
        }
        thread::sleep(TAKEN);
        blockade.end("ROLLBACK");
        let answer = Visitor::new(server.address).book(&order(tier, 2)).expect("an answer");
        assert_eq!(answer.status, 303, "who stays is served");
    }
    // Whether or not an order was booked before its buyer was missed, its key books once.
    for purchase in &left {
        assert_eq!(Visitor::new(server.address).book(purchase).expect("an answer").status, 303);
    }
    assert_eq!(bookings(&database), 4 + left.len() as i64);
    assert_verified(&database);
}

/// Each from a browser of its own, with the time that the answer took.
fn all_at_once(server: &Server, purchases: &[Purchase]) -> Vec<(Answer, Duration)> {
    let begun = Instant::now();
    thread::scope(|scope| {
        let buyers: Vec<_> = purchases
            .iter()
            .map(|purchase| {
                let mut visitor = Visitor::new(server.address);
                scope.spawn(move || (visitor.book(purchase).expect("an answer"), begun.elapsed()))
            })
            .collect();
        buyers.into_iter().map(|buyer| buyer.join().expect("a buyer")).collect()
    })
}

fn bookings(database: &TestDatabase) -> i64 {
    database.tiers().iter().map(|tier| tier.bookings).sum()
}
