//! Tickets that are held for a while, and tickets that are given back.

mod races;
mod returns;

use std::time::{Duration, Instant};

use diesel::QueryableByName;
use diesel::sql_types::Text;
use serde_json::Value;
use techkraft::booking::release::ReleaseOutcome;
use techkraft::booking::{Booking, BookingOutcome, BookingStatus};
use techkraft::events::store::HELD;

use crate::mail::contents::{mails, parse};
use crate::support::TestApp;
use crate::support::orders::{BoxOffice, held};
use testkit::database::TestDatabase;
use testkit::outbox::OUTBOX;
use testkit::server::assert_verified;
use testkit::wait::eventually;

/// The current status of a booking.
fn status(database: &TestDatabase, booking: &Booking) -> String {
    #[derive(QueryableByName)]
    struct Status {
        #[diesel(sql_type = Text)]
        status: String,
    }
    let query = format!("SELECT status FROM bookings WHERE id = {}", booking.id);
    database.rows::<Status>(&query).pop().expect("a booking").status
}

/// Held, sold and available.
fn vip(database: &TestDatabase) -> (i64, i64, i64) {
    let vip = database.tier("VIP");
    (vip.held, vip.sold, vip.available)
}

/// A server, and a desk beside it that holds tickets.
fn open() -> (TestApp, BoxOffice) {
    let app = TestApp::spawn();
    let office = BoxOffice::open(&app.database);
    (app, office)
}

fn lines(database: &TestDatabase) -> [(i64, i32); 2] {
    [(database.ticket_type_id("VIP"), 3), (database.ticket_type_id("Front Row"), 1)]
}

fn shown(app: &TestApp, booking: &Booking) -> Value {
    app.get(&format!("/api/v1/bookings/{}", booking.token)).json().expect("JSON")
}

#[test]
fn a_hold_takes_places_and_a_confirmation_keeps_them() {
    let (app, office) = open();
    let booking = office.hold("one", &lines(&app.database));
    assert_eq!((booking.status, booking.quantity()), (BookingStatus::Held, 4));
    assert_eq!((vip(&app.database), app.database.tier("Front Row").held), ((3, 0, 97), 1));
    app.wait_until_shown("3 held, may come back until");
    let said = shown(&app, &booking);
    assert_eq!((&said["status"], &said["tickets"]), (&"held".into(), &Value::Array(Vec::new())));
    assert_eq!(app.count(OUTBOX), 0, "nothing is confirmed yet");
    assert_eq!(app.book("VIP", 8).status(), 409, "what is held counts as the person's");
    assert_verified(&app.database);

    assert!(office.confirm(&booking));
    assert_eq!((vip(&app.database), status(&app.database, &booking)), ((0, 3, 97), "confirmed".into()));
    assert_eq!(app.count("holds"), 0);
    let files = mails(&app, 1);
    assert!(parse(&files[0]).body_text(0).expect("text").contains(&booking.reference));
    let said = shown(&app, &booking);
    assert_eq!((&said["status"], said["tickets"].as_array().map(Vec::len)), (&"confirmed".into(), Some(4)));
    eventually("nothing is held", || !app.get("/").text().expect("a page").contains("may come back"));
    assert!(!office.confirm(&booking), "it is no hold any more");
    assert_eq!(office.expire(), 0);
    assert_eq!(app.count(OUTBOX), 1);
    app.database.assert_books_balance();
    assert_verified(&app.database);
}

/// Runs five rounds, because the machine may be busy with something else in one of them.
#[test]
fn places_come_back_within_a_second_and_a_half_of_the_end_of_a_hold() {
    let (app, office) = open();
    let other = app.another_server();
    let mut took = Vec::new();
    for round in 0..5 {
        let booking = office.hold(&format!("round {round}"), &lines(&app.database));
        assert_eq!(vip(&app.database), (3, 0, 97));
        app.wait_until_shown("<strong>97</strong> of 100 left");
        office.ends_in(&booking, 0);
        let ended = Instant::now();
        eventually("the page shows them", || {
            app.get("/").text().expect("a page").contains("<strong>100</strong> of 100 left")
        });
        took.push(ended.elapsed());
        assert_eq!((vip(&app.database), app.database.tier("Front Row").available), ((0, 0, 100), 200));
        assert_eq!(status(&app.database, &booking), "expired");
        assert_eq!(shown(&app, &booking)["status"], "expired");
        assert!(!office.confirm(&booking), "too late");
    }
    took.sort();
    assert!(took[2] < Duration::from_millis(1500), "{took:?}");
    assert_eq!((app.count(OUTBOX), app.count("holds")), (0, 0));
    eventually("the other server shows them", || {
        let page = app.client.get(format!("http://{}/", other.address)).send().expect("an answer");
        page.text().expect("a page").contains("<strong>100</strong> of 100 left")
    });
    app.database.assert_books_balance();
    assert_verified(&app.database);
}

#[test]
fn many_holds_end_at_once() {
    let (app, office) = open();
    let id = app.database.ticket_type_id("General Admission");
    for number in 0..250 {
        office.hold(&format!("hold {number}"), &[(id, 2)]);
    }
    assert_eq!(app.database.tier("General Admission").held, 500);
    app.database.execute("UPDATE holds SET held_until = '2026-01-01 00:00:00'");
    eventually("all are back", || app.database.tier("General Admission").available == 1000);
    assert_eq!((app.count("holds"), app.count("bookings WHERE status = 'expired'")), (0, 250));
    app.database.assert_books_balance();
}

#[test]
fn what_was_sold_out_by_holds_is_sold_when_they_end() {
    let (app, office) = open();
    app.set_available("VIP", 3);
    let checkout = app.open_checkout("VIP", 2);
    let booking = office.hold("the last", &[(app.database.ticket_type_id("VIP"), 3)]);
    assert_eq!(app.confirm(&checkout, 2).status(), 409);
    office.ends_in(&booking, 0);
    eventually("it books", || app.confirm(&checkout, 2).status() == 303);
    app.database.assert_books_balance();
}

#[test]
fn a_hold_that_is_released_comes_back_once_and_sends_no_mail() {
    let (app, office) = open();
    let booking = office.hold("one", &lines(&app.database));
    let ReleaseOutcome::Released { stock, .. } = office.release(&booking) else { panic!("it is released") };
    assert_eq!(stock.iter().map(|it| it.available).collect::<Vec<_>>(), [100, 200]);
    assert_eq!((vip(&app.database), status(&app.database, &booking)), ((0, 0, 100), "expired".into()));
    assert_eq!(office.release(&booking), ReleaseOutcome::Ended);
    assert!(!office.confirm(&booking));
    assert_eq!((app.count("holds"), app.count(OUTBOX)), (0, 0));
    assert_verified(&app.database);
}

/// A program that got no answer asks for its hold again.
#[test]
fn the_same_hold_is_held_once() {
    let (app, office) = open();
    let booking = office.hold("one", &lines(&app.database));
    for _ in 0..2 {
        let again = office.order(held("one", &lines(&app.database)));
        assert!(matches!(&again, BookingOutcome::Replayed(it) if it.id == booking.id), "{again:?}");
    }
    assert!(office.confirm(&booking));
    let again = office.order(held("one", &lines(&app.database)));
    assert!(matches!(&again, BookingOutcome::Replayed(it) if it.is_confirmed()), "{again:?}");
    assert_eq!(vip(&app.database), (0, 3, 97));
}

#[test]
fn the_page_of_a_hold_promises_nothing() {
    let (app, office) = open();
    let booking = office.hold("one", &lines(&app.database));
    let path = format!("/bookings/{}", booking.token);
    let promises = || app.get(&path).text().expect("a page").contains("You’re going!");
    assert!(!promises(), "it is held");
    office.ends_in(&booking, 0);
    eventually("it ends", || status(&app.database, &booking) == "expired");
    assert!(!promises(), "it is over");
}

#[derive(QueryableByName)]
struct PlanStep {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// Each server asks once a second what is held. With an INNER JOIN, SQLite read the lines of all bookings for this.
#[test]
fn what_is_held_is_found_without_reading_all_bookings() {
    let app = TestApp::spawn();
    if app.database.is_postgres() {
        return;
    }
    let plan = app.database.rows::<PlanStep>(&format!("EXPLAIN QUERY PLAN {HELD}"));
    let steps: Vec<&str> = plan.iter().map(|step| step.detail.as_str()).collect();
    assert!(steps[0].starts_with("SCAN h"), "{steps:?}");
    assert!(steps[1].starts_with("SEARCH l USING") && steps[1].contains("(booking_id=?)"), "{steps:?}");
}
