//! Canceling, by anybody who has the booking's link.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use techkraft::audit::Actor;
use techkraft::db::Database;
use techkraft::db::DatabaseUrl;
use techkraft::tickets::code::Code;
use techkraft::tickets::scan::{Place, Scan, ScanOutcome};
use techkraft::tickets::store;

use crate::support::acts::Checkout;
use crate::support::audit::audited;
use crate::support::{TestApp, between, browser, header};

#[derive(Debug, PartialEq, Eq, QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    reference: String,
    #[diesel(sql_type = Text)]
    status: String,
}

fn booking(app: &TestApp, location: &str) -> Row {
    let token = location.trim_start_matches("/bookings/");
    let query = format!("SELECT id, reference, status FROM bookings WHERE token = '{token}'");
    app.database.rows(&query).pop().expect("a booking")
}

fn is_shown(app: &TestApp, tier: &str, left: &str) -> bool {
    app.get("/")
        .text()
        .expect("a page")
        .split("<article")
        .any(|card| card.contains(tier) && card.contains(left))
}

#[test]
fn a_canceled_booking_gives_its_tickets_back_once_however_often_it_is_sent() {
    let app = TestApp::spawn();
    let location = app.book_well("VIP", 3);
    let page = app.get(&location).text().expect("a page");
    assert!(page.contains("You can cancel until Friday, June 18, 2027, 8:00\u{a0}PM\u{a0}CDT."), "{page}");
    let cancellation =
        between(&page, "href=\"", "/cancellation\"").rsplit('"').next().expect("a link").to_owned();
    let cancellation = format!("{cancellation}/cancellation");
    assert_eq!(cancellation, format!("{location}/cancellation"));

    let asked = app.get(&cancellation);
    assert_eq!((asked.status().as_u16(), header(&asked, "cache-control")), (200, "private, no-store"));
    assert_eq!(header(&asked, "x-robots-tag"), "noindex, nofollow");
    let asked = asked.text().expect("a page");
    for text in ["Cancel this booking?", "3 × VIP", "You paid nothing online", "method=\"post\""] {
        assert!(asked.contains(text), "{text}\n{asked}");
    }
    assert_eq!(app.database.tier("VIP").sold, 3, "asking changes nothing");

    for _ in 0..3 {
        let response = app.post(&cancellation, &[]);
        assert_eq!((response.status().as_u16(), header(&response, "location")), (303, location.as_str()));
        assert!(is_shown(&app, ">VIP<", "<strong>100</strong> of 100 left"), "back on sale at once");
    }
    let vip = app.database.tier("VIP");
    assert_eq!((vip.available, vip.sold), (100, 0));
    let page = app.get(&location).text().expect("a page");
    assert!(page.contains("Booking canceled"), "{page}");
    for text in ["You’re going!", "calendar.ics", "Cancel this booking"] {
        assert!(!page.contains(text), "{text}\n{page}");
    }
    assert_eq!(header(&app.get(&cancellation), "location"), location, "there is nothing left to ask");
}

#[test]
fn tickets_that_come_back_are_sold_again_at_once() {
    let app = TestApp::spawn();
    let location = app.book_well("VIP", 2);
    let checkout = app.open_checkout("VIP", 2);
    app.set_available("VIP", 0);
    assert_eq!(app.confirm(&checkout, 2).status(), 409);
    assert_eq!(app.post(&format!("{location}/cancellation"), &[]).status(), 303);
    // This is the same order that the desk has just refused, and could refuse again from memory.
    let page = app.get(&location).text().expect("a page");
    assert!(
        page.contains("Booking canceled") && !page.contains("Canceled: 2 × VIP"),
        "it is its own news: {page}"
    );
    assert_eq!(app.confirm(&checkout, 2).status(), 303);
    app.database.assert_books_balance();
}

#[test]
fn the_same_form_shows_the_canceled_booking_and_books_nothing() {
    let app = TestApp::spawn();
    let checkout = app.open_checkout("Front Row", 2);
    let location = header(&app.confirm(&checkout, 2), "location").to_owned();
    assert_eq!(app.post(&format!("{location}/cancellation"), &[]).status(), 303);
    let again = app.confirm(&checkout, 2);
    assert_eq!((again.status().as_u16(), header(&again, "location")), (303, location.as_str()));
    let page = app.get(&location).text().expect("a page");
    assert!(page.contains("Nothing new was booked") && page.contains("Booking canceled"), "{page}");

    let form = [
        ("ticket_type", checkout.ticket_type.as_str()),
        ("quantity", "2"),
        ("name", "Ada Lovelace"),
        ("email", "ada@example.org"),
        ("request_key", &checkout.request_key),
    ];
    let post = app.client.post(app.url("/bookings")).header("HX-Request", "true").form(&form);
    let fragment = post.send().expect("an answer");
    assert_eq!(fragment.status(), 200);
    let fragment = fragment.text().expect("a fragment");
    assert!(fragment.contains("Booking canceled") && !fragment.contains("<html"), "{fragment}");
    assert_eq!((app.database.tier("Front Row").sold, app.database.tier("Front Row").available), (0, 200));
}

#[test]
fn after_the_deadline_only_the_organizer_may_cancel() {
    let app = TestApp::spawn();
    let location = app.book_well("VIP", 1);
    let cancellation = format!("{location}/cancellation");
    let refuses = |says: &str| {
        for response in [app.get(&cancellation), app.post(&cancellation, &[])] {
            assert_eq!(response.status(), 409);
            let page = response.text().expect("a page");
            assert!(page.contains(says) && page.contains("Your tickets are still valid"), "{page}");
            assert!(!page.contains("<form action=\"/bookings"), "nothing to send: {page}");
        }
        assert_eq!(booking(&app, &location).status, "confirmed");
    };
    app.database.execute("UPDATE events SET cancellation_deadline_minutes = 99999999");
    refuses("Online cancellation closed on");
    app.database.execute("UPDATE events SET cancellation_deadline_minutes = NULL");
    refuses("offer online cancellation");
    assert!(!app.get(&location).text().expect("a page").contains("/cancellation"));
    app.database.execute("UPDATE events SET cancellation_deadline_minutes = 0");
    assert_eq!(app.post(&cancellation, &[]).status(), 303);
    assert_eq!(booking(&app, &location).status, "canceled");
}

#[test]
fn a_guessed_link_cancels_nothing() {
    let app = TestApp::spawn();
    for path in ["/bookings/AAAAAAAAAAAAAAAAAAAAAAAA/cancellation", "/bookings/%00/cancellation"] {
        assert_eq!(
            (app.get(path).status().as_u16(), app.post(path, &[]).status().as_u16()),
            (404, 404),
            "{path}"
        );
    }
    let location = app.book_well("VIP", 1);
    let foreign = app.client.post(app.url(&format!("{location}/cancellation")));
    assert_eq!(foreign.header("sec-fetch-site", "cross-site").send().expect("an answer").status(), 403);
    assert_eq!(booking(&app, &location).status, "confirmed");
}

/// Seen to fail without `status = 'confirmed'` in `end`: PostgreSQL had 100 left and 4 sold. When the code also does
/// not check whether the booking is canceled already, the CHECK turned repetitions into 500s on SQLite too.
#[test]
fn forty_simultaneous_cancellations_return_the_tickets_once() {
    let app = TestApp::spawn();
    let other = app.another_server();
    app.book_well("VIP", 4);
    for _ in 0..5 {
        let location = app.book_well("VIP", 1);
        let barrier = Barrier::new(40);
        thread::scope(|scope| {
            for window in 0..40 {
                let (app, other, barrier, location) = (&app, &other, &barrier, &location);
                scope.spawn(move || {
                    let server = if window % 2 == 0 { app.address } else { other.address };
                    let client = browser();
                    barrier.wait();
                    assert_eq!(app.cancel_at(&client, server, location).status(), 303);
                });
            }
        });
        let vip = app.database.tier("VIP");
        assert_eq!((vip.available, vip.sold), (96, 4));
    }
}

const GATE_STEP: Duration = Duration::from_micros(500);

/// A gate and the buyer act at the same moment: one of them is first. Seen to fail when `admitted_count` was read
/// before the booking's row was locked: PostgreSQL admitted somebody with a canceled booking.
#[test]
fn a_booking_is_admitted_or_canceled_and_never_both() {
    let app = TestApp::spawn();
    let db = Database::open(&DatabaseUrl::parse(&app.database.url).expect("a URL"), 2).expect("it opens");
    let event = db.read_primary_blocking(techkraft::events::store::list).expect("concerts").remove(0);
    let place = Place { event, gate: "North".into(), gate_id: None, actor: Actor::command_line() };
    let (mut admitted, mut canceled) = (0, 0);
    // The gate's wait adapts until the gate is about as late as the buyer, however slow this machine is.
    let mut gate_waits = Duration::ZERO;
    for round in 0..60 {
        let location = app.book_well("General Admission", 2);
        let Row { id, reference, .. } = booking(&app, &location);
        let scan = Scan {
            code: Code { reference, seat: 1 + round % 2 },
            place: place.clone(),
            key: None,
            at: chrono::Utc::now().naive_utc(),
            decided_at: chrono::Utc::now().naive_utc(),
            was_unconfirmed: false,
            by_hand: false,
            any_day: true,
        };
        let barrier = Barrier::new(2);
        let (outcome, status) = thread::scope(|scope| {
            let gate = scope.spawn(|| {
                barrier.wait();
                thread::sleep(gate_waits);
                db.write_blocking(|db| store::admit(db, &scan)).expect("an outcome")
            });
            barrier.wait();
            let status = app.cancel_at(&app.client, app.address, &location).status().as_u16();
            (gate.join().expect("a gate"), status)
        });
        let inside = db.read_primary_blocking(|db| store::admitted_count(db, id)).expect("a count");
        match (&outcome, status, booking(&app, &location).status.as_str(), inside) {
            (ScanOutcome::Admitted(_), 409, "confirmed", 1) => {
                admitted += 1;
                gate_waits += GATE_STEP;
            }
            (ScanOutcome::Canceled(_), 303, "canceled", 0) => {
                canceled += 1;
                gate_waits = gate_waits.saturating_sub(GATE_STEP);
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(admitted > 0 && canceled > 0, "{admitted} admitted, {canceled} canceled");
    app.database.assert_books_balance();
}

/// Buyers book and cancel on two servers while the test counts: at every moment, each ticket is either sold or
/// available.
#[test]
fn the_books_balance_at_every_moment_while_buyers_book_and_cancel() {
    let app = TestApp::spawn();
    let other = app.another_server();
    let tiers = ["VIP", "Front Row", "General Admission"];
    let checkouts: Vec<(Checkout, &str)> =
        (0..96).map(|n| (app.open_checkout(tiers[n % 3], 1), tiers[n % 3])).collect();
    let buyers = Barrier::new(16);
    thread::scope(|scope| {
        let windows: Vec<_> = checkouts
            .chunks(6)
            .enumerate()
            .map(|(number, checkouts)| {
                let (app, other, buyers) = (&app, &other, &buyers);
                scope.spawn(move || {
                    let servers = [app.address, other.address];
                    let client = browser();
                    buyers.wait();
                    for (turn, (checkout, _)) in checkouts.iter().enumerate() {
                        let email = format!("buyer-{number}@example.org");
                        let booked = app.confirm_for(&email, &client, checkout, 1);
                        assert_eq!(booked.status(), 303);
                        let server = servers[(number + turn) % 2];
                        let location = header(&booked, "location");
                        if turn % 3 != 2 {
                            assert_eq!(app.cancel_at(&client, server, location).status(), 303);
                        }
                    }
                })
            })
            .collect();
        while windows.iter().any(|window| !window.is_finished()) {
            app.database.assert_books_balance();
        }
        windows.into_iter().for_each(|window| window.join().expect("a window"));
    });
    let tiers = app.database.tiers();
    assert_eq!(tiers.iter().map(|tier| tier.sold).sum::<i64>(), 32, "{tiers:?}");
}

/// Seen to fail before cancellations were logged: there was no entry.
#[test]
fn what_a_buyer_cancels_is_in_the_audit_log() {
    let app = TestApp::spawn();
    let location = app.book_well("VIP", 3);
    let reference = booking(&app, &location).reference;
    let path = format!("{location}/cancellation");
    assert_eq!(app.post(&path, &[("choice", "1"), ("seat_2", "on")]).status(), 303);
    for _ in 0..2 {
        assert_eq!(app.post(&path, &[]).status(), 303);
    }
    let token = app.book_well("VIP", 1).trim_start_matches("/bookings/").to_owned();
    let through_api = app.client.post(app.url(&format!("/api/v1/bookings/{token}/cancellation")));
    assert_eq!(through_api.send().expect("an answer").status(), 200);
    let entries = audited(&app, "canceled by buyer");
    let entry = |count| ("buyer".to_owned(), reference.clone(), count, "127.0.0.1".to_owned());
    assert_eq!((entries.len(), &entries[..2]), (3, &[entry(1), entry(2)][..]));

    let organizer = app.organizer();
    let page = organizer.get(app.url(&format!("/admin/bookings/{reference}"))).send().expect("an answer");
    let page = page.text().expect("a page");
    assert!(page.contains("Ticket 2 canceled") && page.contains("by the buyer"), "{page}");
    let log = organizer.get(app.url("/admin/audit-log?action=canceled+by+buyer")).send().expect("an answer");
    assert!(log.text().expect("a page").contains("Canceled by the buyer"));
}
