//! Payments at the worst moments: in the millisecond in which the time ends, while Stripe is down for an hour, after
//! the buyer has come back, and with money of the other mode.

use std::thread;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use techkraft::payment::settings::{StripeConfig, StripeKey};
use techkraft::payment::signature;

use super::{body, is_confirmed, open, open_with, send, stripe_config, want};
use crate::support::{TestApp, browser, header};
use testkit::server::assert_verified;
use testkit::stripe::{Delivery, FakeStripe, Fault, STRIPE_LIVE_KEY, STRIPE_SECRET};
use testkit::wait::{eventually, within};

/// Holds two tickets for the buyer with this number. Returns the booking's path.
fn hold(app: &TestApp, buyer: usize) -> String {
    let wishes = [("VIP", 2)];
    let checkout = app.open_order(&wishes);
    let answer = app.send_order(&browser(), &format!("buyer-{buyer}@example.org"), &checkout, &wishes);
    header(&answer, "location").trim_end_matches("/payment").to_owned()
}

fn hold_and_want(app: &TestApp, stripe: &FakeStripe, count: usize) -> Vec<String> {
    for buyer in 0..count {
        let path = hold(app, buyer);
        assert_eq!(app.post(&format!("{path}/payment"), &[]).status(), 303);
    }
    let sessions = stripe.wait_for_open_sessions(count);
    eventually("the pages are written", || {
        app.count("payments WHERE state = 'open'") == i64::try_from(count).expect("few")
    });
    sessions
}

/// Each buyer pays some milliseconds before or after the end; Stripe decides whether that was in time.
#[test]
fn paid_in_the_millisecond_in_which_the_time_is_over() {
    let (app, stripe) = open();
    let sessions = hold_and_want(&app, &stripe, 12);
    // The worker sleeps until something is due or a buyer comes back.
    let end = Utc::now().naive_utc() + TimeDelta::milliseconds(1_500);
    app.database
        .execute(&format!("UPDATE holds SET pay_until = '{end}'; UPDATE payments SET due_at = '{end}'"));
    let paid = thread::scope(|scope| {
        let pay = |(session, offset): (&String, i64)| {
            let (stripe, session) = (&stripe, session.clone());
            scope.spawn(move || {
                let at = end + TimeDelta::milliseconds(offset);
                let wait = (at - Utc::now().naive_utc()).to_std().unwrap_or_default();
                thread::sleep(wait);
                stripe.pay(&session)
            })
        };
        // The worker checks at least every five seconds: some pages are paid before it closes them, some are not.
        let offsets = (0..).map(|n| if n < 6 { n - 3 } else { (n - 5) * 700 });
        let paying: Vec<_> = sessions.iter().zip(offsets).map(pay).collect();
        paying.into_iter().map(|it| it.join().expect("a buyer")).filter(|is| *is).count()
    });
    let paid = i64::try_from(paid).expect("few");
    eventually("all have ended", || app.count("payments WHERE state IN ('wanted', 'open')") == 0);
    eventually("no ticket is held", || app.database.tier("VIP").held == 0);
    println!("{paid} of 12 were in time");
    assert_eq!((app.database.tier("VIP").sold, stripe.money().0), (paid * 2, paid * 20_000));
    assert_eq!(app.count("bookings WHERE status = 'confirmed'"), paid);
    assert_verified(&app.database);
}

/// Moves all times of the site and of Stripe so many minutes back.
fn let_time_pass(app: &TestApp, stripe: &FakeStripe, minutes: i64) {
    let earlier = |column: &str| {
        if app.database.is_postgres() {
            format!("{column} = {column} - INTERVAL '{minutes} minutes'")
        } else {
            format!("{column} = strftime('%Y-%m-%d %H:%M:%f', {column}, '-{minutes} minutes')")
        }
    };
    for (table, columns) in [
        ("holds", &["held_until", "pay_until"][..]),
        ("payments", &["session_ends_at", "wanted_at", "due_at"]),
        ("payment_events", &["happened_at", "received_at", "due_at"]),
    ] {
        let columns: Vec<String> = columns.iter().map(|it| earlier(it)).collect();
        app.database.execute(&format!("UPDATE {table} SET {}", columns.join(", ")));
    }
    stripe.let_time_pass(minutes * 60);
}

#[test]
fn stripe_is_away_for_an_hour_in_a_rush() {
    let (app, stripe) = open();
    // Twenty buyers are on their payment page. Ten of them pay, but no webhook is delivered. Then twenty more buyers
    // come.
    let sessions = hold_and_want(&app, &stripe, 20);
    stripe.deliver(Delivery::Never);
    for session in sessions.iter().take(10) {
        assert!(stripe.pay(session));
    }
    stripe.fail("/v1", Fault::HangUp);
    for buyer in 20..40 {
        let path = hold(&app, buyer);
        assert_eq!(app.post(&format!("{path}/payment"), &[]).status(), 303);
    }
    assert_eq!((app.database.tier("VIP").held, app.database.tier("VIP").available), (80, 20));
    let_time_pass(&app, &stripe, 30);
    eventually("who has no page needs no tickets", || app.database.tier("VIP").available == 60);
    assert_eq!(app.database.tier("VIP").held, 40, "what may still be paid for is not sold again");
    let asked = stripe.asked("POST /v1/checkout/sessions/");
    eventually("Stripe is asked again", || stripe.asked("POST /v1/checkout/sessions/") > asked);
    // Nobody can pay anymore, and the site does not know who has paid. The tickets are on sale again, and all but ten
    // are sold to others.
    let_time_pass(&app, &stripe, 30);
    eventually("held tickets are back", || app.database.tier("VIP").available == 100);
    assert_eq!(app.count("payments WHERE state = 'open'"), 20);
    app.set_available("VIP", 10);
    stripe.be_well();
    within(Duration::from_secs(90), "everything has ended", || {
        app.database.execute("UPDATE payments SET due_at = '2020-01-01 00:00:00' WHERE state = 'open'");
        app.count("payments WHERE state IN ('wanted', 'open')") == 0
            && app.count("refunds WHERE state = 'done'") == 5
    });
    let vip = app.database.tier("VIP");
    assert_eq!(
        (vip.sold, vip.held, vip.available),
        (100, 0, 0),
        "ninety of others, and of five who have paid"
    );
    assert_eq!(stripe.money(), (200_000, 100_000), "the other five have their money");
    assert_eq!(app.count("mails WHERE kind = 'late payment'"), 5);
    assert_verified(&app.database);
}

/// Payments whose time was over before they had a page come first, but Stripe need not be asked about them.
#[test]
fn payments_that_are_too_late_do_not_keep_the_next_buyer_waiting_after_an_outage() {
    let (app, stripe) = open();
    for buyer in 0..40 {
        hold(&app, buyer);
    }
    app.database.execute(
        "INSERT INTO payments (booking_id, live, state, currency, amount_minor, refund_fee_minor, idempotency_key,
             wanted_at, due_at)
         SELECT id, false, 'wanted', 'USD', 20000, 0, token, '2020-01-01 00:00:00', '2090-01-01 00:00:00'
         FROM bookings;
         UPDATE holds SET pay_until = '2020-01-01 00:00:00'",
    );
    stripe.fail("/v1", Fault::HangUp);
    let path = hold(&app, 40);
    assert_eq!(app.post(&format!("{path}/payment"), &[]).status(), 303);
    eventually("Stripe is away", || app.count("payments WHERE last_error IS NOT NULL") == 1);
    stripe.be_well();
    app.database.execute("UPDATE payments SET due_at = '2020-01-01 00:00:00'");
    // One by one, four in a second, they would take ten seconds.
    within(Duration::from_secs(7), "the page is open", || app.count("payments WHERE state = 'open'") == 1);
    eventually("the others have ended", || app.count("payments WHERE state = 'expired'") == 40);
}

/// The buyer comes back before Stripe's webhook arrives.
#[test]
fn a_webhook_that_comes_after_the_way_back_changes_nothing() {
    let (app, stripe) = open();
    let (path, session) = want(&app, &stripe);
    stripe.deliver(Delivery::Never);
    assert!(stripe.pay(&session));
    eventually("the way back settles it", || {
        app.get(&format!("{path}/payment?paid=1"));
        is_confirmed(&app, &path)
    });
    stripe.deliver(Delivery::Twice);
    stripe.send_all_again();
    eventually("it is told", || app.count("payment_events WHERE handled_at IS NOT NULL") == 1);
    assert_eq!((app.count("ledger WHERE kind = 'payment'"), app.count("payments")), (1, 1));
    assert_eq!(stripe.money(), (20_000, 0));
    assert_verified(&app.database);
}

/// The site has a live key, but Stripe says that the payment is test money.
#[test]
fn test_money_confirms_nothing_on_a_live_site() {
    let (app, stripe) = open_with(FakeStripe::start(), 100);
    let live = app.another_server_with(|settings| {
        let key = StripeKey::parse(STRIPE_LIVE_KEY).expect("a key");
        settings.stripe = Some(StripeConfig { key, ..stripe_config(&stripe, 100) });
    });
    let path = hold(&app, 1);
    let form: [(&str, &str); 0] = [];
    let wanted = browser().post(format!("http://{}{path}/payment", live.address)).form(&form).send();
    assert_eq!(wanted.expect("an answer").status(), 303);
    eventually("its page is refused", || app.count("payments WHERE live AND state = 'failed'") == 1);
    // A server with a live key does not ask Stripe about what a test event names.
    let event = r#"{"id": "evt_t", "type": "checkout.session.completed", "created": 1, "livemode": false,
        "data": {"object": {"id": "cs_test_1", "metadata": {"payment": "1"}}}}"#;
    let header = signature::sign(event.as_bytes(), STRIPE_SECRET, Utc::now().timestamp());
    assert_eq!(send(&browser(), &app, event, &header), 200);
    eventually("the server with the test key looks at it", || {
        app.count("payment_events WHERE handled_at IS NOT NULL") == 1
    });
    assert!(!is_confirmed(&app, &path) && !body(&app, &path).contains("data-ticket-code"));
    assert_eq!((app.count("ledger"), app.database.tier("VIP").held), (0, 2));
    assert_verified(&app.database);
}

#[test]
fn another_currency_confirms_nothing() {
    let (app, stripe) = open();
    let (path, session) = want(&app, &stripe);
    stripe.change_session(&session, 20_000, "eur");
    assert!(stripe.pay(&session));
    eventually("it is for people", || app.count("payments WHERE state = 'review'") == 1);
    assert!(!is_confirmed(&app, &path));
    assert_eq!((app.count("ledger"), app.database.tier("VIP").held), (0, 2));
}
