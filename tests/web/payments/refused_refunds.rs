//! Refunds that are refused, whose answer is lost, or that do not arrive: the money goes back once, or somebody is
//! told.

use super::{hurry, is_confirmed, open, paid, violations};
use crate::support::TestApp;
use testkit::server::assert_verified;
use testkit::stripe::{FakeStripe, Fault};
use testkit::wait::eventually;

fn cancel(app: &TestApp, path: &str) {
    assert_eq!(app.post(&format!("{path}/cancellation"), &[]).status(), 303);
}

/// Cancels one of two tickets, for 100 dollars.
fn cancel_one(app: &TestApp, path: &str) {
    let form = [("choice", "1"), ("seat_2", "on")];
    assert_eq!(app.post(&format!("{path}/cancellation"), &form).status(), 303);
}

fn open_to_cancel() -> (TestApp, FakeStripe) {
    let (app, stripe) = open();
    app.database
        .execute("UPDATE events SET cancellation_deadline_minutes = 0, facts_version = facts_version + 1");
    (app, stripe)
}

/// Stripe keeps a refusal with its idempotency key for a day.
#[test]
fn a_refund_that_waits_for_money_is_asked_for_by_another_key() {
    let (app, stripe) = open_to_cancel();
    let (path, _) = paid(&app, &stripe);
    stripe.set_balance(0);
    cancel(&app, &path);
    eventually("it is refused", || app.count("refunds WHERE last_error IS NOT NULL") == 1);
    assert_eq!(stripe.money(), (20_000, 0));
    stripe.set_balance(i64::MAX);
    hurry(&app);
    eventually("it goes back", || app.count("refunds WHERE state = 'done'") == 1);
    assert_eq!((stripe.money(), app.count("refunds")), ((20_000, 20_000), 1));
    assert_verified(&app.database);
}

/// The second request comes after a day, when Stripe has forgotten its key.
#[test]
fn a_refund_whose_answer_was_lost_is_not_made_twice() {
    let (app, stripe) = open_to_cancel();
    let (path, _) = paid(&app, &stripe);
    stripe.fail("/v1/refunds", Fault::LoseAnswer);
    cancel_one(&app, &path);
    eventually("it is made", || stripe.money() == (20_000, 10_000));
    stripe.forget_keys();
    stripe.be_well();
    eventually("it is found", || {
        hurry(&app);
        app.count("refunds WHERE state = 'done'") == 1
    });
    assert_eq!(stripe.money(), (20_000, 10_000), "one of two tickets");
    assert_verified(&app.database);
}

#[test]
fn a_failure_that_stripe_keeps_with_the_key_does_not_stop_a_refund() {
    let (app, stripe) = open_to_cancel();
    let (path, _) = paid(&app, &stripe);
    stripe.fail("/v1/refunds", Fault::Stuck);
    cancel(&app, &path);
    eventually("the same key fails again", || app.count("refunds WHERE last_error LIKE '%for good%'") == 1);
    stripe.be_well();
    eventually("another key works", || {
        hurry(&app);
        app.count("refunds WHERE state = 'done'") == 1
    });
    assert_eq!(stripe.money(), (20_000, 20_000));
    assert_verified(&app.database);
}

/// The server has the key of another Stripe account for a while, or one that may not read refunds.
#[test]
fn a_refund_that_cannot_be_looked_at_has_not_failed() {
    let (app, stripe) = open_to_cancel();
    let (path, _) = paid(&app, &stripe);
    cancel(&app, &path);
    eventually("it goes back", || app.count("refunds WHERE state = 'done'") == 1);
    for status in [404, 403] {
        stripe.fail("/v1/refunds/", Fault::Status(status));
        app.database.execute(
            "UPDATE refunds SET state = 'pending', done_at = NULL, idempotency_key = 'kept',
                 due_at = '2020-01-01 00:00:00'",
        );
        eventually("Stripe does not show it", || {
            app.count("refunds WHERE state = 'pending' AND last_error = 'It is refused.'") == 1
        });
        assert_eq!(app.count("refunds WHERE idempotency_key = 'kept'"), 1, "nothing was asked for by it");
        stripe.be_well();
        eventually("Stripe shows it", || {
            hurry(&app);
            app.count("refunds WHERE state = 'done' AND last_error IS NULL") == 1
        });
    }
    assert_eq!((app.count("ledger WHERE kind = 'refund_failed'"), stripe.money()), (0, (20_000, 20_000)));
    assert_verified(&app.database);
}

/// The answer was lost, and then the refunds of the payment cannot be listed.
#[test]
fn a_refund_that_may_have_been_made_has_not_failed() {
    let (app, stripe) = open_to_cancel();
    let (path, _) = paid(&app, &stripe);
    stripe.fail("/v1/refunds", Fault::LoseAnswer);
    cancel_one(&app, &path);
    eventually("it is made", || stripe.money() == (20_000, 10_000));
    stripe.be_well();
    stripe.fail("/v1/refunds", Fault::Status(404));
    eventually("Stripe does not list it", || {
        app.count("refunds WHERE state = 'wanted' AND last_error = 'It is refused.'") == 1
    });
    stripe.be_well();
    eventually("it is found", || {
        hurry(&app);
        app.count("refunds WHERE state = 'done'") == 1
    });
    assert_eq!((app.count("refunds"), stripe.money()), (1, (20_000, 10_000)));
    assert_verified(&app.database);
}

/// Stripe makes the refund, then refuses to make it again, because nothing is left.
#[test]
fn a_refund_that_is_refused_because_it_was_made_has_not_failed() {
    let (app, stripe) = open_to_cancel();
    let (path, _) = paid(&app, &stripe);
    stripe.fail("/v1/refunds", Fault::LoseAnswer);
    cancel(&app, &path);
    eventually("its answer is lost", || app.count("refunds WHERE last_error IS NOT NULL") == 1);
    app.database.execute("UPDATE refunds SET due_at = '2090-01-01 00:00:00'");
    stripe.be_well();
    stripe.forget_keys();
    // As if nobody had asked before.
    app.database.execute("UPDATE refunds SET attempts = 0, due_at = '2020-01-01 00:00:00'");
    eventually("it is known", || app.count("refunds WHERE state <> 'wanted'") == 1);
    assert_eq!(app.count("refunds WHERE state = 'done'"), 1);
    assert_eq!((app.count("refunds"), stripe.money()), (1, (20_000, 20_000)));
    assert_verified(&app.database);
}

/// A card's account is closed: days later the seller has the money again.
#[test]
fn a_refund_that_does_not_arrive_is_noticed() {
    let (app, stripe) = open_to_cancel();
    let (path, session) = paid(&app, &stripe);
    cancel(&app, &path);
    eventually("it goes back", || app.count("refunds WHERE state = 'done'") == 1);
    stripe.fail_newest_refund();
    eventually("it did not arrive", || app.count("refunds WHERE state = 'failed'") == 1);
    assert_eq!(app.count("ledger WHERE kind = 'refund_failed'"), 1);
    assert_eq!(app.count("payments WHERE refunded_minor = 0"), 1);
    let named = violations(&app);
    assert!(named.iter().any(|it| it.starts_with("failed refunds")), "{named:?}");
    // The organizer gives it back in another way.
    stripe.refund_outside(&session, 20_000);
    eventually("that is noted", || app.count("payments WHERE refunded_minor = 20000") == 1);
    assert_verified(&app.database);
}

/// The same for a refund that began at Stripe.
#[test]
fn a_refund_from_outside_that_does_not_arrive_is_noticed() {
    let (app, stripe) = open();
    let (path, session) = paid(&app, &stripe);
    stripe.refund_outside(&session, 5_000);
    eventually("it is noted", || app.count("refunds WHERE source = 'outside' AND state = 'done'") == 1);
    stripe.fail_newest_refund();
    eventually("it did not arrive", || app.count("refunds WHERE state = 'failed'") == 1);
    assert_eq!(app.count("payments WHERE refunded_minor = 0"), 1);
    assert!(is_confirmed(&app, &path));
    stripe.refund_outside(&session, 5_000);
    eventually("the next one is noted", || app.count("payments WHERE refunded_minor = 5000") == 1);
    assert_verified(&app.database);
}
