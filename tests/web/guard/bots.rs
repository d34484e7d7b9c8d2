//! The honeypot, and forms that are sent too fast or too late.

use std::thread::sleep;
use std::time::Duration;

use reqwest::blocking::Response;
use techkraft::booking::request_key::FormAges;

use crate::support::acts::Checkout;
use crate::support::{TestApp, between, browser, header};

/// Sends what a person has typed, and `remarks`: the honeypot, which a person never fills in.
fn send(app: &TestApp, checkout: &Checkout, quantity: &str, remarks: &str, fragment: bool) -> Response {
    let form = [
        ("ticket_type", checkout.ticket_type.as_str()),
        ("quantity", quantity),
        ("name", "Grace Hopper"),
        ("email", "grace@example.org"),
        ("request_key", &checkout.request_key),
        ("remarks", remarks),
    ];
    let mut post = browser().post(app.url("/bookings")).form(&form);
    if fragment {
        post = post.header("HX-Request", "true");
    }
    post.send().expect("an answer")
}

/// Checks what a refusal must contain, and returns the fresh form in it.
fn fresh_form(refusal: Response, old: &Checkout, message: &str) -> Checkout {
    assert_eq!(refusal.status(), 422);
    let html = refusal.text().expect("a page");
    assert!(html.contains(message) && html.contains("nothing was booked"), "{html}");
    for typed in ["value=\"3\"", "value=\"Grace Hopper\"", "value=\"grace@example.org\""] {
        assert!(html.contains(typed), "{typed} is lost: {html}");
    }
    assert_eq!(between(&html, "name=\"remarks\" value=\"", "\""), "", "the honeypot is empty again");
    let request_key = between(&html, "name=\"request_key\" value=\"", "\"").to_owned();
    assert_ne!(request_key, old.request_key);
    Checkout { ticket_type: old.ticket_type.clone(), request_key }
}

fn with_ages(least_ms: u64, most_ms: u64) -> TestApp {
    let ages = FormAges { least: Duration::from_millis(least_ms), most: Duration::from_millis(most_ms) };
    TestApp::spawn_with(|config| config.forms = ages)
}

#[test]
fn a_filled_honeypot_books_nothing_and_keeps_the_input() {
    let app = TestApp::spawn();
    for fragment in [false, true] {
        let checkout = app.open_checkout("VIP", 3);
        let refusal = send(&app, &checkout, "3", "Cheap watches", fragment);
        let fresh = fresh_form(refusal, &checkout, "hidden anti-spam field");
        assert_eq!(app.database.tier("VIP").bookings, i64::from(fragment));
        let booked = send(&app, &fresh, "3", "", fragment);
        assert_eq!(booked.status(), if fragment { 201 } else { 303 }, "a person goes on");
    }
}

#[test]
fn both_forms_have_the_honeypot() {
    let app = TestApp::spawn();
    app.book_and_be_remembered("VIP");
    let page = app.get("/").text().expect("a page");
    let express = between(&page, "id=\"express\"", "id=\"availability\"");
    let checkout = app.get(&format!("/bookings/new?ticket_type={}", app.tier_id("VIP")));
    let checkout = checkout.text().expect("a page");
    for html in [express, &checkout] {
        assert_eq!(html.matches("name=\"remarks\"").count(), 1, "{html}");
        let honeypot = between(html, "<div class=\"honeypot\" aria-hidden=\"true\">", "</div>");
        assert!(
            honeypot.contains("tabindex=\"-1\"") && honeypot.contains("autocomplete=\"off\""),
            "{honeypot}"
        );
    }
}

#[test]
fn what_is_quicker_than_a_person_gets_a_fresh_form() {
    let app = with_ages(1_000, 60_000);
    let checkout = app.open_checkout("VIP", 3);
    let fresh = fresh_form(send(&app, &checkout, "3", "", false), &checkout, "unusually fast");
    assert_eq!(app.database.tier("VIP").sold, 0);
    sleep(Duration::from_millis(1_050));
    assert_eq!(send(&app, &fresh, "3", "", false).status(), 303, "who waits, books");
    assert_eq!(app.database.tier("VIP").sold, 3);
}

#[test]
fn an_expired_form_is_replaced_unless_it_has_booked() {
    let app = with_ages(0, 2_000);
    let (forgotten, used) = (app.open_checkout("VIP", 3), app.open_checkout("VIP", 3));
    let booked = send(&app, &used, "3", "", false);
    let booking = header(&booked, "location").to_owned();
    assert!(booked.status() == 303 && booking.starts_with("/bookings/"), "{booking}");
    sleep(Duration::from_millis(2_100));

    let fresh = fresh_form(send(&app, &forgotten, "3", "", true), &forgotten, "This page expired");
    for _ in 0..3 {
        let again = send(&app, &used, "3", "", false);
        assert_eq!((again.status().as_u16(), header(&again, "location")), (303, booking.as_str()));
    }
    let changed = send(&app, &used, "2", "", false);
    assert_eq!(changed.status(), 422);
    let html = changed.text().expect("a page");
    assert!(html.contains("already booked with this form") && !html.contains(&booking), "{html}");
    assert_eq!(app.database.tier("VIP").sold, 3, "whatever its age, a form books once");

    assert_eq!(send(&app, &fresh, "3", "", false).status(), 303);
    assert_eq!(app.database.tier("VIP").sold, 6);
    app.database.assert_books_balance();
}
