//! Attempts to pay, step by step and without a worker: what a server that has slept may write, how much time a buyer
//! far back in the queue has, how often a refused page is tried, and what stays known of a payment.

use chrono::{NaiveDateTime, TimeDelta};
use techkraft::booking::Booking;
use techkraft::db::{Db, clock};
use techkraft::error::Error;
use techkraft::payment::store::failing::{NextAttempt, failed, to_review};
use techkraft::payment::store::queue::{self, DuePayment, OpenedPage};
use techkraft::payment::store::{WantOutcome, find, hold_times, place_in_queue, want};
use techkraft::payment::{ATTEMPTS_MAX, GRACE, PAY_TIME, Payment, PaymentState};

use crate::support::orders::BoxOffice;
use testkit::database::TestDatabase;

fn hold(database: &TestDatabase, office: &BoxOffice, key: &str) -> Booking {
    let booking = office.hold(key, &[(database.ticket_type_id("VIP"), 2)]);
    // Make it as long as a hold that is paid for online.
    office.ends_in(&booking, 15 * 60_000);
    booking
}

fn wanted(office: &BoxOffice, booking: &Booking, per_second: u32) -> Payment {
    match office.db.write_blocking(|db| want(db, booking.id, false, per_second)) {
        Ok(WantOutcome::Wanted(payment)) => payment,
        other => panic!("{other:?}"),
    }
}

/// Takes the payments that wait for their page. `at`: the time that the server believes it is.
fn take(office: &BoxOffice, at: impl Fn(NaiveDateTime) -> NaiveDateTime) -> Vec<DuePayment> {
    let taken = office.db.write_blocking(|db| {
        let now = at(clock(db)?);
        queue::take(db, false, 10, false, (now, now + TimeDelta::seconds(90)))
    });
    taken.expect("it takes")
}

fn page(db: &mut Db) -> diesel::QueryResult<OpenedPage> {
    let ends_at = clock(db)? + TimeDelta::minutes(35);
    Ok(OpenedPage {
        session_id: "cs_1".into(),
        url: "https://stripe.test/cs_1".into(),
        intent_id: None,
        ends_at,
    })
}

/// One server takes a payment and freezes. Its lease ends, and another server shows the page. The buyer is paying
/// when their time ends and the first server wakes: now only Stripe can say that nobody has paid.
#[test]
fn a_server_that_has_slept_ends_no_page_that_another_one_has_shown() {
    let (database, office) = BoxOffice::alone();
    let booking = hold(&database, &office, "one");
    let payment = wanted(&office, &booking, 20);
    let asleep = take(&office, |now| now).pop().expect("one is due");
    let awake = take(&office, |now| now + TimeDelta::minutes(2)).pop().expect("its lease is over");
    let is_shown = office.db.write_blocking(|db| {
        let page = page(db)?;
        queue::opened(db, &awake.payment, &page)
    });
    assert!(is_shown.expect("it is shown"));
    database.execute("UPDATE holds SET pay_until = '2020-01-01 00:00:00'");
    let before = office.db.read_primary_blocking(|db| hold_times(db, booking.id)).expect("a hold");
    let woken = office.db.write_blocking(|db| {
        let page = page(db)?;
        queue::opened(db, &asleep.payment, &page)
    });
    assert!(matches!(woken, Err(Error::Database(diesel::result::Error::RollbackTransaction))), "{woken:?}");
    let after = office.db.read_primary_blocking(|db| hold_times(db, booking.id)).expect("a hold");
    assert_eq!(after, before);
    let payment =
        office.db.read_primary_blocking(|db| find(db, payment.id)).expect("a payment").expect("a payment");
    assert_eq!(payment.state, PaymentState::Open);
    // The same applies to a server that has only found that the time is over.
    office.db.write_blocking(|db| queue::too_late(db, &asleep.payment)).expect("it changes nothing");
    let still =
        office.db.read_primary_blocking(|db| find(db, payment.id)).expect("a payment").expect("a payment");
    assert_eq!(still, payment);
}

/// The time to pay begins when the page exists, however many buyers come first.
#[test]
fn a_buyer_far_back_has_the_time_until_their_turn_too() {
    let (database, office) = BoxOffice::alone();
    let bookings: Vec<Booking> = (0..5).map(|n| hold(&database, &office, &n.to_string())).collect();
    for booking in &bookings {
        wanted(&office, booking, 1);
    }
    let before = office.db.read_primary_blocking(clock).expect("a time");
    let last = office
        .db
        .read_primary_blocking(|db| hold_times(db, bookings[4].id))
        .expect("a hold")
        .expect("a hold");
    // One page is made per second. Four pages come first, and all were wanted in the last minute.
    assert!(last.end() >= before - TimeDelta::minutes(1) + PAY_TIME + TimeDelta::seconds(4), "{last:?}");
    assert!(last.held_until >= last.end() + GRACE);
    let first = office
        .db
        .read_primary_blocking(|db| hold_times(db, bookings[0].id))
        .expect("a hold")
        .expect("a hold");
    assert!(last.end() - first.end() >= TimeDelta::seconds(4), "{first:?} {last:?}");
}

/// Our clock is wrong, and Stripe refuses the expiry time of each page that we ask for.
#[test]
fn a_page_that_is_refused_again_and_again_is_tried_ever_later_and_not_for_ever() {
    let (database, office) = BoxOffice::alone();
    let booking = hold(&database, &office, "one");
    wanted(&office, &booking, 20);
    let mut due = Vec::new();
    while let Some(taken) = take(&office, |now| now + TimeDelta::minutes(10)).pop() {
        office
            .db
            .write_blocking(|db| failed(db, &taken.payment, "This is wrong", NextAttempt::Again))
            .expect("it fails");
        let next: Option<Payment> = office
            .db
            .read_primary_blocking(|db| techkraft::payment::store::alive(db, booking.id))
            .expect("an answer");
        due.extend(next.map(|next| next.due_at - next.wanted_at));
    }
    assert_eq!(i64::try_from(database.count("payments")).expect("a count"), ATTEMPTS_MAX);
    assert_eq!(database.count("payments WHERE state = 'failed'"), 10);
    assert!(due.windows(2).all(|pair| pair[1] > pair[0]), "{due:?}");
    assert_eq!(database.count("holds"), 1, "the buyer keeps the tickets until their time is over");
}

/// Test payments are left from before the site got its live key. A server with that key makes no page for them.
#[test]
fn nobody_waits_for_payments_of_the_other_mode() {
    let (database, office) = BoxOffice::alone();
    for number in 0..4 {
        let booking = hold(&database, &office, &format!("test {number}"));
        wanted(&office, &booking, 1);
    }
    let booking = hold(&database, &office, "real");
    let real = match office.db.write_blocking(|db| want(db, booking.id, true, 1)) {
        Ok(WantOutcome::Wanted(payment)) => payment,
        other => panic!("{other:?}"),
    };
    let (place, times, now) = office
        .db
        .read_primary_blocking(|db| Ok((place_in_queue(db, &real)?, hold_times(db, booking.id)?, clock(db)?)))
        .expect("an answer");
    assert_eq!(place, 0);
    let end = times.expect("a hold").end();
    assert!(end <= now + PAY_TIME, "it has no turn to wait for: {end}");
}

/// The page was made with the payment's id at Stripe, and a later answer leaves it out.
#[test]
fn a_payment_that_people_look_into_keeps_its_id_at_stripe() {
    let (database, office) = BoxOffice::alone();
    let booking = hold(&database, &office, "one");
    let id = wanted(&office, &booking, 20).id;
    let due = take(&office, |now| now).pop().expect("one is due");
    let is_shown = office.db.write_blocking(|db| {
        let page = OpenedPage { intent_id: Some("pi_1".into()), ..page(db)? };
        queue::opened(db, &due.payment, &page)
    });
    assert!(is_shown.expect("it is shown"));
    let payment =
        || office.db.read_primary_blocking(|db| find(db, id)).expect("an answer").expect("a payment");
    let open = payment();
    office.db.write_blocking(|db| to_review(db, &open, None, "This is wrong")).expect("it is written");
    let looked_into = payment();
    assert_eq!((looked_into.state, looked_into.intent_id.as_deref()), (PaymentState::Review, Some("pi_1")));
}
