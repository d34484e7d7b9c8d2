//! When a ticket type is on sale, and what buyers who come too early or too late are told.

mod facts;
mod replays;

use std::time::Duration;

use chrono::{NaiveDateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::TestApp;
use testkit::wait::{eventually, within};

const KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";
const EVENT: &str = "/api/v1/events/midnight-parade";

/// Changes the concert directly in the database, as another server would.
fn set_event(app: &TestApp, change: &str) {
    app.database.execute(&format!("UPDATE events SET {change}, facts_version = facts_version + 1"));
}

fn set_type(app: &TestApp, name: &str, change: &str) {
    app.database.execute(&format!(
        "UPDATE ticket_types SET {change}, facts_version = facts_version + 1 WHERE name = '{name}'"
    ));
}

/// Whether VIP is on sale, as the API says it.
fn sale_of_vip(app: &TestApp) -> Value {
    let event: Value = app.get(EVENT).json().expect("JSON");
    event["ticketTypes"].as_array().expect("ticket types")[0]["sale"].clone()
}

fn type_of(problem: &Value) -> &str {
    problem["type"].as_str().and_then(|it| it.strip_prefix("/api/docs#problem-")).unwrap_or_default()
}

/// A reason why VIP is not on sale, and the changes that cause it.
struct Closed {
    event: &'static str,
    vip: &'static str,
    problem: &'static str,
    sentence: &'static str,
    label: &'static str,
}

const CLOSED: [Closed; 7] = {
    const NOTHING: &str = "paused = false";
    const ON_SALE: &str = "state = 'on_sale'";
    [
        Closed {
            event: "sales_start_at = '2027-06-01 15:00:00'",
            vip: ON_SALE,
            problem: "not-on-sale-yet",
            sentence: "VIP tickets aren’t on sale yet. Nothing was booked.",
            label: "Tuesday, June 1, 2027, 10:00\u{a0}AM\u{a0}CDT",
        },
        Closed {
            event: NOTHING,
            vip: "sales_start_at = '2027-06-01 15:00:00'",
            problem: "not-on-sale-yet",
            sentence: "VIP tickets aren’t on sale yet. Nothing was booked.",
            label: "Not on sale yet",
        },
        Closed {
            event: "sales_end_at = '2026-01-01 00:00:00'",
            vip: ON_SALE,
            problem: "sale-ended",
            sentence: "Sales of VIP tickets have ended. Nothing was booked.",
            label: "Sales have ended",
        },
        Closed {
            event: NOTHING,
            vip: "sales_end_at = '2026-01-01 00:00:00'",
            problem: "sale-ended",
            sentence: "Sales of VIP tickets have ended. Nothing was booked.",
            label: "Sales have ended",
        },
        Closed {
            event: "paused = true",
            vip: ON_SALE,
            problem: "sale-paused",
            sentence: "The organizer has paused sales of VIP tickets. Nothing was booked.",
            label: "Paused by the organizer",
        },
        Closed {
            event: NOTHING,
            vip: "state = 'paused'",
            problem: "sale-paused",
            sentence: "The organizer has paused sales of VIP tickets. Nothing was booked.",
            label: "Sales paused",
        },
        Closed {
            event: "state = 'canceled'",
            vip: ON_SALE,
            problem: "event-canceled",
            sentence: "This concert has been canceled. Nothing was booked.",
            label: "Canceled",
        },
    ]
};

fn close(app: &TestApp, closed: &Closed) {
    set_event(app, "state = 'published', paused = false, sales_start_at = NULL, sales_end_at = NULL");
    set_event(app, closed.event);
    set_type(app, "VIP", "state = 'on_sale', sales_start_at = NULL, sales_end_at = NULL");
    set_type(app, "VIP", closed.vip);
}

#[test]
fn what_is_not_on_sale_says_why() {
    let app = TestApp::spawn();
    let checkout = app.open_checkout("VIP", 2);
    for closed in &CLOSED {
        close(&app, closed);
        let Closed { event, vip, problem, sentence, label } = closed;
        eventually("the board knows", || sale_of_vip(&app) == *problem);
        let (status, said) = app.post_json(KEY, &app.order_json(&[("VIP", 1)]));
        assert_eq!((status, type_of(&said)), (409, *problem), "{event}; {vip}");
        // An order that also contains another type is refused as a whole.
        let (status, said) = app.post_json(KEY, &app.order_json(&[("Front Row", 1), ("VIP", 1)]));
        assert_eq!((status, type_of(&said)), (409, *problem), "{event}; {vip}");

        let refused = app.confirm(&checkout, 2);
        assert_eq!(refused.status(), 409, "{event}; {vip}");
        let html = refused.text().expect("a page");
        assert!(html.contains(sentence), "{sentence}\n{html}");
        assert_eq!(app.get(&format!("/bookings/new?ticket_type={}", checkout.ticket_type)).status(), 409);
        assert!(app.get("/").text().expect("a page").contains(label), "{label}");
    }
    assert_eq!(app.count("bookings"), 0);
    let open =
        Closed { event: "paused = false", vip: "state = 'on_sale'", problem: "", sentence: "", label: "" };
    close(&app, &open);
    eventually("the board knows", || sale_of_vip(&app) == "on-sale");
    assert_eq!(app.confirm(&checkout, 2).status(), 303, "the very form, when it is on sale again");
}

/// The board still shows the old state, but the database decides.
#[test]
fn a_server_that_has_not_heard_of_it_sells_nothing_either() {
    let app = TestApp::spawn_with(|config| config.board_refresh = Duration::from_secs(3600));
    let checkout = app.open_checkout("VIP", 2);
    for closed in &CLOSED {
        close(&app, closed);
        let Closed { event, vip, problem, sentence, .. } = closed;
        let (status, said) = app.post_json(KEY, &app.order_json(&[("VIP", 1)]));
        assert_eq!((status, type_of(&said)), (409, *problem), "{event}; {vip}");
        let refused = app.confirm(&checkout, 2);
        assert_eq!(refused.status(), 409, "{event}; {vip}");
        let html = refused.text().expect("a page");
        assert!(html.contains(sentence), "{sentence}\n{html}");
        assert!(html.contains("value=\"ada@example.org\""), "nothing typed is lost");
    }
    for (event, vip) in [("state = 'draft'", "state = 'on_sale'"), ("paused = false", "state = 'hidden'")] {
        close(&app, &Closed { event, vip, problem: "", sentence: "", label: "" });
        let (status, said) = app.post_json(KEY, &app.order_json(&[("VIP", 1)]));
        assert_eq!((status, &said["errors"][0]["detail"]), (422, &json!("Ticket type not found.")));
        assert_eq!(app.confirm(&checkout, 2).status(), 404);
    }
    assert_eq!(app.count("bookings"), 0);
}

#[test]
fn the_other_type_of_an_order_says_why_it_is_not_on_sale() {
    let app = TestApp::spawn();
    let wishes = [("Front Row", 2), ("VIP", 1)];
    let checkout = app.open_order(&wishes);
    set_type(&app, "VIP", "state = 'paused'");
    eventually("the board knows", || sale_of_vip(&app) == "sale-paused");
    let refused = app.send_order(&app.client, "ada@example.org", &checkout, &wishes);
    assert_eq!(refused.status(), 409);
    let html = refused.text().expect("a page");
    assert!(html.contains("The organizer has paused sales of VIP tickets."), "{html}");
    assert_eq!(app.count("bookings"), 0);
}

#[test]
fn a_draft_is_seen_by_nobody() {
    let app = TestApp::spawn();
    let checkout = app.open_checkout("VIP", 1);
    set_event(&app, "state = 'draft'");
    eventually("the board knows", || app.get("/events/midnight-parade").status() == 404);
    for path in [
        "/events/midnight-parade/availability",
        EVENT,
        &format!("{EVENT}/ticket-types"),
        &format!("{EVENT}/availability"),
        &format!("/bookings/new?ticket_type={}", checkout.ticket_type),
    ] {
        assert_eq!(app.get(path).status(), 404, "{path}");
    }
    assert!(!app.get("/").text().expect("a page").contains("Midnight Parade"));
    assert_eq!(app.confirm(&checkout, 1).status(), 404);
    let (status, said) = app.post_json(KEY, &app.order_json(&[("VIP", 1)]));
    assert_eq!((status, &said["errors"][0]["pointer"]), (422, &json!("#/lines/0/ticketTypeId")));
    assert_eq!(app.count("bookings"), 0);
}

#[test]
fn a_hidden_type_is_unknown() {
    let app = TestApp::spawn();
    let checkout = app.open_checkout("VIP", 1);
    set_type(&app, "VIP", "state = 'hidden'");
    eventually("the board knows", || !app.get("/").text().expect("a page").contains(">VIP</h3>"));
    let event: Value = app.get(EVENT).json().expect("JSON");
    assert_eq!(event["ticketTypes"].as_array().map(Vec::len), Some(2), "{event}");
    assert_eq!(app.get(&format!("/bookings/new?ticket_type={}", checkout.ticket_type)).status(), 404);
    assert_eq!(app.confirm(&checkout, 1).status(), 404);
    let (status, said) = app.post_json(KEY, &app.order_json(&[("Front Row", 1), ("VIP", 1)]));
    assert_eq!((status, &said["errors"][0]["detail"]), (422, &json!("Ticket type not found.")));
    assert_eq!(said["errors"][0]["pointer"], "#/lines/1/ticketTypeId");
    assert_eq!(app.count("bookings"), 0);
}

/// A time so far from now, as both databases read it.
fn from_now(delta: TimeDelta) -> (NaiveDateTime, String) {
    let at = Utc::now().naive_utc() + delta;
    (at, at.format("%F %T%.6f").to_string())
}

/// Neither server is notified; the second one has read the start of the sale only once, when the server started.
#[test]
fn a_sale_opens_at_its_time_on_every_server_without_a_restart() {
    let app = TestApp::spawn();
    let (opens, written) = from_now(TimeDelta::seconds(4));
    set_event(&app, &format!("sales_start_at = '{written}'"));
    let other = app.another_server_with(|config| config.board_refresh = Duration::from_secs(3600));
    eventually("the board knows", || sale_of_vip(&app) == "not-on-sale-yet");
    let (status, said) = app.post_json(KEY, &app.order_json(&[("VIP", 1)]));
    assert_eq!((status, type_of(&said)), (409, "not-on-sale-yet"));
    let event: Value = app.get(EVENT).json().expect("JSON");
    assert!(event["ticketTypes"][0]["salesStartAt"].is_string(), "{event}");

    eventually("it sells", || app.post_json(KEY, &app.order_json(&[("VIP", 1)])).0 == 201);
    assert!(Utc::now().naive_utc() >= opens, "not a moment too early");
    let page = |server: std::net::SocketAddr| {
        app.client.get(format!("http://{server}/")).send().expect("an answer").text().expect("a page")
    };
    for server in [app.address, other.address] {
        within(Duration::from_secs(3), "the page sells", || !page(server).contains("On sale "));
    }
    assert!(app.database.tier("VIP").sold == 1);
}

#[test]
fn a_sale_ends_at_its_time_without_a_restart() {
    let app = TestApp::spawn();
    let checkout = app.open_checkout("VIP", 1);
    let (ends, written) = from_now(TimeDelta::seconds(2));
    set_type(&app, "VIP", &format!("sales_end_at = '{written}'"));
    eventually("it is over", || sale_of_vip(&app) == "sale-ended");
    assert!(Utc::now().naive_utc() >= ends);
    assert_eq!(app.confirm(&checkout, 1).status(), 409);
    assert_eq!(app.book("Front Row", 1).status(), 303, "the other types go on");
    app.database.assert_books_balance();
}
