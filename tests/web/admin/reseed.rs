//! Resetting the sale.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use techkraft::db::Database;
use techkraft::db::DatabaseUrl;
use techkraft::outbox::store;

use super::audited;
use crate::support::orders::BoxOffice;
use crate::support::{TestApp, header};

#[test]
fn reseeding_asks_for_the_name_and_starts_the_sale_again() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let confirmation = app.book_well("VIP", 4);
    app.book_well("General Admission", 10);
    let tag = header(&app.get("/events/midnight-parade/availability"), "etag").to_owned();

    let asked = organizer.get(app.url("/admin/reseed")).send().expect("an answer").text().expect("a page");
    for text in ["<dd>2</dd>", "<dd>14</dd>", "$500.00", "bookings.csv", "Delete 2 bookings and reset"] {
        assert!(asked.contains(text), "{text}\n{asked}");
    }
    let reseed = |name: &str, password: &str| {
        let post =
            organizer.post(app.url("/admin/reseed")).form(&[("event_name", name), ("password", password)]);
        let response = post.send().expect("an answer");
        (response.status().as_u16(), response.text().expect("a page"))
    };
    for (name, password, field) in [
        ("midnight", app.admin_password.as_str(), "event-name"),
        ("Midnight Parade", "", "password"),
        ("Midnight Parade", "a guess of somebody who found an open browser", "password"),
    ] {
        let (status, html) = reseed(name, password);
        assert_eq!(status, 422, "{name}");
        assert!(
            html.contains(&format!("id=\"{field}-error\"")) && html.contains("Nothing was deleted"),
            "{html}"
        );
        assert_eq!(html.matches("field__error").count(), 1, "{html}");
        assert!(password.is_empty() || !html.contains(password), "{html}");
    }
    assert_eq!(app.database.tier("VIP").sold, 4, "nothing happened");
    assert_eq!(audited(&app, "password refused").len(), 2, "and it is written down");
    assert_eq!(reseed("Midnight Parade", &app.admin_password).0, 303);

    app.database.assert_books_balance();
    assert!(app.database.tiers().iter().all(|tier| tier.sold == 0 && tier.available == tier.capacity));
    assert_eq!(app.get(&confirmation).status(), 404);
    let poll = app.client.get(app.url("/events/midnight-parade/availability")).header("if-none-match", tag);
    let poll = poll.send().expect("an answer");
    assert_eq!(poll.status(), 200, "open browsers see the new counts");
    assert!(poll.text().expect("a fragment").contains("<strong>100</strong> of 100 left"));
    let desk = organizer.get(app.url("/admin")).send().expect("an answer").text().expect("a page");
    assert!(desk.contains("Sale reset. 2 bookings deleted"));
    let deleted = ("admin".into(), "Midnight Parade".into(), 2, "127.0.0.1".into());
    assert_eq!(audited(&app, "reseeded"), [deleted]);
    assert_eq!(audited(&app, "signed in").len(), 1, "what was written before stays");
}

/// The page also counts what is held, canceled, expired and scanned.
#[test]
fn a_reset_says_all_that_it_deletes() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let page = || organizer.get(app.url("/admin/reseed")).send().expect("an answer").text().expect("a page");
    let nothing = page();
    assert!(nothing.contains("Reset the sale</") && !nothing.contains("Also deleted"), "{nothing}");

    app.book_well("VIP", 2);
    let returned = app.book_well("VIP", 3);
    assert_eq!(app.give_one_back(&returned).status(), 303);
    let canceled = app.book_well("General Admission", 4);
    assert_eq!(app.cancel_at(&app.client, app.address, &canceled).status(), 303);
    let shop = BoxOffice::open(&app.database);
    let vip = app.database.ticket_type_id("VIP");
    shop.hold("held", &[(vip, 5)]);
    let expired = shop.hold("expired", &[(vip, 1)]);
    shop.ends_in(&expired, -1);
    assert_eq!(shop.expire(), 1);
    let now = Utc::now().naive_utc();
    app.database.execute(&format!(
        "INSERT INTO scans (event_id, gate, actor, ticket, outcome, by_hand, was_unconfirmed, scanned_at, decided_at)
         SELECT id, 'North', 'admin', 'TK', 'admitted', false, false, '{now}', '{now}' FROM events"
    ));
    let asked = page();
    for text in [
        "<dt>Confirmed bookings</dt><dd>2</dd>",
        "<dt>Tickets sold</dt><dd>4</dd>",
        "<dt>Revenue</dt><dd>$400.00</dd>",
        "Also deleted: 1 held booking with 5 tickets, 2 canceled or expired bookings, 1 scan.",
        "Delete 5 bookings and reset",
    ] {
        assert!(asked.contains(text), "{text}\n{asked}");
    }
    // The page asks for the concert's current name, also after the organizer has changed it.
    app.database.execute("UPDATE events SET name = 'Noon Parade', facts_version = facts_version + 1");
    assert!(page().contains("<strong>Noon Parade</strong>"));
    let form = [("event_name", "Noon Parade"), ("password", &app.admin_password)];
    let reset = organizer.post(app.url("/admin/reseed")).form(&form).send().expect("an answer");
    assert_eq!(reset.status(), 303);
    let desk = organizer.get(app.url("/admin")).send().expect("an answer").text().expect("a page");
    assert!(desk.contains("Sale reset. 5 bookings deleted"), "{desk}");
    assert_eq!((app.count("bookings"), app.count("scans"), app.count("holds")), (0, 0, 0));
}

/// The page says this before anything is typed, and asks for no input.
#[test]
fn a_sale_that_was_paid_for_online_is_not_reset() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.book_well("VIP", 1);
    app.database.execute(
        "INSERT INTO payments (booking_id, live, currency, amount_minor, idempotency_key, wanted_at, due_at)
         SELECT id, true, 'USD', 10000, 'key', created_at, created_at FROM bookings",
    );
    let form = [("event_name", "Midnight Parade"), ("password", &app.admin_password)];
    for (request, status) in [
        (organizer.get(app.url("/admin/reseed")), 200),
        (organizer.post(app.url("/admin/reseed")).form(&form), 409),
    ] {
        let answer = request.send().expect("an answer");
        assert_eq!(answer.status(), status);
        let page = answer.text().expect("a page");
        assert!(page.contains("its bookings stay") && !page.contains("name=\"password\""), "{page}");
    }
    assert_eq!(app.count("bookings"), 1);
}

#[test]
fn reseeding_can_be_switched_off() {
    let app = TestApp::spawn_with(|config| config.allow_reseed = false);
    let organizer = app.organizer();
    app.book_well("VIP", 1);
    let page = organizer.get(app.url("/admin/reseed")).send().expect("an answer");
    assert_eq!(page.status(), 403);
    assert!(page.text().expect("a page").contains("turned off"));
    let post = organizer.post(app.url("/admin/reseed")).form(&[("event_name", "Midnight Parade")]);
    assert_eq!(post.send().expect("an answer").status(), 403);
    assert_eq!(app.database.tier("VIP").sold, 1);
}

/// Seen to fail when the reseed did not wait for senders: the mail of a deleted booking stayed in the outbox.
#[test]
fn a_reseed_waits_for_senders_that_write_mails() {
    // The app's own sender has nothing to do.
    let app = TestApp::spawn();
    app.database.without_confirmations(|| app.book_well("VIP", 2));
    let ids = if app.database.is_postgres() { "array_agg(id)" } else { "json_group_array(id)" };
    let now = Utc::now().naive_utc();
    let [queued, taken, leased] = [1, 2, 3].map(|hours| now + TimeDelta::hours(hours));
    app.database.execute(&format!(
        "INSERT INTO confirmation_batches (booking_ids, queued_at) SELECT {ids}, '{queued}' FROM bookings"
    ));
    let organizer = app.organizer();
    let database = Database::open(&DatabaseUrl::parse(&app.database.url).expect("a URL"), 1).expect("it");
    thread::scope(|scope| {
        let (is_taken, taken_is) = mpsc::channel();
        let database = &database;
        scope.spawn(move || {
            let mails = database.write_blocking(|db| {
                let taken = store::take(db, store::Choice::Oldest(10), taken, leased)?;
                is_taken.send(()).expect("the reseed waits");
                // Long enough for a reseed that does not wait to finish.
                thread::sleep(Duration::from_secs(1));
                Ok(taken.mails.len())
            });
            assert_eq!(mails.expect("it commits"), 1);
        });
        taken_is.recv().expect("a mail");
        let form = [("event_name", "Midnight Parade"), ("password", &app.admin_password)];
        let reseed = organizer.post(app.url("/admin/reseed")).form(&form);
        assert_eq!(reseed.send().expect("an answer").status(), 303);
    });
    assert_eq!((app.count("bookings"), app.count("mails")), (0, 0));
}
