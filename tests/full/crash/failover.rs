//! PostgreSQL goes away under load, as in a crash, and comes back.

use std::thread;
use std::time::Duration;

use rand::RngExt as _;

use testkit::cluster::Cluster;
use testkit::rush::Rush;
use testkit::server::Server;
use testkit::visitor::Visitor;

const STOPS: u32 = 4;
const BUYERS: u64 = 32;
const RESUMES_WITHIN: Duration = Duration::from_secs(2);

/// Buyers see 303, 409, and while the database is away 503 with Retry-After. No other status is allowed:
/// a 500 would tell a buyer that something broke, when all that is needed is to try again.
///
/// Tried: with `synchronous_commit = off`, so that orders are answered before they are on the disk,
/// bookings that buyers had seen were gone. With batches that are not tried again when their connection is
/// lost, buyers got 500s; and reads that met a lost connection gave 500s until that became a 503.
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
            // Once longer than an order may wait, so that orders that were taken are given up as well.
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

/// Who looks at a booking meanwhile sees it, or is told to come back.
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

/// When the first booking was confirmed after so many others.
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
