//! Work that waits for Stripe does not block other work, and nobody can cause useless requests to Stripe.

use std::time::{Duration, Instant};

use super::{body, is_confirmed, open, open_with, want};
use testkit::server::assert_verified;
use testkit::stripe::{Delivery, FakeStripe, Fault};
use testkit::wait::{eventually, within};

/// One payment page is made per second, and many buyers want one.
#[test]
fn a_payment_is_noticed_while_many_buyers_wait_for_their_page() {
    let (app, stripe) = open_with(FakeStripe::start(), 1);
    let (path, session) = want(&app, &stripe);
    let wishes = [("VIP", 1)];
    for buyer in 0..25 {
        let checkout = app.open_order(&wishes);
        let email = format!("buyer-{buyer}@example.org");
        let answer = app.send_order(&crate::support::browser(), &email, &checkout, &wishes);
        let path = crate::support::header(&answer, "location").trim_end_matches("/payment").to_owned();
        assert_eq!(app.post(&format!("{path}/payment"), &[]).status(), 303);
    }
    assert!(stripe.pay(&session));
    eventually("it is confirmed", || is_confirmed(&app, &path));
    let left = app.count("payments WHERE state = 'wanted'");
    assert!(left > 10, "{left} wait for their page");
}

/// The buyer's page, or somebody else, asks again and again.
#[test]
fn repeated_returns_do_not_flood_stripe() {
    let (app, stripe) = open();
    let (path, session) = want(&app, &stripe);
    let begun = Instant::now();
    for _ in 0..40 {
        app.get(&format!("{path}/payment?paid=1"));
        std::thread::sleep(Duration::from_millis(50));
    }
    let asked = stripe.asked(&format!("GET /v1/checkout/sessions/{session}"));
    let most = usize::try_from(begun.elapsed().as_secs() / 2 + 2).expect("a count");
    assert!(asked <= most, "{asked} times in {:?}", begun.elapsed());
    // The last of these requests still counts.
    stripe.deliver(Delivery::Never);
    assert!(stripe.pay(&session));
    app.get(&format!("{path}/payment?paid=1"));
    eventually("it is confirmed", || is_confirmed(&app, &path));
}

/// The site does not ask Stripe twice about the same payment within two seconds. Making the page does not count as
/// asking.
#[test]
fn who_pays_as_soon_as_the_page_is_open_is_asked_about_at_once() {
    let (app, stripe) = open();
    let fastest = (0..5).map(|_| {
        let (path, session) = want(&app, &stripe);
        assert!(stripe.pay(&session));
        within(Duration::from_secs(30), "it is confirmed", || is_confirmed(&app, &path))
    });
    assert!(fastest.min() < Some(Duration::from_millis(1_500)));
}

/// After cancellations, Stripe reports each refund three times, although the site knows of it already.
#[test]
fn refunds_that_began_here_are_not_asked_about_again() {
    let (app, stripe) = open();
    app.database
        .execute("UPDATE events SET cancellation_deadline_minutes = 0, facts_version = facts_version + 1");
    let paths: Vec<String> = (0..3).map(|_| super::paid(&app, &stripe).0).collect();
    stripe.deliver(Delivery::Never);
    for path in &paths {
        assert_eq!(app.post(&format!("{path}/cancellation"), &[]).status(), 303);
    }
    eventually("all go back", || app.count("refunds WHERE state = 'done'") == 3);
    stripe.deliver(Delivery::Once);
    stripe.send_all_again();
    eventually("what is kept has come", || app.count("payment_events WHERE kind = 'charge.refunded'") == 3);
    eventually("all is handled", || app.count("payment_events WHERE handled_at IS NULL") == 0);
    assert_eq!(app.count("payment_events WHERE kind LIKE 'refund.%'"), 0);
    assert_eq!(stripe.asked("GET /v1/refunds"), 0);
    assert_verified(&app.database);
}

/// Stripe is down until the buyer's time is over: nobody needs the page anymore.
#[test]
fn who_has_no_page_when_the_time_is_over_needs_none() {
    let (app, stripe) = open();
    stripe.fail("/v1/checkout/sessions", Fault::HangUp);
    let path = app.book_order(&[("VIP", 2)]);
    assert_eq!(app.post(&format!("{path}/payment"), &[]).status(), 303);
    eventually("Stripe is asked", || stripe.asked("POST /v1/checkout/sessions") > 0);
    app.database.execute("UPDATE holds SET pay_until = '2020-01-01 00:00:00'");
    eventually("the tickets are back", || {
        app.database.execute("UPDATE payments SET due_at = '2020-01-01 00:00:00'");
        app.database.tier("VIP").available == 100
    });
    assert_eq!(app.count("payments WHERE state = 'expired'"), 1);
    assert_verified(&app.database);
}

/// Stripe accepts fewer email addresses than we do.
#[test]
fn an_address_that_stripe_refuses_is_left_out() {
    let (app, stripe) = open();
    let wishes = [("VIP", 1)];
    let checkout = app.open_order(&wishes);
    let answer = app.send_order(&app.client, "refused@example.org", &checkout, &wishes);
    let path = crate::support::header(&answer, "location").trim_end_matches("/payment").to_owned();
    assert_eq!(app.post(&format!("{path}/payment"), &[]).status(), 303);
    let session = stripe.wait_for_open_sessions(1).remove(0);
    eventually("the page has the link", || body(&app, &format!("{path}/payment")).contains(&session));
    assert_eq!(app.count("payments WHERE state = 'failed'"), 1);
    assert!(stripe.pay(&session));
    eventually("it is confirmed", || is_confirmed(&app, &path));
    assert_verified(&app.database);
}

/// Stripe's events from the time when no server of this site was running, or whose webhooks were lost.
#[test]
fn a_server_that_starts_reads_what_it_has_missed() {
    let (app, stripe) = open();
    stripe.deliver(Delivery::Never);
    let paths: Vec<_> = (0..3).map(|_| want(&app, &stripe)).collect();
    // The list has two pages of events that the site follows, and many other events.
    stripe.happen("payout.paid", 150);
    for (_, session) in &paths {
        assert!(stripe.pay(session));
    }
    stripe.happen("payment_intent.payment_failed", 120);
    stripe.happen("payout.paid", 150);
    let _other =
        app.another_server_with(|settings| settings.stripe = Some(super::stripe_config(&stripe, 100)));
    for (path, _) in &paths {
        eventually("it is confirmed", || is_confirmed(&app, path));
    }
    assert_verified(&app.database);
}

/// A failed reading of the list does not count: the next one begins where this one began.
#[test]
fn a_list_that_cannot_be_read_to_its_end_was_not_read() {
    let stripe = FakeStripe::start();
    stripe.fail("/v1/events", Fault::HangUp);
    let (app, stripe) = open_with(stripe, 100);
    eventually("it is tried", || stripe.asked("GET /v1/events") > 0);
    let (path, session) = want(&app, &stripe);
    assert!(stripe.pay(&session));
    eventually("it is confirmed", || is_confirmed(&app, &path));
    assert_eq!(app.count("payment_clocks WHERE name = 'reconciled'"), 0);
    stripe.be_well();
    let _other =
        app.another_server_with(|settings| settings.stripe = Some(super::stripe_config(&stripe, 100)));
    eventually("another server reads it", || app.count("payment_clocks WHERE name = 'reconciled'") == 1);
}
