//! What the API says about a booking that is paid for online.

use serde_json::{Value, json};

use super::{is_confirmed, open, want};
use crate::support::TestApp;
use testkit::wait::eventually;

fn booking(app: &TestApp, path: &str) -> Value {
    app.get(&format!("/api/v1{path}")).json().expect("JSON")
}

#[test]
fn a_booking_says_what_was_paid_and_what_went_back() {
    let (app, stripe) = open();
    app.database
        .execute("UPDATE events SET cancellation_deadline_minutes = 0, facts_version = facts_version + 1");
    let (path, session) = want(&app, &stripe);
    let held = booking(&app, &path);
    assert_eq!((&held["status"], &held["payment"]), (&json!("held"), &Value::Null));
    assert_eq!(held["paymentPage"], json!(app.url(&format!("{path}/payment"))));
    assert!(stripe.pay(&session));
    eventually("it is confirmed", || is_confirmed(&app, &path));
    let dollars = |cents: i64| json!({ "cents": cents, "currency": "USD" });
    let payment = |status: &str, refunded: i64| {
        json!({
            "status": status, "amount": dollars(20_000), "refunded": dollars(refunded),
            "receipt": app.url(&format!("{path}/receipt")),
        })
    };
    let paid = booking(&app, &path);
    assert_eq!((&paid["payment"], &paid["paymentPage"]), (&payment("paid", 0), &Value::Null));
    let one = app.post(&format!("{path}/cancellation"), &[("choice", "1"), ("seat_2", "on")]);
    assert_eq!(one.status(), 303);
    assert_eq!(booking(&app, &path)["payment"], payment("partlyRefunded", 10_000));
    stripe.refund_outside(&session, 10_000);
    eventually("the rest is noted", || booking(&app, &path)["payment"] == payment("refunded", 20_000));
    stripe.dispute(&session);
    eventually("it is disputed", || booking(&app, &path)["payment"]["status"] == "disputed");
}
