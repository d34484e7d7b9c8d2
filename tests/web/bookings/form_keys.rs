//! A form's key books once. It does not give access to the booking.

use reqwest::blocking::{Client, Response};

use crate::support::acts::Checkout;
use crate::support::{TestApp, browser, header};

const ALREADY: &str = "You already booked with this form.";

/// Books in a new browser. Returns the browser, the booking's path, and the form that the browser has kept.
fn book(app: &TestApp, remember: bool) -> (Client, String, Checkout) {
    let (buyer, checkout) = (browser(), app.open_checkout("VIP", 2));
    let booked = send(app, &buyer, &checkout, "2", if remember { "1" } else { "" });
    let place = header(&booked, "location").to_owned();
    assert!(booked.status() == 303 && place.starts_with("/bookings/"), "{place}");
    (buyer, place, checkout)
}

fn send(app: &TestApp, client: &Client, checkout: &Checkout, quantity: &str, remember: &str) -> Response {
    let form = [
        ("ticket_type", checkout.ticket_type.as_str()),
        ("quantity", quantity),
        ("name", "Ada Lovelace"),
        ("email", "ada@example.org"),
        ("remember", remember),
        ("request_key", &checkout.request_key),
    ];
    client.post(app.url("/bookings")).form(&form).send().expect("an answer")
}

fn says_no_more(app: &TestApp, refused: Response, place: &str) {
    says_no_more_of(app, refused, place, 2);
}

fn says_no_more_of(app: &TestApp, refused: Response, place: &str, sold: i64) {
    assert_eq!(refused.status(), 422);
    let html = refused.text().expect("a page");
    assert!(
        html.contains(ALREADY) && html.contains("<a href=\"/bookings/find\">Find my tickets</a>"),
        "{html}"
    );
    assert!(!html.contains(place), "{html}");
    assert_eq!(app.database.tier("VIP").sold, sold, "nor was anything booked");
}

/// Seen to fail without the check: the page contained the link to the booking.
#[test]
fn another_order_with_the_key_shows_nobody_the_booking_but_its_buyer() {
    let app = TestApp::spawn();
    let (buyer, place, checkout) = book(&app, true);
    for _ in 0..2 {
        says_no_more(&app, send(&app, &browser(), &checkout, "3", ""), &place);
        let own = send(&app, &buyer, &checkout, "3", "1").text().expect("a page");
        assert!(own.contains(&format!("<a href=\"{place}\">View that booking</a>")), "{own}");
        app.age_the_last_booking(2 * 3600);
    }
}

/// Seen to fail without the check: 303 to the booking.
#[test]
fn the_same_order_shows_the_booking_for_an_hour_and_then_only_to_its_buyer() {
    let app = TestApp::spawn();
    let (buyer, place, checkout) = book(&app, true);
    let leads_there = |client: &Client, remember: &str| {
        let again = send(&app, client, &checkout, "2", remember);
        assert_eq!((again.status().as_u16(), header(&again, "location")), (303, place.as_str()));
    };
    app.age_the_last_booking(59 * 60);
    leads_there(&browser(), "");
    app.age_the_last_booking(2 * 60);
    says_no_more(&app, send(&app, &browser(), &checkout, "2", ""), &place);
    leads_there(&buyer, "1");
    // A browser that remembers another buyer is not shown the booking either.
    let (other, ..) = book_as(&app, "grace@example.org");
    says_no_more_of(&app, send(&app, &other, &checkout, "2", "1"), &place, 3);
}

fn book_as(app: &TestApp, email: &str) -> (Client, String) {
    let (buyer, checkout) = (browser(), app.open_checkout("VIP", 1));
    let form = [
        ("ticket_type", checkout.ticket_type.as_str()),
        ("quantity", "1"),
        ("name", "Grace Hopper"),
        ("email", email),
        ("remember", "1"),
        ("request_key", &checkout.request_key),
    ];
    let booked = buyer.post(app.url("/bookings")).form(&form).send().expect("an answer");
    (buyer, header(&booked, "location").to_owned())
}
