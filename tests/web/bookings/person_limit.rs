//! What one person may hold of a tier. VIP has a limit of ten, the other tiers have none.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use crate::support::acts::Checkout;
use crate::support::{TestApp, browser, header};
use testkit::blockade::Transaction;

#[test]
fn what_is_over_the_limit_is_refused_beside_the_quantity() {
    let app = TestApp::spawn();
    app.book_well("VIP", 6);
    let checkout = app.open_checkout("VIP", 5);
    let refused = app.confirm_for("ADA@Example.org", &app.client, &checkout, 5);
    assert_eq!(refused.status(), 409);
    let html = refused.text().expect("a page");
    for text in [
        "Limit: 10 VIP tickets per person, counting all bookings under one email address. You can’t book 5 more under this one.",
        &format!("aria-describedby=\"checkout-quantity-{}-error\"", checkout.ticket_type),
        "name=\"quantity\" value=\"5\"",
        "value=\"ADA@Example.org\"",
    ] {
        assert!(html.contains(text), "{text}\n{html}");
    }
    assert_eq!(app.database.tier("VIP").sold, 6);

    app.book_well("VIP", 4);
    assert_eq!(
        app.confirm_for("bob@example.org", &browser(), &app.open_checkout("VIP", 10), 10).status(),
        303
    );
    app.book_well("General Admission", 10);
    app.book_well("General Admission", 10);
    app.database.assert_books_balance();
}

#[test]
fn a_form_that_has_booked_finds_its_booking_at_the_limit_too() {
    let app = TestApp::spawn();
    let checkout = app.open_checkout("VIP", 10);
    let first = header(&app.confirm(&checkout, 10), "location").to_owned();
    assert!(first.starts_with("/bookings/"));
    assert_eq!(app.book("VIP", 1).status(), 409);
    assert_eq!(header(&app.confirm(&checkout, 10), "location"), first);
}

#[test]
fn the_checkout_says_the_limit_before_it_is_met() {
    let app = TestApp::spawn();
    let path = format!("/bookings/new?ticket_type={}", app.tier_id("VIP"));
    let checkout = app.get(&path).text().expect("a page");
    let says_limit = |name: &str| {
        let line = checkout.split("summary__line").find(|line| line.contains(&format!("<strong>{name}<")));
        line.expect(name).contains("per ticket. Limit 10 per person<")
    };
    assert!(says_limit("VIP") && !says_limit("Front Row"), "{checkout}");
    app.database.execute(
        "UPDATE ticket_types SET max_per_person = 3, facts_version = facts_version + 1 WHERE name = 'VIP'",
    );
    app.wait_until_shown("up to 3</span>");
    let refused = app.confirm(&app.open_checkout("VIP", 4), 4);
    assert_eq!(refused.status(), 422);
    assert!(refused.text().expect("a page").contains("One person can book up to 3 tickets."));
}

/// Many bookings of one person, in the same batches and in different ones, on two servers, while others book. Seen to
/// fail without `HAVING` in `over_person_limit`, and without `person_limit` in `store/sqlite.rs`: one person got all
/// 70 tickets that were asked for. Seen to fail with a STABLE function: PostgreSQL sold 12 and 15 tickets in two runs
/// of six.
#[test]
fn one_person_at_forty_windows_of_two_servers_gets_no_more_than_the_limit() {
    let app = TestApp::spawn();
    let other = app.another_server();
    for round in 0..3 {
        let email = ["ada@example.org", "ADA@example.org", "Ada@Example.ORG"];
        let checkouts: Vec<Checkout> = (0..40).map(|_| app.open_checkout("VIP", 1)).collect();
        let barrier = Barrier::new(checkouts.len());
        let booked: u32 = thread::scope(|scope| {
            let windows: Vec<_> = checkouts
                .iter()
                .zip(0_usize..)
                .map(|(checkout, number)| {
                    let (app, other, barrier) = (&app, &other, &barrier);
                    scope.spawn(move || {
                        let quantity = 1 + number as u32 % 3;
                        let server = if number % 2 == 0 { app.address } else { other.address };
                        barrier.wait();
                        let email = if number % 8 == 7 { "bob@example.org" } else { email[number % 3] };
                        let status = confirm_at(server, email, checkout, quantity);
                        assert!([303, 409].contains(&status), "{status}");
                        if status == 303 && number % 8 != 7 { quantity } else { 0 }
                    })
                })
                .collect();
            windows.into_iter().map(|window| window.join().expect("a window")).sum()
        });
        assert!((8..=10).contains(&booked), "round {round}: {booked} VIP tickets for one person");
        app.database.assert_books_balance();
        app.database.execute(
            "DELETE FROM bookings; UPDATE ticket_types SET available = capacity, version = version + 1",
        );
    }
}

/// The desk's statement has begun, and waits for the tier, when another server's booking is committed. Seen to fail
/// with a STABLE function, which sees the data as of the statement's start: Ada got an eleventh ticket.
#[test]
fn a_booking_for_which_the_desk_has_waited_is_counted() {
    let app = TestApp::spawn();
    let checkout = app.open_checkout("VIP", 1);
    let begin = if app.database.is_postgres() { "BEGIN" } else { "BEGIN IMMEDIATE" };
    let mut other_server = Transaction::begin(&app.database, begin);
    other_server.execute(
        "UPDATE ticket_types SET available = available - 10, version = version + 1 WHERE name = 'VIP';
         INSERT INTO bookings (event_id, reference, token, request_key, order_hash, status, currency, total_minor,
             buyer_name, buyer_email, created_at, confirmed_at)
         SELECT event_id, 'TK-BBBB-BBBB', 'BBBBBBBBBBBBBBBBBBBBBBBB', 'elsewhere', 0, 'confirmed', 'USD', 100000,
             'Ada Lovelace', 'Ada@example.org', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP
         FROM ticket_types WHERE name = 'VIP';
         INSERT INTO booking_lines (booking_id, ticket_type_id, quantity, unit_price_minor)
         SELECT b.id, t.id, 10, 10000 FROM bookings b JOIN ticket_types t ON t.name = 'VIP'",
    );
    thread::scope(|scope| {
        let waiting = scope.spawn(|| app.confirm(&checkout, 1).status());
        thread::sleep(Duration::from_millis(200));
        assert!(!waiting.is_finished(), "it waits for the tier");
        other_server.end("COMMIT");
        assert_eq!(waiting.join().expect("an answer"), 409);
    });
    app.database.assert_books_balance();
}

fn confirm_at(server: std::net::SocketAddr, email: &str, checkout: &Checkout, quantity: u32) -> u16 {
    let quantity = quantity.to_string();
    let form = checkout.fields_of(&quantity, "Ada Lovelace", email);
    let post = browser().post(format!("http://{server}/bookings")).form(&form);
    post.send().expect("an answer").status().as_u16()
}
