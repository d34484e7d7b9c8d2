//! Servers that settle the same payment while another one ends its hold and somebody else takes what comes back: a
//! barrier lets them begin in the same moment.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use chrono::TimeDelta;
use diesel::RunQueryDsl as _;
use diesel::result::Error as DieselError;
use techkraft::booking::Booking;
use techkraft::db::clock;
use techkraft::error::Error;
use techkraft::money::Money;
use techkraft::payment::store::queue::{self, OpenedPage};
use techkraft::payment::store::settling::{PaidPage, Settlement, settle};
use techkraft::payment::store::{WantOutcome, want};

use crate::support::orders::BoxOffice;
use testkit::server::assert_verified;

const ROUNDS: i64 = 40;
/// The pause between two tries. It lets servers meet each other's transactions instead of only waiting for each
/// other's locks.
const MOMENT: Duration = Duration::from_micros(200);

/// Opens a payment page for held tickets, on which a buyer pays at the last moment. Returns the payment's id.
fn paid_in_the_last_moment(office: &BoxOffice, booking: &Booking) -> i64 {
    office.ends_in(booking, 15 * 60_000);
    let wanted = office.db.write_blocking(|db| want(db, booking.id, false, 20)).expect("it is asked");
    let WantOutcome::Wanted(_) = wanted else { panic!("{wanted:?}") };
    let opened = office.db.write_blocking(|db| {
        let now = clock(db)?;
        let due = queue::take(db, false, 1, false, (now, now + TimeDelta::seconds(90)))?.remove(0);
        let page = OpenedPage {
            session_id: format!("cs_{}", due.payment.id),
            url: "https://stripe.test/".into(),
            intent_id: None,
            ends_at: now + TimeDelta::minutes(35),
        };
        assert!(queue::opened(db, &due.payment, &page)?);
        Ok(due.payment.id)
    });
    opened.expect("it is opened")
}

/// Settles a payment as the worker does: it tries again a moment later if the hold is over but its end is not
/// recorded.
fn settle_in_the_end(office: &BoxOffice, payment: i64) -> Settlement {
    loop {
        let settled = office.db.write_blocking(|db| {
            let paid = PaidPage {
                session_id: format!("cs_{payment}"),
                session_ends_at: clock(db)?,
                intent_id: format!("pi_{payment}"),
                method: None,
                fee: Some(Money::new(59, "USD")),
            };
            settle(db, payment, &paid)
        });
        match settled {
            Ok(Settlement::Again) | Err(Error::Busy | Error::Database(DieselError::RollbackTransaction)) => {
                thread::sleep(MOMENT);
            }
            Ok(settlement) => return settlement,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Nobody else wants the tickets.
#[test]
fn two_servers_settle_what_a_third_one_ends_and_it_is_settled_once() {
    let (database, first) = BoxOffice::alone();
    let (second, third) = (BoxOffice::open(&database), BoxOffice::open(&database));
    let id = database.ticket_type_id("General Admission");
    for n in 0..ROUNDS {
        let booking = first.hold(&format!("round {n}"), &[(id, 1)]);
        let payment = paid_in_the_last_moment(&first, &booking);
        first.ends_in(&booking, n % 8);
        let barrier = Barrier::new(3);
        let settlements = thread::scope(|scope| {
            let settling = [&first, &second].map(|office| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    settle_in_the_end(office, payment)
                })
            });
            barrier.wait();
            while settling.iter().any(|it| !it.is_finished()) {
                third.expire();
                thread::sleep(MOMENT);
            }
            settling.map(|it| it.join().expect("it is settled"))
        });
        let confirmed = settlements.iter().filter(|it| matches!(it, Settlement::Confirmed { .. })).count();
        assert_eq!(confirmed, 1, "{settlements:?}");
        assert!(settlements.contains(&Settlement::Done), "{settlements:?}");
    }
    let rounds = u64::try_from(ROUNDS).expect("few");
    assert_eq!(database.count("bookings WHERE status = 'confirmed'"), rounds);
    assert_eq!(database.count("ledger WHERE kind = 'payment'"), rounds);
    assert_eq!((database.count("refunds"), database.count("holds")), (0, 0));
    assert_verified(&database);
}

/// All tickets are held, and the organizer waits to take them off sale: the payer gets the tickets, or the money
/// back.
#[test]
fn what_is_gone_meanwhile_goes_back_and_nothing_is_sold_twice() {
    let (database, _) = BoxOffice::alone();
    let (second, rival) = (BoxOffice::open(&database), BoxOffice::open(&database));
    let id = database.ticket_type_id("VIP");
    database.execute("UPDATE ticket_types SET max_per_person = NULL");
    let (mut confirmed, mut refunded) = (0, 0);
    for n in 0..ROUNDS {
        // One ticket is left for this round.
        database.execute(&format!(
            "UPDATE ticket_types SET capacity = capacity - available + 1, available = 1, version = version + 1
             WHERE id = {id}"
        ));
        // Use a new desk, because the previous one has seen that nothing was left.
        let first = BoxOffice::open(&database);
        let booking = first.hold(&format!("round {n}"), &[(id, 1)]);
        let payment = paid_in_the_last_moment(&first, &booking);
        first.ends_in(&booking, 0);
        let barrier = Barrier::new(3);
        let settlement = thread::scope(|scope| {
            let settling = scope.spawn(|| {
                barrier.wait();
                settle_in_the_end(&first, payment)
            });
            let ending = scope.spawn(|| {
                barrier.wait();
                while database.count("holds") > 0 {
                    second.expire();
                    thread::sleep(MOMENT);
                }
            });
            barrier.wait();
            let take = || {
                let query = "UPDATE ticket_types SET capacity = capacity - 1, available = available - 1,
                             version = version + 1 WHERE name = 'VIP' AND available > 0";
                rival.db.write_blocking(|db| diesel::sql_query(query).execute(db))
            };
            while !settling.is_finished() && !matches!(take(), Ok(1)) {}
            ending.join().expect("it ends");
            settling.join().expect("it is settled")
        });
        match settlement {
            Settlement::Confirmed { .. } => confirmed += 1,
            Settlement::Refunding { .. } => refunded += 1,
            other => panic!("{other:?}"),
        }
    }
    println!("{confirmed} confirmed, {refunded} go back");
    assert_eq!(database.count("ledger WHERE kind = 'payment'"), u64::try_from(ROUNDS).expect("few"));
    assert_eq!(database.count("refunds WHERE source = 'system'"), refunded);
    assert_verified(&database);
}
