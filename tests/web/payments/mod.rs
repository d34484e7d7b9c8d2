//! Tickets that are paid for online, at a fake Stripe that the tests run.

mod as_json;
mod attempts;
mod desk;
mod fees;
mod giving_up;
mod late_news;
mod marks;
mod moments;
mod operators;
mod pages;
mod queue;
mod refunds;
mod refused_refunds;
mod settling_races;

use std::time::Duration;

use reqwest::blocking::Client;
use techkraft::payment::settings::{StripeConfig, StripeKey, WebhookSecrets};
use techkraft::payment::signature;

use crate::support::{TestApp, browser};
use testkit::server::assert_verified;
use testkit::stripe::{Delivery, FakeStripe, Fault, STRIPE_KEY, STRIPE_SECRET};
use testkit::wait::eventually;

/// A site whose concert is paid for online, and the fake Stripe that it asks.
pub(crate) fn open() -> (TestApp, FakeStripe) {
    open_with(FakeStripe::start(), 100)
}

/// The same with this fake Stripe, which the site asks at most `per_second` times a second.
pub(crate) fn open_with(stripe: FakeStripe, per_second: u32) -> (TestApp, FakeStripe) {
    let config = stripe_config(&stripe, per_second);
    let app = TestApp::spawn_with(|settings| settings.stripe = Some(config));
    app.database.execute("UPDATE events SET payment = 'online', facts_version = facts_version + 1");
    eventually("the board knows it", || {
        let id = app.id_of("VIP");
        body(&app, &format!("/bookings/new?ticket_type={id}")).contains("Your tickets are held while you pay")
    });
    stripe.send_webhooks_to(&app.url("/webhooks/stripe"));
    (app, stripe)
}

pub(crate) fn stripe_config(stripe: &FakeStripe, per_second: u32) -> StripeConfig {
    StripeConfig {
        key: StripeKey::parse(STRIPE_KEY).expect("a key"),
        webhook_secrets: WebhookSecrets::parse(STRIPE_SECRET).expect("a secret"),
        api_url: stripe.url(),
        per_second,
    }
}

/// Inserts a payment of the only booking, whose page was wanted and ended in 2020. `due_at`: when Stripe is asked next.
pub(crate) fn insert_payment(app: &TestApp, state: &str, amount_minor: i64, due_at: &str) {
    app.database.execute(&format!(
        "INSERT INTO payments (id, booking_id, live, state, currency, amount_minor, refund_fee_minor, idempotency_key,
             session_id, session_ends_at, wanted_at, due_at)
         SELECT 1, id, true, '{state}', 'USD', {amount_minor}, 0, 'a', 'cs_1', '2020-01-01 00:00:00',
                '2020-01-01 00:00:00', '{due_at}'
         FROM bookings"
    ));
}

/// Holds tickets and asks for the payment page. Returns the booking's path and the page's id.
pub(crate) fn want(app: &TestApp, stripe: &FakeStripe) -> (String, String) {
    let (before, opened) = (stripe.sessions(), stripe.open_sessions().len());
    let path = app.book_order(&[("VIP", 2)]);
    assert_eq!(app.post(&format!("{path}/payment"), &[]).status(), 303);
    let open = stripe.wait_for_open_sessions(opened + 1);
    let session = open.into_iter().find(|id| !before.contains(id)).expect("a new page");
    eventually("the page has the link", || body(app, &format!("{path}/payment")).contains(&session));
    (path, session)
}

pub(crate) fn body(app: &TestApp, path: &str) -> String {
    app.get(path).text().expect("a page")
}

/// Books two VIP tickets and pays 200 dollars. Returns the booking's path and the id of the page that was paid on.
pub(crate) fn paid(app: &TestApp, stripe: &FakeStripe) -> (String, String) {
    let (path, session) = want(app, stripe);
    assert!(stripe.pay(&session));
    eventually("it is confirmed", || is_confirmed(app, &path));
    (path, session)
}

/// Pays for a booking while no webhook is delivered, and lets its hold end. Returns the booking's path.
pub(crate) fn paid_unheard(app: &TestApp, stripe: &FakeStripe) -> String {
    let (path, session) = want(app, stripe);
    stripe.deliver(Delivery::Never);
    assert!(stripe.pay(&session));
    app.database.execute("UPDATE holds SET held_until = '2020-01-01 00:00:00'");
    eventually("the hold ends", || app.database.tier("VIP").held == 0);
    path
}

/// Makes everything that is due later due now.
pub(crate) fn hurry(app: &TestApp) {
    for table in ["payments", "refunds", "payment_events"] {
        app.database.execute(&format!("UPDATE {table} SET due_at = '2020-01-01 00:00:00'"));
    }
}

/// The reasons why `verify` does not pass; empty if it passes.
pub(crate) fn violations(app: &TestApp) -> Vec<String> {
    let mut verify = std::process::Command::new(testkit::binary());
    verify.arg("verify").env("DATABASE_URL", &app.database.url).current_dir(app.database.folder.path());
    let output = verify.output().expect("the binary runs");
    let table = String::from_utf8_lossy(&output.stdout);
    let named = table.lines().filter_map(|line| line.strip_prefix("VIOLATION: "));
    let named: Vec<String> = named.map(str::to_owned).collect();
    assert_eq!(output.status.success(), named.is_empty(), "{table}");
    named
}

pub(crate) fn is_confirmed(app: &TestApp, path: &str) -> bool {
    body(app, path).contains("You’re going!")
}

#[test]
fn held_tickets_are_paid_for_and_are_the_buyers() {
    let (app, stripe) = open();
    let (path, session) = want(&app, &stripe);
    assert_eq!((app.database.tier("VIP").held, app.database.tier("VIP").sold), (2, 0));
    assert!(stripe.pay(&session));
    eventually("the webhook confirms it", || is_confirmed(&app, &path));
    assert_eq!((app.database.tier("VIP").held, app.database.tier("VIP").sold), (0, 2));
    assert_eq!((app.count("ledger"), stripe.money()), (2, (20_000, 0)), "the payment and the fee");
    assert_verified(&app.database);
}

#[test]
fn a_webhook_comes_twice_late_and_out_of_order_and_settles_once() {
    let (app, stripe) = open();
    let (path, session) = want(&app, &stripe);
    stripe.deliver(Delivery::Twice);
    assert!(stripe.pay(&session));
    eventually("it is confirmed", || is_confirmed(&app, &path));
    stripe.send_all_again();
    eventually("all of them are handled", || {
        app.count("payment_events WHERE handled_at IS NULL") == 0 && app.count("payment_events") == 1
    });
    assert_eq!(app.count("ledger WHERE kind = 'payment'"), 1);
    assert_verified(&app.database);
}

#[test]
fn without_any_webhook_the_way_back_settles_it() {
    let (app, stripe) = open();
    let (path, session) = want(&app, &stripe);
    stripe.deliver(Delivery::Never);
    assert!(stripe.pay(&session));
    eventually("Stripe is asked", || {
        app.get(&format!("{path}/payment?paid=1"));
        is_confirmed(&app, &path)
    });
    assert_verified(&app.database);
}

#[test]
fn an_answer_that_is_lost_is_asked_for_again_by_its_key() {
    let (app, stripe) = open();
    stripe.fail("/v1/checkout/sessions", Fault::LoseAnswer);
    let path = app.book_order(&[("VIP", 1)]);
    assert_eq!(app.post(&format!("{path}/payment"), &[]).status(), 303);
    let open = stripe.wait_for_open_sessions(1);
    stripe.be_well();
    eventually("the page has the link", || body(&app, &format!("{path}/payment")).contains(&open[0]));
    assert_eq!(stripe.sessions().len(), 1, "one page, however often it was asked for");
    assert!(stripe.pay(&open[0]));
    eventually("it is confirmed", || is_confirmed(&app, &path));
    assert_verified(&app.database);
}

#[test]
fn two_tabs_have_one_page_to_pay_on() {
    let (app, stripe) = open();
    let (path, session) = want(&app, &stripe);
    assert_eq!(app.post(&format!("{path}/payment"), &[]).status(), 303);
    assert!(body(&app, &format!("{path}/payment")).contains(&session));
    assert_eq!((app.count("payments"), stripe.sessions().len()), (1, 1));
}

#[test]
fn what_may_still_be_paid_is_not_released_and_what_is_given_up_is() {
    let (app, stripe) = open();
    let (path, session) = want(&app, &stripe);
    stripe.fail("/v1/checkout/sessions", Fault::HangUp);
    assert_eq!(app.post(&format!("{path}/release"), &[]).status(), 303);
    eventually("Stripe is asked", || {
        stripe.asked(&format!("POST /v1/checkout/sessions/{session}/expire")) > 0
    });
    assert_eq!(app.database.tier("VIP").held, 2, "somebody may be paying");
    assert_verified(&app.database);
    stripe.be_well();
    eventually("the tickets are back", || app.database.tier("VIP").available == 100);
    assert!(!stripe.pay(&session), "the page is closed");
    assert_verified(&app.database);
}

#[test]
fn what_is_paid_in_the_last_moment_is_not_given_up() {
    let (app, stripe) = open();
    let (path, session) = want(&app, &stripe);
    stripe.deliver(Delivery::Never);
    assert!(stripe.pay(&session));
    assert_eq!(app.post(&format!("{path}/release"), &[]).status(), 303);
    eventually("Stripe's word counts", || is_confirmed(&app, &path));
    assert_verified(&app.database);
}

#[test]
fn another_amount_or_a_forged_webhook_confirms_nothing() {
    let (app, stripe) = open();
    let (path, session) = want(&app, &stripe);
    let event = r#"{"id": "evt_1", "type": "checkout.session.completed", "created": 1, "livemode": false,
        "data": {"object": {"id": "cs_1"}}}"#;
    let now = chrono::Utc::now().timestamp();
    for header in [
        signature::sign(event.as_bytes(), "whsec_somebody_elses", now),
        signature::sign(event.as_bytes(), STRIPE_SECRET, now - 3600),
        String::new(),
    ] {
        assert_eq!(send(&browser(), &app, event, &header), 400);
    }
    assert_eq!(app.count("payment_events"), 0);
    assert_eq!(send(&browser(), &app, event, &signature::sign(event.as_bytes(), STRIPE_SECRET, now)), 200);

    stripe.change_session(&session, 19_999, "usd");
    assert!(stripe.pay(&session));
    eventually("it is for people", || app.count("payments WHERE state = 'review'") == 1);
    assert!(!is_confirmed(&app, &path));
    assert_eq!(app.count("ledger"), 0);
}

pub(crate) fn send(client: &Client, app: &TestApp, body: &str, header: &str) -> u16 {
    let post = client.post(app.url("/webhooks/stripe")).header("content-type", "application/json");
    let post = post.header("stripe-signature", header).body(body.to_owned());
    post.send().expect("an answer").status().as_u16()
}

#[test]
fn a_declined_card_is_told_and_may_be_tried_again() {
    let (app, stripe) = open();
    let (path, session) = want(&app, &stripe);
    stripe.decline(&session, "insufficient_funds");
    eventually("the page says so", || body(&app, &format!("{path}/payment")).contains("Your bank declined"));
    assert!(stripe.pay(&session));
    eventually("it is confirmed", || is_confirmed(&app, &path));
    assert_verified(&app.database);
}

/// The buyer comes back while the site is asking Stripe about the page, so the site asks again, and hears the same.
#[test]
fn a_decline_that_is_told_twice_is_noted_and_mailed_once() {
    let (app, stripe) = open();
    let (path, session) = want(&app, &stripe);
    stripe.deliver(Delivery::Never);
    stripe.decline(&session, "insufficient_funds");
    stripe.fail("/v1/checkout/sessions/", Fault::Late(Duration::from_millis(1_500)));
    let back = || app.get(&format!("{path}/payment?back=1"));
    back();
    eventually("Stripe is asked", || stripe.asked(&format!("GET /v1/checkout/sessions/{session}")) > 0);
    back();
    stripe.be_well();
    eventually("it is noted", || app.count("payments WHERE declined = 'insufficient_funds'") == 1);
    assert_eq!(app.count("mails WHERE kind = 'payment declined'"), 1);
    assert!(stripe.pay(&session));
    eventually("it is confirmed", || {
        back();
        is_confirmed(&app, &path)
    });
    assert_verified(&app.database);
}
