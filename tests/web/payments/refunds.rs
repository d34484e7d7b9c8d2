//! Refunds: bookings that buyers cancel, concerts that are canceled, and payments that come too late.

use crate::payments::{body, is_confirmed, open, paid, paid_unheard, want};
use crate::support::TestApp;
use testkit::server::assert_verified;
use testkit::stripe::Delivery;
use testkit::wait::eventually;

const EVENT: &str = "/admin/events/midnight-parade";

fn set_terms(app: &TestApp, fee: &str) {
    app.database.execute(&format!(
        "UPDATE events SET refund_fee_minor = {fee}, cancellation_deadline_minutes = 0, facts_version = facts_version + 1"
    ));
}

#[test]
fn a_buyer_gets_what_the_terms_say_to_the_cent() {
    let (app, stripe) = open();
    set_terms(&app, "251");
    let (path, _) = paid(&app, &stripe);
    // Later terms do not apply to this buyer.
    set_terms(&app, "NULL");
    assert!(body(&app, &path).contains("Paid online"));
    let question = body(&app, &format!("{path}/cancellation"));
    assert!(question.contains("less $2.51 per ticket") && question.contains("$194.98 for all of them"));
    let one = app.post(&format!("{path}/cancellation"), &[("choice", "1"), ("seat_2", "on")]);
    assert_eq!(one.status(), 303);
    eventually("one goes back", || stripe.money() == (20_000, 9_749));
    assert_verified(&app.database);
    assert_eq!(app.post(&format!("{path}/cancellation"), &[]).status(), 303);
    eventually("the other goes back", || stripe.money() == (20_000, 19_498));
    // Sending the same form again refunds nothing twice.
    app.post(&format!("{path}/cancellation"), &[]);
    eventually("the ledger has both", || app.count("ledger WHERE kind = 'refund'") == 2);
    assert!(body(&app, &path).contains("$194.98 of the $200.00 paid online is being refunded"));
    assert_eq!(app.count("refunds"), 2);
    assert_verified(&app.database);
}

#[test]
fn without_refunds_the_page_says_so_and_nothing_goes_back() {
    let (app, stripe) = open();
    set_terms(&app, "NULL");
    let (path, _) = paid(&app, &stripe);
    let question = body(&app, &format!("{path}/cancellation"));
    assert!(question.contains("The organizer doesn’t refund tickets that buyers cancel"));
    assert_eq!(app.post(&format!("{path}/cancellation"), &[]).status(), 303);
    assert_eq!((app.count("refunds"), app.database.tier("VIP").available), (0, 100));
    assert_verified(&app.database);
}

#[test]
fn a_canceled_concert_gives_everybody_everything_back() {
    let (app, stripe) = open();
    set_terms(&app, "251");
    paid(&app, &stripe);
    let (open_path, open_session) = want(&app, &stripe);
    let (_, late_session) = want(&app, &stripe);
    let organizer = app.organizer();
    // One of the open payments is paid, but its webhook never comes.
    stripe.deliver(Delivery::Never);
    assert!(stripe.pay(&late_session));
    let form = [("event_name", "Midnight Parade"), ("message", "")];
    let canceled = organizer.post(app.url(&format!("{EVENT}/cancellation"))).form(&form).send();
    assert_eq!(canceled.expect("an answer").status(), 303);
    eventually("both payments go back whole", || stripe.money() == (40_000, 40_000));
    eventually("all places are back", || app.database.tier("VIP").available == 100);
    assert!(!stripe.pay(&open_session), "its page is closed");
    assert!(!is_confirmed(&app, &open_path));
    eventually("the ledger has all", || app.count("ledger WHERE kind = 'refund'") == 2);
    assert_verified(&app.database);
}

#[test]
fn a_payment_whose_tickets_are_gone_goes_back_once_with_a_mail() {
    let (app, stripe) = open();
    let path = paid_unheard(&app, &stripe);
    // Somebody else has the tickets.
    app.set_available("VIP", 1);
    app.database.execute("UPDATE payments SET due_at = '2020-01-01 00:00:00'");
    eventually("it goes back", || stripe.money() == (20_000, 20_000));
    eventually("the ledger has it", || app.count("ledger WHERE kind = 'refund'") == 1);
    assert_eq!(app.count("mails WHERE kind = 'late payment'"), 1);
    assert!(!is_confirmed(&app, &path));
    assert_eq!((app.count("refunds"), app.database.tier("VIP").available), (1, 1));
}

#[test]
fn a_payment_after_the_hold_takes_the_tickets_again_while_there_are_some() {
    let (app, stripe) = open();
    let path = paid_unheard(&app, &stripe);
    app.database.execute("UPDATE payments SET due_at = '2020-01-01 00:00:00'");
    eventually("it is confirmed", || is_confirmed(&app, &path));
    assert_eq!((app.database.tier("VIP").sold, stripe.money()), (2, (20_000, 0)));
    assert_verified(&app.database);
}
