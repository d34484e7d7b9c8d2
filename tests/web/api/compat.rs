//! The compat API, as its clients know it.

use reqwest::Method;
use serde_json::{Value, json};

use super::ask;
use crate::support::{TestApp, header};
use testkit::outbox::OUTBOX;

fn book(app: &TestApp, body: &Value) -> (u16, Value) {
    ask(app.client.post(app.url("/api/bookings")).json(body))
}

#[test]
fn tickets_are_listed_with_the_dearest_first() {
    let app = TestApp::spawn();
    app.book_well("VIP", 2);
    let (status, tickets) = ask(app.client.get(app.url("/api/tickets")));
    let vip =
        json!({ "id": app.tier_id("VIP"), "name": "VIP", "price": 100, "quantity": 100, "available": 98 });
    assert_eq!((status, &tickets[0]), (200, &vip));
    let facts = |name: &str| -> Vec<String> {
        tickets.as_array().expect("an array").iter().map(|it| it[name].to_string()).collect()
    };
    assert_eq!(facts("price"), ["100", "50", "10"]);
    assert_eq!(facts("quantity"), ["100", "200", "1000"]);
    assert!(tickets[0].as_object().expect("an object").len() == 5);
}

#[test]
fn a_booking_is_a_sale_like_any_other_and_has_no_mail() {
    let app = TestApp::spawn();
    let id = app.tier_id("VIP");
    let body = json!({ "ticketTypeId": id, "quantity": 2, "userId": "user-42" });
    let response = app.client.post(app.url("/api/bookings")).json(&body).send().expect("an answer");
    assert_eq!(response.status(), 201);
    assert!(header(&response, "location").starts_with("/api/v1/bookings/"));
    let booked: Value = response.json().expect("JSON");
    let booking = &booked["booking"];
    assert_eq!(booked["success"], true);
    assert_eq!(
        (&booking["ticketTypeId"], &booking["userId"], &booking["quantity"]),
        (&json!(id), &json!("user-42"), &json!(2))
    );
    assert!(booking["createdAt"].as_str().expect("a time").ends_with('Z'));
    assert_eq!((&booked["payment"]["amount"], &booked["payment"]["currency"]), (&json!(0), &json!("USD")));
    assert!(booked["payment"]["transactionId"].as_str().expect("a text").starts_with("not-charged-TK-"));
    assert!(booked["message"].as_str().expect("a text").contains("Nothing was charged online"));

    // The booking is on its own page, on the organizer's page, and in the counts.
    let token = booking["id"].as_str().expect("a text");
    let html = app.get(&format!("/bookings/{token}")).text().expect("a page");
    assert!(html.contains("2 × VIP") && !html.contains("user:"), "{html}");
    let (_, shown) = ask(app.client.get(app.url(&format!("/api/v1/bookings/{token}"))));
    assert_eq!(shown["buyer"], json!({ "name": "user-42", "email": null }));
    let organizer = app.organizer();
    let shown_to_organizer =
        |path: &str| organizer.get(app.url(path)).send().expect("an answer").text().expect("a text");
    let sale = shown_to_organizer("/admin");
    assert!(sale.contains("user-42") && sale.contains(shown["reference"].as_str().expect("a text")));
    assert!(!sale.contains("user:"), "what stands for an address is none");
    let file = shown_to_organizer("/admin/events/midnight-parade/bookings.csv");
    assert!(file.contains(",user-42,,user-42,confirmed"), "{file}");
    assert_eq!((app.count("bookings"), app.count(OUTBOX)), (1, 0));
    app.database.assert_books_balance();
    assert!(!sale.contains("does not add up"));

    let (status, _) = ask(app.client.post(app.url(&format!("/api/v1/bookings/{token}/cancellation"))));
    assert_eq!((status, app.count(OUTBOX), app.database.tier("VIP").available), (200, 0, 100));
}

#[test]
fn errors_have_the_form_that_compat_clients_expect() {
    let app = TestApp::spawn();
    let id = app.tier_id("VIP");
    app.set_available("Front Row", 1);
    for (body, status, error) in [
        (json!({}), 400, "Missing required fields"),
        (json!({ "ticketTypeId": id, "quantity": 1 }), 400, "Missing required fields"),
        (json!({ "ticketTypeId": id, "quantity": 0, "userId": "7" }), 400, "Quantity must be positive"),
        (json!({ "ticketTypeId": id, "quantity": -1, "userId": "7" }), 400, "Quantity must be positive"),
        (json!({ "ticketTypeId": "999", "quantity": 1, "userId": "7" }), 404, "Ticket type not found"),
        (json!({ "ticketTypeId": "x\u{0}", "quantity": 1, "userId": "7" }), 404, "Ticket type not found"),
        (
            json!({ "ticketTypeId": app.tier_id("Front Row"), "quantity": 2, "userId": "7" }),
            409,
            "Not enough tickets available",
        ),
        (
            json!({ "ticketTypeId": id, "quantity": 11, "userId": "7" }),
            400,
            "Only 10 VIP tickets are allowed in one booking",
        ),
        (
            json!({ "ticketTypeId": id, "quantity": 1e15, "userId": "7" }),
            400,
            "Only 10 VIP tickets are allowed in one booking",
        ),
        (
            json!({ "ticketTypeId": id, "quantity": 1, "userId": "a\u{202e}b" }),
            400,
            "Invalid userId: use 1 to 100 characters that can be seen",
        ),
    ] {
        assert_eq!(book(&app, &body), (status, json!({ "error": error })), "{body}");
    }
    assert_eq!(app.count("bookings WHERE buyer_external_id IS NOT NULL"), 0);
}

#[test]
fn one_user_holds_no_more_than_one_person_may() {
    let app = TestApp::spawn();
    let id = app.tier_id("VIP");
    let wish =
        |user: &str, quantity: u32| json!({ "ticketTypeId": id, "quantity": quantity, "userId": user });
    assert_eq!(book(&app, &wish("7", 10)).0, 201);
    let refused = (400, json!({ "error": "Only 10 VIP tickets are allowed for each user" }));
    assert_eq!(book(&app, &wish("7", 1)), refused);
    assert_eq!(book(&app, &json!({ "ticketTypeId": id, "quantity": 1, "userId": 7 })), refused);
    assert_eq!(book(&app, &wish("8", 10)).0, 201);
    assert_eq!(app.database.tier("VIP").sold, 20);
}

#[test]
fn each_call_books_unless_it_has_a_key() {
    let app = TestApp::spawn();
    let body = json!({ "ticketTypeId": app.tier_id("General Admission"), "quantity": 1, "userId": "7" });
    assert_eq!((book(&app, &body).0, book(&app, &body).0, app.count("bookings")), (201, 201, 2));
    let with_key = |body: &Value| {
        let post =
            app.client.post(app.url("/api/bookings")).header("idempotency-key", "8e03978e-40d5-43dd-bc93");
        ask(post.json(body))
    };
    assert_eq!(with_key(&body), with_key(&body));
    assert_eq!(app.count("bookings"), 3);
    let other = json!({ "ticketTypeId": app.tier_id("VIP"), "quantity": 1, "userId": "7" });
    let (status, error) = with_key(&other);
    assert!(status == 422 && error["error"].is_string() && app.count("bookings") == 3);
}

#[test]
fn errors_before_the_handlers_have_the_contracts_form_too() {
    let app = TestApp::spawn();
    let url = app.url("/api/bookings");
    for (request, status) in [
        (app.client.post(&url).body("a=b").header("content-type", "application/x-www-form-urlencoded"), 415),
        (app.client.post(&url).body("{}").header("content-type", "text/plain"), 415),
        (app.client.post(&url), 415),
        (app.client.post(&url).body("{").header("content-type", "application/json"), 400),
        (app.client.post(&url).body("[]").header("content-type", "application/json"), 400),
        (app.client.post(&url).body(" ".repeat(20_000)).header("content-type", "application/json"), 413),
        (app.client.get(&url), 405),
        (app.client.request(Method::DELETE, &url), 405),
        (app.client.post(app.url("/api/tickets")), 405),
        (app.client.get(app.url("/api/tickets/1")), 404),
    ] {
        let response = request.send().expect("an answer");
        assert_eq!(
            (response.status().as_u16(), header(&response, "content-type")),
            (status, "application/json")
        );
        let error: Value = response.json().expect("JSON");
        assert!(error["error"].is_string() && error.as_object().expect("an object").len() == 1, "{error}");
    }
}
