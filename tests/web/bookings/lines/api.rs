//! Booking lines in the API.

use serde_json::{Value, json};

use super::{BOTH, KEY, sold};
use crate::support::TestApp;
use testkit::wait::eventually;

#[test]
fn the_api_books_lines_and_says_them() {
    let app = TestApp::spawn();
    let (status, booking) = app.post_json(KEY, &app.order_json(&BOTH));
    assert_eq!(status, 201, "{booking}");
    let price = |cents: i64| json!({ "cents": cents, "currency": "USD" });
    let line = |name: &str, quantity: i64, cents: i64| json!({ "ticketTypeId": app.id_of(name), "quantity": quantity, "returned": 0, "unitPrice": price(cents) });
    for (name, value) in [
        ("status", json!("confirmed")),
        ("ticketTypeId", json!(null)),
        ("unitPrice", json!(null)),
        ("quantity", json!(3)),
        ("total", price(25_000)),
        ("lines", json!([line("VIP", 2, 10_000), line("Front Row", 1, 5_000)])),
    ] {
        assert_eq!(booking[name], value, "{name}");
    }
    let tickets: Vec<(Value, Value)> = booking["tickets"]
        .as_array()
        .expect("tickets")
        .iter()
        .map(|it| (it["seat"].clone(), it["ticketType"].clone()))
        .collect();
    let ticket = |seat: i64, name: &str| (json!(seat), json!(name));
    assert_eq!(tickets, [ticket(1, "VIP"), ticket(2, "VIP"), ticket(3, "Front Row")]);

    let token = booking["token"].as_str().expect("a text");
    let shown: Value = app.get(&format!("/api/v1/bookings/{token}")).json().expect("JSON");
    assert_eq!(shown, booking);
    // The order of the lines does not matter.
    assert_eq!(app.post_json(KEY, &app.order_json(&[BOTH[1], BOTH[0]])), (201, booking));
    assert_eq!(app.post_json(KEY, &app.order_json(&[("VIP", 3)])).0, 422);
    assert_eq!((app.count("bookings"), sold(&app)), (1, vec![2, 1, 0]));

    // A single line is the same as the two fields `ticketTypeId` and `quantity`.
    let (_, one) = app.post_json("another-key-of-ada", &app.order_json(&[("VIP", 1)]));
    assert_eq!((&one["ticketTypeId"], &one["unitPrice"]), (&json!(app.id_of("VIP")), &price(10_000)));
    let mut both_fields = app.order_json(&[]);
    both_fields.as_object_mut().expect("an object").remove("lines");
    both_fields["ticketTypeId"] = json!(app.id_of("VIP"));
    both_fields["quantity"] = json!(1);
    assert_eq!(app.post_json("another-key-of-ada", &both_fields), (201, one));
}

#[test]
fn lines_of_one_type_are_added_up_against_its_limit() {
    let app = TestApp::spawn();
    let (status, problem) = app.post_json(KEY, &app.order_json(&[("VIP", 6), ("VIP", 5)]));
    assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("#/lines/1/quantity")), "{problem}");
    assert!(problem["errors"][0]["detail"].as_str().expect("a text").contains("up to 10"));
    let (status, booking) = app.post_json(KEY, &app.order_json(&[("VIP", 2), ("Front Row", 1), ("VIP", 3)]));
    assert_eq!((status, booking["lines"].as_array().map(Vec::len)), (201, Some(2)), "{booking}");
    assert_eq!((booking["lines"][0]["quantity"].clone(), sold(&app)), (json!(5), vec![5, 1, 0]));
}

#[test]
fn lines_that_are_none_are_refused() {
    let app = TestApp::spawn();
    app.database.execute(
        "INSERT INTO events (slug, name, venue, city, starts_at, ends_at, time_zone, currency, state)
         SELECT 'matinee', 'Matinee', venue, city, starts_at, ends_at, time_zone, currency, 'published' FROM events;
         INSERT INTO ticket_types (event_id, name, price_minor, capacity, available, max_per_booking, position)
         SELECT id, 'Stalls', 100, 5, 5, 5, 1 FROM events WHERE slug = 'matinee'",
    );
    eventually("the board has it", || app.get("/events/matinee").status() == 200);
    let good = app.order_json(&BOTH);
    let vip = json!({ "ticketTypeId": app.id_of("VIP"), "quantity": 1 });
    for (lines, pointer, part) in [
        (app.order_json(&[("VIP", 1), ("Stalls", 1)])["lines"].clone(), "#/lines", "one concert"),
        (json!([]), "#/lines", "1 to 50 lines"),
        (json!(vec![vip.clone(); 51]), "#/lines", "1 to 50 lines"),
        (json!("VIP"), "#/lines", "an array"),
        (json!(vip), "#/lines", "an array"),
        (json!([vip, 7]), "#/lines", "Each line has"),
        (
            json!([{ "ticketTypeId": vip["ticketTypeId"], "quantity": 1, "seat": 3 }]),
            "#/lines",
            "nothing else",
        ),
        (json!([vip, { "ticketTypeId": "999", "quantity": 1 }]), "#/lines/1/ticketTypeId", "not found"),
        (json!([vip, { "quantity": 1 }]), "#/lines/1/ticketTypeId", "missing"),
        (json!([{ "ticketTypeId": vip["ticketTypeId"] }]), "#/lines/0/quantity", "missing"),
        (json!([{ "ticketTypeId": vip["ticketTypeId"], "quantity": 0 }]), "#/lines/0/quantity", "at least 1"),
        (
            json!([{ "ticketTypeId": vip["ticketTypeId"], "quantity": 1.5 }]),
            "#/lines/0/quantity",
            "whole number",
        ),
    ] {
        let mut body = good.clone();
        body["lines"] = lines;
        let (status, problem) = app.post_json(KEY, &body);
        assert_eq!((status, &problem["type"]), (422, &json!("/api/docs#problem-invalid-request")), "{body}");
        assert_eq!(problem["errors"].as_array().map(Vec::len), Some(1), "{problem}");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
        assert!(problem["errors"][0]["detail"].as_str().expect("a text").contains(part), "{problem}");
    }
    for (field, value) in [("ticketTypeId", vip["ticketTypeId"].clone()), ("quantity", json!(1))] {
        let mut mixed = good.clone();
        mixed[field] = value;
        let (status, problem) = app.post_json(KEY, &mixed);
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("#/lines")), "{problem}");
        assert!(
            problem["errors"][0]["detail"].as_str().expect("a text").contains("either lines"),
            "{problem}"
        );
    }
    assert_eq!(app.count("bookings"), 0);
}

#[test]
fn the_api_says_what_is_left_of_each_line() {
    let app = TestApp::spawn();
    app.set_available("Front Row", 1);
    for _ in 0..3 {
        let (status, problem) = app.post_json(KEY, &app.order_json(&[("VIP", 2), ("Front Row", 2)]));
        assert_eq!((status, &problem["type"]), (409, &json!("/api/docs#problem-not-enough-tickets")));
        let line = |name: &str, available: i32| json!({ "ticketTypeId": app.id_of(name), "quantity": 2, "available": available });
        assert_eq!(problem["lines"], json!([line("VIP", 100), line("Front Row", 1)]));
        assert_eq!(problem["available"], 1, "of the one that is short");
    }
    app.book_well("Front Row", 1);
    for _ in 0..3 {
        let (_, problem) = app.post_json(KEY, &app.order_json(&[("VIP", 2), ("Front Row", 2)]));
        let left: Vec<&Value> =
            problem["lines"].as_array().expect("lines").iter().map(|it| &it["available"]).collect();
        assert_eq!(left, [&json!(100), &json!(0)], "also when one is sold out and it is asked again");
    }
    assert_eq!(sold(&app), [0, 200, 0]);
}
