//! Stripe's fees: for a payment, for a dispute, and in the currency of the Stripe account. Also the ledger, added up
//! and exported.

use super::{open, paid};
use crate::support::TestApp;
use testkit::server::assert_verified;
use testkit::stripe::Delivery;
use testkit::wait::eventually;

const PAYMENTS: &str = "/admin/events/midnight-parade/payments";

fn see(app: &TestApp, path: &str) -> String {
    app.organizer().get(app.url(path)).send().expect("an answer").text().expect("a page")
}

fn booking_page(app: &TestApp) -> String {
    see(app, &format!("/admin/bookings/{}", app.database.text("SELECT reference AS text FROM bookings")))
}

#[test]
fn what_stripe_takes_for_a_dispute_is_entered_and_comes_back_when_it_is_won() {
    let (app, stripe) = open();
    let (_, session) = paid(&app, &stripe);
    let dispute = stripe.dispute(&session);
    eventually("it is entered", || app.count("ledger WHERE kind = 'fee' AND amount_minor = -1500") == 1);
    // The fee of the payment is $6.10, and the fee of the dispute is $15.00.
    let page = see(&app, PAYMENTS);
    assert!(page.contains("$21.10 to Stripe"), "{page}");
    assert!(booking_page(&app).contains("Stripe’s fee $21.10"));
    assert_verified(&app.database);
    stripe.decide_dispute(&dispute, "won");
    eventually("it is given back", || app.count("ledger WHERE kind = 'fee_returned'") == 1);
    stripe.send_all_again();
    eventually("all is handled", || app.count("payment_events WHERE handled_at IS NULL") == 0);
    assert_eq!((app.count("ledger WHERE kind LIKE 'fee%'"), app.count("ledger")), (3, 6));
    let page = see(&app, PAYMENTS);
    assert!(page.contains("$6.10 to Stripe") && page.contains("$193.90</strong> for you"), "{page}");
    let file = see(&app, &format!("{PAYMENTS}.csv"));
    assert!(
        file.contains(",Stripe fee,-15.00,USD,") && file.contains(",Stripe fee returned,15.00,USD,"),
        "{file}"
    );
    assert_verified(&app.database);
}

/// This site hears of the dispute only after it is decided.
#[test]
fn the_fee_of_a_dispute_that_nobody_has_told_of_is_entered() {
    let (app, stripe) = open();
    let (_, session) = paid(&app, &stripe);
    stripe.deliver(Delivery::Never);
    let dispute = stripe.dispute(&session);
    stripe.deliver(Delivery::Once);
    stripe.decide_dispute(&dispute, "lost");
    eventually("it is noted", || app.count("refunds WHERE source = 'dispute' AND state = 'done'") == 1);
    assert_eq!(app.count("ledger WHERE kind = 'fee' AND amount_minor = -1500"), 1);
    assert_verified(&app.database);
}

#[test]
fn a_fee_is_in_the_currency_of_stripes_account() {
    let (app, stripe) = open();
    stripe.set_account_currency("eur");
    let (_, session) = paid(&app, &stripe);
    let fee = "ledger WHERE kind = 'fee' AND currency = 'EUR'";
    assert_eq!(app.count(&format!("{fee} AND amount_minor = -610")), 1);
    // The fee is known, so the site does not ask for it again.
    let asked = || stripe.asked(&format!("GET /v1/checkout/sessions/{session}"));
    let before = asked();
    app.database.execute("UPDATE payments SET due_at = '2020-01-01 00:00:00'");
    stripe.set_late_fees(true);
    paid(&app, &stripe);
    assert_eq!(asked(), before);
    stripe.set_late_fees(false);
    eventually("the other one is known later", || {
        app.database.execute("UPDATE payments SET due_at = '2020-01-01 00:00:00'");
        app.count(&format!("{fee} AND amount_minor = -610")) == 2
    });
    stripe.dispute(&session);
    eventually("that of a dispute too", || app.count(&format!("{fee} AND amount_minor = -1500")) == 1);
    let page = see(&app, PAYMENTS);
    assert!(page.contains("$400.00</strong> paid") && page.contains("€27.20 to Stripe"), "{page}");
    assert!(page.contains(">€21.10</td>"), "{page}");
    assert_verified(&app.database);
}

/// The ledger has more entries than are read at once. They are on two days in the venue's time zone, and some have
/// the UTC date of the next day.
#[test]
fn a_long_ledger_is_exported_line_by_line_and_added_up_by_day() {
    let (app, stripe) = open();
    paid(&app, &stripe);
    for (from, to, at) in [
        (1, 500, "2026-11-20 05:59:59"),
        (501, 1_500, "2026-11-20 06:00:00"),
        (1_501, 2_500, "2026-11-21 05:59:59"),
    ] {
        app.database.execute(&format!(
            "INSERT INTO ledger (entry_key, booking_id, payment_id, kind, amount_minor, currency, live, provider_id,
                                 entered_at)
             WITH RECURSIVE numbers (i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM numbers WHERE i < {to})
             SELECT 'fee of test ' || i, p.booking_id, p.id, 'fee', -i, 'USD', false, 'txn_' || i, '{at}'
             FROM payments p, numbers ORDER BY i"
        ));
    }
    let file = see(&app, &format!("{PAYMENTS}.csv"));
    let ids: Vec<&str> = file.lines().filter_map(|line| line.rsplit(',').nth(1)).collect();
    assert_eq!(ids.len(), 1 + 2 + 2_500);
    let own: Vec<String> = (1..=2_500).map(|i| format!("txn_{i}")).collect();
    assert_eq!(ids[3..], own, "each once, in order");
    let page = see(&app, PAYMENTS);
    // The sums of 1 to 500 cents and of 501 to 2,500 cents; midnight in Chicago is 6:00 in UTC.
    for (day, sum) in [("Thu, Nov 19, 2026", "$1,252.50"), ("Fri, Nov 20, 2026", "$30,010.00")] {
        let line = page.lines().find(|line| line.contains(day)).unwrap_or_else(|| panic!("{day}: {page}"));
        assert!(line.contains(sum), "{line}");
    }
    assert!(page.contains("$31,268.60 to Stripe"), "{page}");
}
