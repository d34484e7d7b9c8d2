//! Refunds and disputes that begin at Stripe: the tickets stay valid and are marked, the gate says so, and a buyer
//! who is refunded gets a mail.

use super::{open, paid};
use crate::check_in::{answer, codes, scan};
use crate::support::TestApp;
use testkit::stripe::FakeStripe;
use testkit::wait::eventually;

/// Two tickets for 200 dollars are paid for, and it is the night of the concert. Returns also the booking's path and
/// the id of its payment page.
fn on_the_night() -> (TestApp, FakeStripe, String, String) {
    let (app, stripe) = open();
    let (path, session) = paid(&app, &stripe);
    app.open_doors();
    (app, stripe, path, session)
}

fn desk_page(app: &TestApp) -> String {
    let reference = app.database.text("SELECT reference AS text FROM bookings");
    let page = app.organizer().get(app.url(&format!("/admin/bookings/{reference}"))).send();
    page.expect("an answer").text().expect("a page")
}

#[test]
fn the_gate_admits_a_disputed_ticket_and_says_so() {
    let (app, stripe, path, session) = on_the_night();
    let organizer = app.organizer();
    let codes = codes(&app, &path);
    let mark = "Payment disputed: the buyer’s bank has asked for the money back";
    assert!(!desk_page(&app).contains(mark));
    let dispute = stripe.dispute(&session);
    eventually("it is noted", || app.count("refunds WHERE source = 'dispute'") == 1);
    let (status, words) = answer(scan(&app, &organizer, "North gate", &codes[0]));
    assert!(status == 201 && words.contains(&format!("{mark}. 1 of 2 admitted")), "{status} {words}");
    assert!(desk_page(&app).contains(mark));
    stripe.decide_dispute(&dispute, "won");
    eventually("it is won", || app.count("refunds WHERE state = 'failed'") == 1);
    let (status, words) = answer(scan(&app, &organizer, "North gate", &codes[1]));
    assert!(status == 201 && !words.contains("disputed"), "{status} {words}");
    assert!(!desk_page(&app).contains(mark));
}

#[test]
fn a_refund_at_stripe_is_told_at_the_gate_and_to_the_buyer() {
    let (app, stripe, path, session) = on_the_night();
    let organizer = app.organizer();
    let codes = codes(&app, &path);
    stripe.refund_outside(&session, 5_000);
    eventually("it is noted", || app.count("refunds WHERE source = 'outside'") == 1);
    let mark = "Refunded at Stripe: $50.00 of $200.00";
    let (status, words) = answer(scan(&app, &organizer, "North gate", &codes[0]));
    assert!(status == 201 && words.contains(mark), "{status} {words}");
    assert!(desk_page(&app).contains(mark));
    // A search by the buyer's name shows the mark too.
    let found = answer_page(&app, &organizer, "Ada Lovelace");
    assert!(found.contains(mark), "{found}");
    assert_eq!(app.count("mails WHERE kind = 'refund' AND payload = '$50.00'"), 1);
    // Repeated events write nothing twice.
    stripe.send_all_again();
    eventually("all is handled", || app.count("payment_events WHERE handled_at IS NULL") == 0);
    assert_eq!(app.count("mails WHERE kind = 'refund'"), 1);
}

fn answer_page(app: &TestApp, organizer: &reqwest::blocking::Client, typed: &str) -> String {
    scan(app, organizer, "North gate", typed).text().expect("a page")
}
