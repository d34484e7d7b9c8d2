//! A hold that ends while somebody confirms it.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use chrono::{NaiveDateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Nullable, Text, Timestamp};
use techkraft::booking::Booking;
use techkraft::booking::release::ReleaseOutcome;

use super::status;
use crate::support::orders::{BoxOffice, held};
use testkit::database::TestDatabase;
use testkit::long::rounds;
use testkit::server::assert_verified;
use testkit::wait::eventually;

const ROUNDS: u32 = 1_000;
/// Holds that are made together, and end one after the other.
const GROUP: usize = 50;
const STEP: TimeDelta = TimeDelta::microseconds(500);
/// Between the ends of two holds: the shortest and the longest time. A slow disk needs more.
const PACE: [Duration; 2] = [Duration::from_millis(4), Duration::from_millis(60)];

#[derive(Debug, QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Timestamp>)]
    confirmed_at: Option<NaiveDateTime>,
}

fn row(database: &TestDatabase, booking: &Booking) -> Row {
    let query = format!("SELECT status, confirmed_at FROM bookings WHERE id = {}", booking.id);
    database.rows(&query).pop().expect("a booking")
}

#[test]
fn a_hold_is_not_confirmed_after_its_time() {
    let (database, office) = BoxOffice::alone();
    let booking = office.hold("one", &[(database.ticket_type_id("VIP"), 2)]);
    assert_eq!(office.expire(), 0, "its time is not over");
    office.ends_in(&booking, 0);
    assert!(!office.confirm(&booking), "nobody has ended it yet, but its time is over");
    assert_eq!(status(&database, &booking), "held");
    // On PostgreSQL only one server at a time ends holds, across all tests that share the cluster.
    eventually("it ends", || office.expire() == 1);
    assert_eq!((status(&database, &booking), office.expire()), ("expired".into(), 0));
    assert_eq!(database.tier("VIP").available, 100);
}

/// A buyer confirms each hold at about its end, while another server ends the holds whose time is over.
///
/// Seen to fail without `held_until >` in `confirm_hold`: a hold was confirmed 8 ms after its end on SQLite and 17 ms
/// after it on PostgreSQL, and in the test above a hold was confirmed although its time was over.
#[test]
fn a_hold_is_confirmed_or_expires_and_never_both() {
    let (database, office) = BoxOffice::alone();
    let other = BoxOffice::open(&database);
    let id = database.ticket_type_id("General Admission");
    let (mut confirmed, mut expired) = (0, 0);
    let mut buyer = Buyer { early: TimeDelta::zero(), busy: Duration::ZERO };
    for group in 0..rounds(ROUNDS) as usize / GROUP {
        let bookings = office.hold_all((0..GROUP).map(|hold| held(&format!("{group} {hold}"), &[(id, 1)])));
        let pace = (buyer.busy * 3 / GROUP as u32).clamp(PACE[0], PACE[1]);
        buyer.busy = Duration::ZERO;
        let ends = office.end_one_by_one(&bookings, pace);
        let barrier = Barrier::new(2);
        let are_confirmed: Vec<bool> = thread::scope(|scope| {
            let confirming = scope.spawn(|| {
                barrier.wait();
                let pairs = bookings.iter().zip(&ends);
                pairs.map(|(booking, end)| buyer.confirms(&office, booking, *end)).collect()
            });
            barrier.wait();
            while database.count("holds") > 0 {
                other.expire();
            }
            confirming.join().expect("a buyer")
        });
        for ((booking, end), is_confirmed) in bookings.iter().zip(&ends).zip(are_confirmed) {
            let row = row(&database, booking);
            match (is_confirmed, row.status.as_str()) {
                (true, "confirmed") => {
                    assert!(row.confirmed_at.expect("a time") < *end, "after its time: {row:?}, {end}");
                    confirmed += 1;
                }
                (false, "expired") => {
                    assert_eq!(row.confirmed_at, None);
                    expired += 1;
                }
                other => panic!("group {group}: {other:?}"),
            }
        }
        let tier = database.tier("General Admission");
        assert_eq!((tier.held, tier.sold, tier.available), (0, confirmed, 1000 - confirmed), "group {group}");
    }
    println!("{confirmed} confirmed, {expired} expired, pace {:?}", buyer.busy);
    assert!(confirmed > 0 && expired > 0, "{confirmed} confirmed, {expired} expired");
    assert_eq!(database.count("batched_confirmations"), u64::try_from(confirmed).expect("a count"));
    assert_verified(&database);
}

/// Confirms each hold a little later than the last one if that one was in time, and a little earlier if it was not.
/// So all holds are confirmed at about their end, however fast this machine is.
struct Buyer {
    early: TimeDelta,
    busy: Duration,
}

impl Buyer {
    fn confirms(&mut self, office: &BoxOffice, booking: &Booking, end: NaiveDateTime) -> bool {
        thread::sleep((end - self.early - Utc::now().naive_utc()).to_std().unwrap_or_default());
        let begun = Instant::now();
        let is_confirmed = office.confirm(booking);
        self.busy += begun.elapsed();
        self.early += if is_confirmed { -STEP } else { STEP };
        is_confirmed
    }
}

#[test]
fn two_servers_that_end_the_same_holds_give_them_back_once() {
    let (database, office) = BoxOffice::alone();
    let servers = [BoxOffice::open(&database), BoxOffice::open(&database)];
    let (vip, front_row) = (database.ticket_type_id("VIP"), database.ticket_type_id("General Admission"));
    for round in 0..50 {
        let holds: Vec<Booking> =
            (0..3).map(|n| office.hold(&format!("{round} {n}"), &[(vip, 2), (front_row, 1)])).collect();
        for hold in &holds {
            office.ends_in(hold, 0);
        }
        let barrier = Barrier::new(2);
        thread::scope(|scope| {
            for server in &servers {
                let (barrier, database) = (&barrier, &database);
                scope.spawn(move || {
                    barrier.wait();
                    while database.count("holds") > 0 {
                        server.expire();
                    }
                });
            }
        });
        assert!(holds.iter().all(|hold| status(&database, hold) == "expired"));
        let (vip, general) = (database.tier("VIP"), database.tier("General Admission"));
        assert_eq!((vip.available, general.available), (100, 1000), "round {round}");
    }
    assert_verified(&database);
}

#[test]
fn a_hold_that_is_confirmed_and_released_at_once_gives_its_places_back_once() {
    let (database, office) = BoxOffice::alone();
    let other = BoxOffice::open(&database);
    let vip = database.ticket_type_id("VIP");
    for round in 0..100 {
        let booking = office.hold(&format!("round {round}"), &[(vip, 2)]);
        let barrier = Barrier::new(2);
        let (is_confirmed, released) = thread::scope(|scope| {
            let buyer = scope.spawn(|| {
                barrier.wait();
                office.confirm(&booking)
            });
            barrier.wait();
            let released = other.release(&booking);
            (buyer.join().expect("a buyer"), released)
        });
        assert!(matches!(released, ReleaseOutcome::Released { .. }), "round {round}: {released:?}");
        let ended = if is_confirmed { "canceled" } else { "expired" };
        assert_eq!(status(&database, &booking), ended, "round {round}");
        assert_eq!(database.tier("VIP").available, 100, "round {round}");
    }
    assert_verified(&database);
}
