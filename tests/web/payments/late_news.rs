//! Refunds, disputes and payments about which this site hears too early, too late, or out of order.

use diesel::QueryableByName;
use diesel::sql_types::BigInt;
use techkraft::payment::signature;

use super::{body, hurry, is_confirmed, open, paid, send, violations, want};
use crate::support::{TestApp, browser};
use testkit::server::assert_verified;
use testkit::stripe::{Delivery, STRIPE_SECRET};
use testkit::wait::eventually;

#[derive(QueryableByName)]
struct Sum {
    #[diesel(sql_type = BigInt)]
    sum: i64,
}

/// The money that the seller has according to the ledger, without the provider's fees.
fn kept(app: &TestApp) -> i64 {
    let query = "SELECT CAST(COALESCE(SUM(amount_minor), 0) AS BIGINT) AS sum FROM ledger
                 WHERE kind NOT IN ('fee', 'fee_returned')";
    app.database.rows::<Sum>(query)[0].sum
}

/// The booking is paid and refunded at Stripe before this site has heard of the payment.
#[test]
fn what_goes_back_before_the_payment_is_settled_is_noted_after_it() {
    for kinds in [&["charge.refunded"][..], &["refund.created"], &["refund.created", "charge.refunded"]] {
        let (app, stripe) = open();
        let (path, session) = want(&app, &stripe);
        stripe.deliver(Delivery::Never);
        assert!(stripe.pay(&session));
        stripe.refund_outside(&session, 20_000);
        stripe.deliver(Delivery::Once);
        stripe.send_again(kinds);
        let events = i64::try_from(kinds.len()).expect("a count");
        eventually("it has come", || app.count("payment_events") == events);
        eventually("it is noted", || {
            app.get(&format!("{path}/payment?paid=1"));
            app.database.execute("UPDATE payment_events SET due_at = '2020-01-01 00:00:00'");
            app.count("refunds WHERE source = 'outside' AND state = 'done'") == 1
        });
        assert_eq!((kept(&app), app.count("payments WHERE refunded_minor = 20000")), (0, 1), "{kinds:?}");
        eventually("all is handled", || {
            hurry(&app);
            app.count("payment_events WHERE handled_at IS NULL") == 0
        });
        assert_verified(&app.database);
    }
}

/// The buyer cancels, the Stripe account has too little money, and the organizer gives the money back at Stripe.
#[test]
fn a_refund_at_stripe_that_overtakes_ours_is_the_one_that_counts() {
    let (app, stripe) = open();
    app.database
        .execute("UPDATE events SET cancellation_deadline_minutes = 0, facts_version = facts_version + 1");
    let (path, session) = paid(&app, &stripe);
    stripe.set_balance(0);
    assert_eq!(app.post(&format!("{path}/cancellation"), &[]).status(), 303);
    eventually("ours is refused", || app.count("refunds WHERE last_error IS NOT NULL") == 1);
    stripe.refund_outside(&session, 20_000);
    eventually("it has come", || app.count("payment_events WHERE kind = 'refund.created'") == 1);
    stripe.set_balance(i64::MAX);
    eventually("ours has ended", || {
        hurry(&app);
        app.count("refunds WHERE state = 'failed'") == 1
    });
    eventually("theirs is noted", || {
        hurry(&app);
        app.count("refunds WHERE source = 'outside' AND state = 'done'") == 1
    });
    assert_eq!((kept(&app), stripe.money()), (0, (20_000, 20_000)));
    assert_verified(&app.database);
}

/// A bank takes the whole payment back, although part of it was refunded already.
#[test]
fn a_dispute_that_takes_more_than_is_left_is_noted_and_named_until_it_is_won() {
    let (app, stripe) = open();
    let (_, session) = paid(&app, &stripe);
    stripe.refund_outside(&session, 10_000);
    eventually("half of it goes back", || app.count("refunds WHERE source = 'outside'") == 1);
    let dispute = stripe.dispute(&session);
    eventually("it is noted", || app.count("refunds WHERE source = 'dispute' AND state = 'pending'") == 1);
    assert_eq!(kept(&app), -10_000);
    let named = violations(&app);
    assert!(named.iter().any(|it| it.contains("more than was paid")), "{named:?}");
    stripe.decide_dispute(&dispute, "won");
    eventually("it is won", || app.count("refunds WHERE source = 'dispute' AND state = 'failed'") == 1);
    assert_eq!((kept(&app), app.count("ledger WHERE kind = 'dispute_won'")), (10_000, 1));
    assert_verified(&app.database);
}

#[test]
fn a_dispute_that_is_lost_stays_lost_and_an_inquiry_takes_nothing() {
    let (app, stripe) = open();
    let (_, asked) = paid(&app, &stripe);
    let (_, disputed) = paid(&app, &stripe);
    stripe.deliver(Delivery::Never);
    let inquiry = stripe.dispute(&asked);
    stripe.deliver(Delivery::Once);
    stripe.decide_dispute(&inquiry, "warning_closed");
    let dispute = stripe.dispute(&disputed);
    stripe.decide_dispute(&dispute, "lost");
    eventually("it is lost", || app.count("refunds WHERE source = 'dispute' AND state = 'done'") == 1);
    eventually("all is handled", || app.count("payment_events WHERE handled_at IS NULL") == 0);
    assert_eq!((app.count("refunds"), kept(&app)), (1, 20_000));
    assert_verified(&app.database);
}

/// This site has given the payment up, but the buyer has paid on Stripe's page: the buyer gets the tickets, or the
/// money back.
#[test]
fn what_was_given_up_and_paid_all_the_same_has_tickets_or_goes_back() {
    for are_left in [true, false] {
        let (app, stripe) = open();
        let (path, session) = want(&app, &stripe);
        app.database.execute("UPDATE payments SET state = 'expired', ended_at = wanted_at");
        app.database.execute("UPDATE holds SET held_until = '2020-01-01 00:00:00'");
        eventually("the hold ends", || app.database.tier("VIP").available == 100);
        if !are_left {
            app.set_available("VIP", 1);
        }
        assert!(stripe.pay(&session));
        if are_left {
            eventually("it is confirmed", || is_confirmed(&app, &path));
            assert_eq!((app.database.tier("VIP").sold, stripe.money()), (2, (20_000, 0)));
        } else {
            eventually("it goes back", || app.count("refunds WHERE state = 'done'") == 1);
            assert_eq!(stripe.money(), (20_000, 20_000));
            assert!(!is_confirmed(&app, &path));
        }
        assert_verified(&app.database);
    }
}

/// A server is started with a test key by mistake. An event that it must not ask about waits for a server with the
/// other key.
#[test]
fn an_event_of_the_other_mode_waits() {
    let (app, stripe) = open();
    let event = r#"{"id": "evt_live", "type": "charge.dispute.created", "created": 1, "livemode": true,
        "data": {"object": {"id": "dp_1", "object": "dispute", "payment_intent": "pi_1"}}}"#;
    let now = chrono::Utc::now().timestamp();
    let header = signature::sign(event.as_bytes(), STRIPE_SECRET, now);
    assert_eq!(send(&browser(), &app, event, &header), 200);
    // Later events are handled.
    paid(&app, &stripe);
    eventually("the others are handled", || {
        app.count("payment_events WHERE handled_at IS NULL AND event_id <> 'evt_live'") == 0
    });
    assert_eq!(
        app.count("payment_events WHERE event_id = 'evt_live' AND handled_at IS NULL AND attempts = 0"),
        1
    );
}

/// The amount that was paid is not the amount that was asked for.
#[test]
fn nobody_is_asked_to_pay_again_while_people_look_into_what_was_paid() {
    let (app, stripe) = open();
    let (path, session) = want(&app, &stripe);
    stripe.change_session(&session, 19_999, "usd");
    assert!(stripe.pay(&session));
    eventually("it is for people", || app.count("payments WHERE state = 'review'") == 1);
    assert!(!body(&app, &format!("{path}/payment")).contains("Pay $200.00"));
    assert_eq!(app.post(&format!("{path}/payment"), &[]).status(), 303);
    assert_eq!((app.count("payments"), stripe.sessions().len()), (1, 1));
    assert_eq!(app.database.tier("VIP").held, 2);
    app.post(&format!("{path}/release"), &[]);
    assert_eq!(app.database.tier("VIP").held, 2, "it is not the buyer's to give up");
    let in_a_day = chrono::Utc::now().naive_utc() + chrono::TimeDelta::days(1);
    assert_eq!(app.count(&format!("holds WHERE held_until > '{in_a_day}'")), 1);
    let named = violations(&app);
    assert!(named.iter().any(|it| it.starts_with("payments that need review")), "{named:?}");
    // People refund the payment at Stripe.
    stripe.refund_outside(&session, 19_999);
    eventually("nobody has to look any more", || app.count("payments WHERE state = 'expired'") == 1);
    eventually("the tickets are back", || app.database.tier("VIP").available == 100);
    eventually("all is handled", || {
        hurry(&app);
        app.count("payment_events WHERE handled_at IS NULL") == 0
    });
    assert_eq!((app.count("payments WHERE state = 'expired'"), app.count("ledger")), (1, 0));
    assert_verified(&app.database);
}
