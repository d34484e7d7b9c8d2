//! Money as the organizer sees it: lists, totals, exports, refunds by hand; and the buyer's receipt.

use reqwest::blocking::Client;

use crate::mail::contents::{mails, parse};
use crate::payments::{self, body, insert_payment, is_confirmed, open, want};
use crate::support::audit::audited;
use crate::support::{TestApp, between, header};
use testkit::server::assert_verified;
use testkit::stripe::{FakeStripe, Fault};
use testkit::wait::eventually;

const PAYMENTS: &str = "/admin/events/midnight-parade/payments";

/// A booking of two VIP tickets that is paid for: its path and its reference.
fn paid(app: &TestApp, stripe: &FakeStripe) -> (String, String) {
    let (path, _) = payments::paid(app, stripe);
    let page = body(app, &path);
    (path, page[page.find("TK-").expect("a reference")..][.."TK-7F3K-9QXM".len()].to_owned())
}

fn see(app: &TestApp, client: &Client, path: &str) -> String {
    client.get(app.url(path)).send().expect("an answer").text().expect("a page")
}

fn refund(app: &TestApp, client: &Client, reference: &str, form: &[(&str, &str)]) -> (u16, String) {
    let post = client.post(app.url(&format!("/admin/bookings/{reference}/refund"))).form(form);
    let answer = post.send().expect("an answer");
    (answer.status().as_u16(), answer.text().expect("a page"))
}

#[test]
fn a_receipt_names_the_tax_the_card_and_what_went_back() {
    let (app, stripe) = open();
    app.database
        .execute("UPDATE events SET cancellation_deadline_minutes = 0, facts_version = facts_version + 1");
    app.database.execute("UPDATE ticket_types SET tax_rate = 825");
    let (path, reference) = paid(&app, &stripe);
    let receipt = format!("{path}/receipt");
    assert!(body(&app, &path).contains(&format!("href=\"{receipt}\"")));
    let mail = parse(&mails(&app, 1)[0]).body_text(0).expect("text").into_owned();
    assert!(mail.contains(&app.url(&receipt)), "{mail}");
    let page = body(&app, &receipt);
    for words in [
        reference.as_str(),
        "2 × VIP",
        "8.25%",
        // 200.00 * 8.25 / 108.25
        "Tax of 8.25% included</th><td class=\"num\">$15.24",
        "Visa ending in 4242, through Stripe",
        "Ada Lovelace",
        "Test payment: no money was taken.",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("Refund"), "{page}");
    app.post(&format!("{path}/cancellation"), &[("choice", "1"), ("seat_2", "on")]);
    eventually("it goes back", || body(&app, &receipt).contains(", refunded</span>"));
    let page = body(&app, &receipt);
    assert!(page.contains("Refund of ticket 2") && page.contains("−$100.00"), "{page}");
    assert!(page.contains("Paid less refunds</th><td class=\"num\">$100.00"), "{page}");
    // An unpaid booking has no receipt.
    let (unpaid, _) = want(&app, &stripe);
    assert_eq!(app.get(&format!("{unpaid}/receipt")).status(), 404);
}

#[test]
fn an_organizer_sees_payments_totals_and_the_webhook() {
    let (app, stripe) = open();
    let organizer = app.organizer();
    let empty = see(&app, &organizer, PAYMENTS);
    assert!(empty.contains("No payments yet.") && empty.contains("Nobody has paid online yet."), "{empty}");
    let (_, reference) = paid(&app, &stripe);
    let (_, open_session) = want(&app, &stripe);
    let list = see(&app, &organizer, PAYMENTS);
    for words in [
        reference.as_str(),
        "$200.00</strong> paid",
        "$6.10 to Stripe",
        "$193.90</strong> for you",
        "https://dashboard.stripe.com/test/payments/pi_",
        "Visa ending in 4242",
        "Stripe’s last event came just now.",
    ] {
        assert!(list.contains(words), "{words}: {list}");
    }
    assert!(see(&app, &organizer, &format!("{PAYMENTS}?show=open")).contains("Paying"));
    assert!(!list.contains(">Paying<"));
    assert_eq!(
        organizer.get(app.url(&format!("{PAYMENTS}?show=x"))).send().expect("an answer").status(),
        404
    );
    stripe.let_expire(&open_session);
    eventually("it is over", || {
        see(&app, &organizer, &format!("{PAYMENTS}?show=ended")).contains("Not paid")
    });
    let all = see(&app, &organizer, "/admin/payments");
    assert!(all.contains("1 paid") && all.contains("Nothing needs your attention"), "{all}");
    let booking = see(&app, &organizer, &format!("/admin/bookings/{reference}"));
    assert!(booking.contains("Stripe’s fee $6.10") && booking.contains("Refund an amount"), "{booking}");
    // The box office sees what was paid, but cannot refund it.
    let desk = app.member("box_office");
    let booking = see(&app, &desk, &format!("/admin/bookings/{reference}"));
    assert!(booking.contains("Stripe’s fee $6.10") && !booking.contains("Refund an amount"), "{booking}");
    assert_eq!(desk.get(app.url(PAYMENTS)).send().expect("an answer").status(), 403);
}

#[test]
fn everything_that_has_moved_money_is_exported() {
    let (app, stripe) = open();
    let organizer = app.organizer();
    let (_, reference) = paid(&app, &stripe);
    let file = see(&app, &organizer, &format!("{PAYMENTS}.csv"));
    let lines: Vec<&str> = file.lines().collect();
    assert_eq!(lines.len(), 3, "{file}");
    assert!(lines[0].contains("kind,amount,currency,reference,buyer_name,method,stripe_id,mode"), "{file}");
    assert!(
        lines[1].contains(&format!(",payment,200.00,USD,{reference},Ada Lovelace,visa 4242,pi_")),
        "{file}"
    );
    assert!(lines[2].contains(",Stripe fee,-6.10,USD,") && lines[2].ends_with(",test"), "{file}");
    let workbook = organizer.get(app.url(&format!("{PAYMENTS}.xlsx"))).send().expect("an answer");
    assert!(header(&workbook, "content-disposition").contains("payments-midnight-parade.xlsx"));
    assert_eq!(&workbook.bytes().expect("a file")[..2], b"PK");
    let exported = ("admin".to_owned(), "midnight-parade".to_owned(), 2, "127.0.0.1".to_owned());
    assert_eq!(audited(&app, "payments exported"), [exported.clone(), exported]);
    assert_eq!(audited(&app, "bookings exported"), []);
    let log = see(&app, &organizer, "/admin/audit-log?action=payments+exported");
    assert!(log.contains("2 movements of money"), "{log}");
}

/// No worker runs here: a real one would set when it asks again.
#[test]
fn a_page_whose_outcome_is_unknown_needs_attention_while_stripe_is_asked() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.book_well("VIP", 1);
    insert_payment(&app, "open", 10_000, "2039-01-01 00:00:00");
    for path in ["/admin/payments", PAYMENTS] {
        let page = see(&app, &organizer, path);
        assert!(page.contains("Stripe hasn’t reported the outcome for an hour. We keep asking."), "{page}");
    }
    app.database.execute("UPDATE payments SET session_ends_at = '2039-01-01 00:00:00'");
    assert!(!see(&app, &organizer, "/admin/payments").contains("Needs attention"), "somebody may be paying");
}

#[test]
fn an_amount_goes_back_once_with_the_password_and_a_mail() {
    let (app, stripe) = open();
    let organizer = app.organizer();
    let (path, reference) = paid(&app, &stripe);
    let page = see(&app, &organizer, &format!("/admin/bookings/{reference}/refund"));
    assert!(page.contains("$200.00 was paid") && page.contains("name=\"refunded\" value=\"0\""), "{page}");
    let password = app.admin_password.clone();
    let form = |amount, password| {
        [("amount", amount), ("refunded", "0"), ("reason", "The sound failed."), ("password", password)]
    };
    for (amount, word, status, says) in [
        ("200.01", &*password, 422, "$200.00 of this payment is left."),
        ("0", &*password, 422, "Enter more than 0."),
        ("x", &*password, 422, "aria-invalid"),
        ("12.34", "wrong", 422, "Wrong password. Nothing was refunded."),
    ] {
        let (answered, page) = refund(&app, &organizer, &reference, &form(amount, word));
        assert!(
            answered == status && page.contains(says) && page.contains("The sound failed."),
            "{amount}: {page}"
        );
        assert!(!page.contains(&password));
    }
    assert_eq!(app.count("refunds"), 0);
    assert_eq!(refund(&app, &organizer, &reference, &form("12.34", &password)).0, 303);
    eventually("it goes back", || stripe.money() == (20_000, 1_234));
    // The same form again, from another tab.
    let (status, page) = refund(&app, &organizer, &reference, &form("12.34", &password));
    assert!(status == 409 && page.contains("Something was refunded since"), "{page}");
    assert_eq!(app.count("refunds"), 1);
    assert_eq!(audited(&app, "money refunded").len(), 1);
    assert!(is_confirmed(&app, &path), "the tickets stay");
    eventually("the ledger has it", || app.count("ledger WHERE kind = 'refund'") == 1);
    assert_verified(&app.database);
    let all = mails(&app, 2);
    let texts = all.iter().map(|mail| parse(mail).body_text(0).expect("text").into_owned());
    let texts: Vec<String> = texts.collect();
    let about = texts.iter().find(|text| text.contains("Your refund of $12.34")).expect("a mail");
    assert!(about.contains("The sound failed.") && about.contains("Your tickets stay valid."), "{about}");
    assert!(about.contains(&format!("{path}/receipt")), "{about}");
    let desk = app.member("box_office");
    assert_eq!(refund(&app, &desk, &reference, &form("1", &password)).0, 403);
}

#[test]
fn a_refund_that_did_not_work_needs_the_organizer_and_is_asked_for_again() {
    let (app, stripe) = open();
    let organizer = app.organizer();
    let (path, reference) = paid(&app, &stripe);
    stripe.fail("/v1/refunds", Fault::Status(400));
    let password = app.admin_password.clone();
    let form =
        |refunded| [("amount", "50.00"), ("refunded", refunded), ("reason", ""), ("password", &*password)];
    assert_eq!(refund(&app, &organizer, &reference, &form("0")).0, 303);
    let again = format!("/admin/bookings/{reference}/refund?amount=50.00");
    eventually("it needs the organizer", || see(&app, &organizer, "/admin/payments").contains(&again));
    assert!(see(&app, &organizer, PAYMENTS).contains("A refund of $50.00 failed"));
    assert!(see(&app, &organizer, &format!("/admin/bookings/{reference}")).contains("Did not work"));
    assert!(body(&app, &format!("{path}/receipt")).contains("failed: please ask the organizer"));
    stripe.be_well();
    assert!(see(&app, &organizer, &again).contains("value=\"50.00\""));
    assert_eq!(refund(&app, &organizer, &reference, &form("0")).0, 303);
    eventually("it goes back", || stripe.money() == (20_000, 5_000));
    assert!(!see(&app, &organizer, "/admin/payments").contains("$50.00 failed"));
    assert!(body(&app, &path).contains("You’re going!"));
}

#[test]
fn a_buyer_whose_bank_declines_gets_one_mail_and_the_tickets_stay() {
    let (app, stripe) = open();
    let (path, session) = want(&app, &stripe);
    stripe.decline(&session, "insufficient_funds");
    let mail = parse(&mails(&app, 1)[0]).body_text(0).expect("text").into_owned();
    assert!(mail.contains("Your bank declined the payment, and nothing was charged."), "{mail}");
    assert!(mail.contains(&app.url(&format!("{path}/payment"))) && mail.contains("Held until"), "{mail}");
    stripe.decline(&session, "lost_card");
    eventually("the second one is noted", || app.count("payments WHERE declined = 'lost_card'") == 1);
    assert!(stripe.pay(&session));
    eventually("it is confirmed", || is_confirmed(&app, &path));
    assert_eq!(app.count("mails WHERE kind = 'payment declined'"), 1);
}

fn webhook_part(page: &str) -> &str {
    between(page, ">Stripe’s webhook<", "<p>")
}

#[test]
fn the_setup_page_asks_stripe() {
    let (app, stripe) = open();
    app.sign_in(&app.client, &app.admin_password);
    let page = || body(&app, "/admin/setup");
    let shown = page();
    assert!(shown.contains(">Online payment<") && shown.contains("no money is taken"), "{shown}");
    assert!(
        webhook_part(&shown).contains(">To review</span></h2>") && shown.contains("/webhooks/stripe"),
        "{shown}"
    );
    // The key is unknown, or it is a restricted one that lacks a permission.
    for status in [401, 403] {
        stripe.fail("/v1/events", Fault::Status(status));
        assert!(page().contains("Stripe refuses the key: nobody can pay."), "{status}");
        stripe.be_well();
    }
    paid(&app, &stripe);
    assert!(webhook_part(&page()).contains(">OK</span></h2>"));
    // No webhook has come in time: the site learned of the events by asking Stripe.
    let early = if app.database.is_postgres() {
        "happened_at - interval '1 hour'"
    } else {
        "strftime('%Y-%m-%d %H:%M:%f', happened_at, '-1 hour')"
    };
    app.database.execute(&format!("UPDATE payment_events SET happened_at = {early}"));
    let late = page();
    assert!(
        webhook_part(&late).contains(">To fix</span></h2>") && late.contains("came only when we asked"),
        "{late}"
    );
}
