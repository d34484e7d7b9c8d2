//! Bookings of `/api/v1`.

use serde_json::{Value, json};

use super::ask;
use crate::support::{TestApp, header};
use testkit::outbox::OUTBOX;

const KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";

#[test]
fn a_booking_is_made_shown_and_canceled() {
    let app = TestApp::spawn();
    let response = app.post_booking(KEY, &app.new_booking("VIP", 2));
    assert_eq!(response.status(), 201);
    let location = header(&response, "location").to_owned();
    assert_eq!(header(&response, "cache-control"), "private, no-store");
    let booking: Value = response.json().expect("JSON");
    assert_eq!(location, format!("/api/v1/bookings/{}", booking["token"].as_str().expect("a text")));
    for (name, value) in [
        ("status", json!("confirmed")),
        ("event", json!("midnight-parade")),
        ("ticketTypeId", json!(app.tier_id("VIP"))),
        ("quantity", json!(2)),
        ("unitPrice", json!({ "cents": 10_000, "currency": "USD" })),
        ("total", json!({ "cents": 20_000, "currency": "USD" })),
        ("buyer", json!({ "name": "Ada Lovelace", "email": "ada@example.org" })),
        ("canceledAt", json!(null)),
        ("cancellableUntil", json!("2027-06-19T01:00:00.000Z")),
    ] {
        assert_eq!(booking[name], value, "{name}");
    }
    assert_eq!(booking["tickets"].as_array().expect("tickets").len(), 2);
    assert_eq!(ask(app.client.get(app.url(&location))), (200, booking.clone()));
    assert_eq!(
        (app.count(&format!("{OUTBOX} WHERE kind = 'confirmation'")), app.database.tier("VIP").sold),
        (1, 2)
    );
    let html = app.get(booking["page"].as_str().and_then(|it| it.strip_prefix(&app.url(""))).expect("ours"));
    assert!(html.text().expect("a page").contains(booking["tickets"][1]["code"].as_str().expect("a code")));

    let cancellation = app.url(&format!("{location}/cancellation"));
    let (status, canceled) = ask(app.client.post(&cancellation));
    assert_eq!((status, &canceled["status"], &canceled["tickets"]), (200, &json!("canceled"), &json!([])));
    assert!(canceled["canceledAt"].is_string());
    let (status, again) = ask(app.client.post(&cancellation));
    assert_eq!((status, &again["status"]), (200, &json!("canceled")));
    assert_eq!((app.count(OUTBOX), app.database.tier("VIP").available), (2, 100));
    app.database.assert_books_balance();
}

/// The price is changed without telling the board, so that only the claim can notice.
#[test]
fn nothing_is_booked_at_another_total_than_expected() {
    let app = TestApp::spawn();
    let mut booking = app.new_booking("VIP", 2);
    booking["expectedTotal"] = json!({ "cents": 20_000, "currency": "USD" });
    app.database.execute("UPDATE ticket_types SET price_minor = 12000 WHERE name = 'VIP'");
    let refused = app.post_booking(KEY, &booking);
    assert_eq!(refused.status(), 409);
    let problem: Value = refused.json().expect("JSON");
    assert!(problem["type"].as_str().expect("a text").ends_with("other-total"), "{problem}");
    assert_eq!(problem["detail"], json!("The tickets cost $240.00 now. Nothing was booked."));
    assert_eq!(app.database.tier("VIP").sold, 0);

    booking["expectedTotal"] = json!({ "cents": 24_000, "currency": "USD" });
    assert_eq!(app.post_booking(KEY, &booking).status(), 201);
    // A repeated order finds its booking, whatever the tickets cost now.
    app.database.execute("UPDATE ticket_types SET price_minor = 13000 WHERE name = 'VIP'");
    let again = app.post_booking(KEY, &booking);
    assert_eq!(again.status(), 201);
    assert_eq!(again.json::<Value>().expect("JSON")["total"]["cents"], json!(24_000));
    assert_eq!(app.database.tier("VIP").bookings, 1);

    for (total, part) in [
        (json!("24.00"), "Use an amount"),
        (json!({ "cents": 1.5, "currency": "USD" }), "Use an amount"),
        (json!({ "cents": 24_000, "currency": "USD", "tax": 0 }), "Use an amount"),
        (json!({ "cents": 24_000, "currency": "EUR" }), "The tickets are sold in USD."),
    ] {
        booking["expectedTotal"] = total;
        let refused = app.post_booking("c0ffee00-40d5-43dd-bc93-6894a57f9324", &booking);
        assert_eq!(refused.status(), 422, "{part}");
        let problem: Value = refused.json().expect("JSON");
        assert_eq!(problem["errors"][0]["pointer"], json!("#/expectedTotal"), "{problem}");
        assert!(problem["errors"][0]["detail"].as_str().expect("a text").contains(part), "{problem}");
    }
}

#[test]
fn every_wrong_field_is_named() {
    let app = TestApp::spawn();
    let good = app.new_booking("VIP", 1);
    for (field, value, part) in [
        ("ticketTypeId", json!("999"), "Ticket type not found"),
        ("ticketTypeId", json!("01"), "Ticket type not found"),
        ("ticketTypeId", json!(1), "as a string"),
        ("ticketTypeId", json!(null), "missing"),
        ("quantity", json!(0), "at least 1"),
        ("quantity", json!(11), "up to 10"),
        ("quantity", json!(1e300), "whole number"),
        ("quantity", json!("1"), "whole number"),
        ("quantity", json!(1.5), "whole number"),
        ("name", json!(""), "name"),
        ("name", json!("x".repeat(101)), "100 characters"),
        ("name", json!(["Ada"]), "string"),
        ("name", json!("a\u{0}b"), "invisible characters"),
        ("email", json!("nobody"), "name@example.com"),
        ("email", json!(" ada@example.org"), "white space"),
        ("email", json!("user:7"), "name@example.com"),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let response = app.post_booking(KEY, &body);
        assert_eq!(
            (response.status().as_u16(), header(&response, "content-type")),
            (422, "application/problem+json")
        );
        let problem: Value = response.json().expect("JSON");
        assert_eq!(problem["type"], "/api/docs#problem-invalid-request");
        assert_eq!(problem["errors"].as_array().map(Vec::len), Some(1), "{problem}");
        assert_eq!(problem["errors"][0]["pointer"], format!("#/{field}"));
        let detail = problem["errors"][0]["detail"].as_str().expect("a text");
        assert!(detail.contains(part), "{detail}");
    }
    let problem: Value = app.post_booking(KEY, &json!({})).json().expect("JSON");
    assert_eq!(problem["errors"].as_array().map(Vec::len), Some(4), "all at once: {problem}");
    let mut body = good;
    body["remarks"] = json!("x");
    assert_eq!(app.post_booking(KEY, &body).status(), 400, "a field that is not known");
    assert_eq!(app.count("bookings"), 0);
}

#[test]
fn what_the_desk_refuses_is_a_conflict() {
    let app = TestApp::spawn();
    app.set_available("Front Row", 1);
    let problem: Value = app.post_booking(KEY, &app.new_booking("Front Row", 2)).json().expect("JSON");
    assert_eq!(
        (&problem["status"], &problem["type"], &problem["available"]),
        (&json!(409), &json!("/api/docs#problem-not-enough-tickets"), &json!(1))
    );
    // A refusal is not stored under the key.
    assert_eq!(app.post_booking(KEY, &app.new_booking("Front Row", 1)).status(), 201);

    // The limit counts tickets that were booked on the site too.
    app.book_well("VIP", 6);
    let problem: Value =
        app.post_booking("a-second-key-of-ada", &app.new_booking("VIP", 5)).json().expect("JSON");
    assert_eq!(problem["type"], "/api/docs#problem-over-person-limit");
    app.database.assert_books_balance();
}

#[test]
fn it_is_too_late_after_the_deadline() {
    let app = TestApp::spawn();
    let booking = app.book_by_program(KEY, "VIP", 1);
    app.database.execute("UPDATE events SET cancellation_deadline_minutes = NULL");
    let path = format!("/api/v1/bookings/{}/cancellation", booking["token"].as_str().expect("a text"));
    let (status, problem) = ask(app.client.post(app.url(&path)));
    assert_eq!((status, &problem["type"]), (409, &json!("/api/docs#problem-too-late-to-cancel")));
    assert_eq!(app.database.tier("VIP").sold, 1);
}

#[test]
fn a_token_that_opens_nothing_is_not_found() {
    let app = TestApp::spawn();
    for token in ["AAAAAAAAAAAAAAAAAAAAAAAA", "short", "a%00b", "TK-7F3K-9QXM"] {
        let (status, problem) = ask(app.client.get(app.url(&format!("/api/v1/bookings/{token}"))));
        assert_eq!((status, &problem["type"]), (404, &json!("/api/docs#problem-not-found")), "{token}");
        let (status, _) = ask(app.client.post(app.url(&format!("/api/v1/bookings/{token}/cancellation"))));
        assert_eq!(status, 404, "{token}");
    }
}
