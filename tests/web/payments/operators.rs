//! What operators see of payments: each way in which payments can stall has a metric. Also facts that are known only
//! later, or kept only for a time.

use chrono::{NaiveDateTime, TimeDelta, Utc};

use super::{insert_payment, is_confirmed, open, paid, stripe_config, want};
use crate::support::TestApp;
use testkit::server::assert_verified;
use testkit::stripe::Delivery;
use testkit::wait::eventually;

fn metric(app: &TestApp, series: &str) -> f64 {
    let metrics = app.get("/metrics").text().expect("text");
    let line = metrics.lines().find(|line| line.strip_prefix(series).is_some_and(|it| it.starts_with(' ')));
    let value = line.and_then(|line| line.rsplit(' ').next()?.parse().ok());
    value.unwrap_or_else(|| panic!("{series}\n{metrics}"))
}

fn ago(hours: i64) -> NaiveDateTime {
    Utc::now().naive_utc() - TimeDelta::hours(hours)
}

/// The test inserts rows with times far in the past, and no worker handles them.
#[test]
fn each_way_in_which_payments_stall_has_a_metric() {
    let app = TestApp::spawn();
    app.book_well("VIP", 3);
    insert_payment(&app, "wanted", 30_000, "2020-01-01 00:00:00");
    let years = 5.0 * 365.0 * 86_400.0;
    let shows = |series: &str, least: f64| {
        eventually(series, || metric(&app, &format!("techkraft_{series}")) >= least);
    };
    let waits_no_more = |series: &str| {
        eventually(series, || metric(&app, &format!("techkraft_{series}")) == 0.0);
    };
    for series in [
        "payment_page_overdue_seconds",
        "refund_oldest_waiting_seconds",
        "payment_event_overdue_seconds",
        "payment_webhook_silence_seconds",
        "payment_reconciliation_age_seconds",
    ] {
        waits_no_more(series);
    }
    shows("payment_oldest_wanted_seconds", years);
    shows(r#"payments{state="wanted"}"#, 1.0);

    let opened = ago(2);
    app.database.execute(&format!("UPDATE payments SET state = 'open', opened_at = '{opened}'"));
    shows("payment_page_overdue_seconds", years);
    shows(r#"payments{state="open"}"#, 1.0);
    waits_no_more("payment_oldest_wanted_seconds");
    shows("payment_webhook_silence_seconds", 7_000.0);
    shows("payment_reconciliation_age_seconds", 7_000.0);

    // The first event was found in Stripe's list, the second came by webhook.
    let event = |id: &str, happened: NaiveDateTime, received: NaiveDateTime| {
        app.database.execute(&format!(
            "INSERT INTO payment_events (provider, event_id, kind, object_id, live, happened_at, received_at, due_at)
             VALUES ('stripe', '{id}', 'x', 'cs_1', true, '{happened}', '{received}', '2020-01-01 00:00:00')"
        ));
    };
    event("evt_1", ago(2), ago(1));
    shows("payment_event_overdue_seconds", years);
    shows("payment_events_waiting", 1.0);
    assert!(metric(&app, "techkraft_payment_webhook_silence_seconds") > 7_000.0, "it was found by asking");
    event("evt_2", ago(1), ago(1));
    waits_no_more("payment_webhook_silence_seconds");
    app.database
        .execute(&format!("INSERT INTO payment_clocks (name, at) VALUES ('reconciled', '{}')", ago(0)));
    eventually("the list was read", || metric(&app, "techkraft_payment_reconciliation_age_seconds") < 60.0);

    app.database.execute(
        "UPDATE payments SET state = 'review';
         INSERT INTO refunds (payment_id, source, amount_minor, idempotency_key, wanted_at, due_at)
         VALUES (1, 'buyer', 100, 'r', '2020-01-01 00:00:00', '2020-01-01 00:00:00');
         INSERT INTO refunds (payment_id, source, state, amount_minor, idempotency_key, wanted_at, due_at)
         VALUES (1, 'dispute', 'pending', 100, 'd', '2020-01-01 00:00:00', '2020-01-01 00:00:00')",
    );
    shows(r#"payments{state="review"}"#, 1.0);
    shows("refund_oldest_waiting_seconds", years);
    shows(r#"refunds{state="waiting"}"#, 1.0);
    shows(r#"refunds{state="disputed"}"#, 1.0);
}

#[test]
fn a_fee_that_stripe_tells_later_is_entered_then_and_once() {
    let (app, stripe) = open();
    stripe.set_late_fees(true);
    paid(&app, &stripe);
    assert_eq!(app.count("ledger WHERE kind = 'fee'"), 0);
    let hurry = || app.database.execute("UPDATE payments SET due_at = '2020-01-01 00:00:00'");
    hurry();
    eventually("Stripe is asked, and does not know", || {
        app.count("payments WHERE attempts = 1 AND due_at > wanted_at AND fee_minor IS NULL") == 1
    });
    stripe.set_late_fees(false);
    eventually("it is entered", || {
        hurry();
        app.count("ledger WHERE kind = 'fee' AND amount_minor = -610") == 1
    });
    hurry();
    paid(&app, &stripe);
    assert_eq!(app.count("payments WHERE fee_minor = 610"), 2);
    assert_eq!(app.count("ledger WHERE kind = 'fee'"), 2);
    assert_verified(&app.database);
}

#[test]
fn a_fee_that_is_never_told_is_asked_for_eight_times() {
    let (app, stripe) = open();
    stripe.set_late_fees(true);
    let (_, session) = paid(&app, &stripe);
    let asked = || stripe.asked(&format!("GET /v1/checkout/sessions/{session}"));
    let before = asked();
    eventually("it is asked eight times", || {
        app.database.execute("UPDATE payments SET due_at = '2020-01-01 00:00:00'");
        asked() - before == 8
    });
    app.database.execute("UPDATE payments SET due_at = '2020-01-01 00:00:00'");
    paid(&app, &stripe);
    assert_eq!(asked() - before, 8);
}

/// The list of events goes back 30 days; events that were handled before that are no longer needed.
#[test]
fn events_that_were_handled_long_ago_are_forgotten() {
    let (app, stripe) = open();
    paid(&app, &stripe);
    eventually("all is handled", || app.count("payment_events WHERE handled_at IS NULL") == 0);
    let event = |id: &str, days: i64, handled: &str| {
        let at = ago(24 * days);
        app.database.execute(&format!(
            "INSERT INTO payment_events (provider, event_id, kind, object_id, live, happened_at, received_at, due_at,
                handled_at)
             VALUES ('stripe', '{id}', 'x', 'cs_1', true, '{at}', '{at}', '2090-01-01 00:00:00', {handled})"
        ));
    };
    event("old", 36, "'2026-01-01 00:00:00'");
    event("young", 34, "'2026-01-01 00:00:00'");
    event("waiting", 36, "NULL");
    let _other = app.another_server_with(|settings| settings.stripe = Some(stripe_config(&stripe, 100)));
    eventually("the old one is gone", || app.count("payment_events WHERE event_id = 'old'") == 0);
    assert_eq!(app.count("payment_events WHERE event_id IN ('young', 'waiting')"), 2);
    stripe.deliver(Delivery::Never);
    let (path, session) = want(&app, &stripe);
    assert!(stripe.pay(&session));
    eventually("payments go on", || {
        app.get(&format!("{path}/payment?paid=1"));
        is_confirmed(&app, &path)
    });
}
