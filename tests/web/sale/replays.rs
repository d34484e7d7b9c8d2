//! A repeated order finds its booking, also after the sale was closed.

use serde_json::Value;

use super::{EVENT, KEY, set_event, set_type};
use crate::support::TestApp;
use crate::support::acts::Checkout;
use crate::support::orders::Wish;
use testkit::wait::eventually;

const BOTH: [Wish; 2] = [("VIP", 3), ("Front Row", 2)];

/// Each of these changes makes it impossible to book the same order again.
const CLOSINGS: [(&str, &str); 8] = [
    ("event", "paused = true"),
    ("event", "sales_end_at = '2026-01-01 00:00:00'"),
    ("event", "state = 'canceled'"),
    ("event", "state = 'draft'"),
    ("VIP", "state = 'paused'"),
    ("VIP", "state = 'hidden'"),
    ("VIP", "max_per_booking = 1, max_per_person = 1"),
    ("Front Row", "state = 'hidden'"),
];

/// Sends the form as htmx does. Returns the status and the booking's path.
fn send(app: &TestApp, checkout: &Checkout, wishes: &[Wish]) -> (u16, String) {
    let form = app.order_form("ada@example.org", checkout, wishes);
    let post = app.client.post(app.url("/bookings")).header("HX-Request", "true").form(&form);
    let response = post.send().expect("an answer");
    (response.status().as_u16(), crate::support::header(&response, "location").to_owned())
}

#[test]
fn a_replay_is_answered_after_the_sale_was_closed_or_the_limit_lowered() {
    for (of, closing) in CLOSINGS {
        let app = TestApp::spawn();
        let one = app.open_checkout("VIP", 3);
        let two = app.open_order(&BOTH);
        let body = app.order_json(&BOTH);
        let one_first = send(&app, &one, &BOTH[..1]);
        let two_first = send(&app, &two, &BOTH);
        let program_first = app.post_json(KEY, &body);
        assert_eq!((one_first.0, two_first.0, program_first.0), (201, 201, 201));

        let before = shown(&app);
        if of == "event" {
            set_event(&app, closing)
        } else {
            set_type(&app, of, closing)
        }
        eventually("the board knows", || shown(&app) != before);

        assert_eq!(send(&app, &one, &BOTH[..1]), one_first, "{of}: {closing}");
        assert_eq!(send(&app, &two, &BOTH), two_first, "{of}: {closing}");
        let again = app.post_json(KEY, &body);
        assert_eq!(again, program_first, "{of}: {closing}");
        assert_eq!(app.count("bookings"), 3);

        // The same key for another order is still an error.
        assert_eq!(app.post_json(KEY, &app.order_json(&[("VIP", 1)])).0, 422, "{of}: {closing}");
        app.database.assert_books_balance();
    }
}

fn shown(app: &TestApp) -> (u16, Value) {
    let response = app.get(EVENT);
    (response.status().as_u16(), response.json().expect("JSON"))
}
