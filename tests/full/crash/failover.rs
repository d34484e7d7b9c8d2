//! PostgreSQL crashes under load, and comes back.

use std::thread;
use std::time::Duration;

use rand::RngExt as _;

use testkit::cluster::Cluster;
use testkit::rush::Rush;
use testkit::server::Server;
use testkit::visitor::Visitor;

const STOPS: u32 = 4;
const BUYERS: u64 = 32;
/// Most of it is for a busy machine.
const RESUMES_WITHIN: Duration = Duration::from_secs(15);

/// Buyers see 303, 409, and, while the database is away, 503 with Retry-After. No other status is allowed: a 500
/// would tell buyers that something is broken, although they only need to try again.
///
/// Seen to fail with `synchronous_commit = off`, where orders are answered before they are on disk: confirmed
/// bookings were gone. Seen to fail when batches are not retried after their connection is lost: buyers got 500. Seen
/// to fail when a read on a lost connection is not answered with 503: it was a 500.
#[test]
fn postgresql_stopped_under_load_costs_no_booking_and_service_resumes_by_itself() {
    let cluster = Cluster::start();
    let database = cluster.database();
    let server = Server::start(&database, &[]);
    let rush = Rush::on(&database, [300, 5_000, 1_000_000]);
    let mut random = rush.random(u64::MAX);
    thread::scope(|scope| {
        let _end = rush.until_dropped();
        rush.send_buyers(scope, BUYERS, server.address);
        scope.spawn(|| read_bookings(&rush, &mut Visitor::new(server.address)));
        for _ in 0..STOPS {
            thread::sleep(Duration::from_millis(random.random_range(300..900)));
            cluster.stop_immediately();
            let bookings_before = rush.ledger.lock().expect("a lock").confirmed.len();
            // Sometimes longer than an order may wait, so that the server also gives up orders that it has accepted.
            thread::sleep(Duration::from_millis(random.random_range(100..6_500)));
            let back_at = cluster.start_again();
            let resumed = first_confirmation_after(&rush, bookings_before);
            let after = resumed.saturating_duration_since(back_at);
            println!("resumed {after:?} after PostgreSQL was back");
            if after > RESUMES_WITHIN {
                rush.note_wrong(format!("bookings resumed only {after:?} after PostgreSQL was back"));
            }
        }
        thread::sleep(Duration::from_millis(300));
    });
    rush.assert_true(&database, &Visitor::new(server.address));
}

/// Somebody who opens a booking meanwhile sees it, or gets a 503.
fn read_bookings(rush: &Rush, visitor: &mut Visitor) {
    while !rush.is_over() {
        let last = rush.ledger.lock().expect("a lock").confirmed.last().cloned();
        let Some(confirmed) = last else { continue };
        let answer = visitor.get(&confirmed.location).expect("an answer");
        if ![200, 503].contains(&answer.status) {
            rush.note_wrong(format!("{} for a booking's page", answer.status));
        }
    }
}

/// Waits for the first booking that is confirmed after the first `count`; returns its time.
fn first_confirmation_after(rush: &Rush, count: usize) -> std::time::Instant {
    for _ in 0..10_000 {
        let at = rush.ledger.lock().expect("a lock").confirmed.get(count).map(|confirmed| confirmed.at);
        if let Some(at) = at {
            return at;
        }
        thread::sleep(Duration::from_millis(2));
    }
    panic!("no booking in 20 s after PostgreSQL was back");
}
