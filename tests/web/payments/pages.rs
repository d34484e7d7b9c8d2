//! What a buyer sees and reads of a payment, from the held tickets to the mail.

use crate::mail::contents::{mails, parse};
use crate::payments::{body, is_confirmed, open, paid, paid_unheard, want};
use crate::support::{TestApp, header};
use testkit::server::assert_verified;
use testkit::stripe::{Delivery, Fault};
use testkit::wait::eventually;

const EVENT: &str = "/admin/events/midnight-parade";

/// The part of the payment page that a browser polls.
fn held(app: &TestApp, path: &str) -> String {
    app.get_fragment(&format!("{path}/payment")).text().expect("a fragment")
}

#[test]
fn no_mail_and_no_calendar_says_of_a_paid_booking_that_nothing_was_charged() {
    let (app, stripe) = open();
    app.database
        .execute("UPDATE events SET cancellation_deadline_minutes = 0, facts_version = facts_version + 1");
    let (path, _) = paid(&app, &stripe);
    let confirmation = &mails(&app, 1)[0];
    let calendar = app.get(&format!("{path}/calendar.ics")).text().expect("a file").replace("\r\n ", "");
    assert!(calendar.contains("Paid online: $200.00."), "{calendar}");
    let one = app.post(&format!("{path}/cancellation"), &[("choice", "1"), ("seat_2", "on")]);
    assert_eq!(one.status(), 303);
    let all = mails(&app, 2);
    let returned = all.iter().find(|it| *it != confirmation).expect("a mail about the return");
    let mut said = vec![calendar];
    for (mail, words) in [
        (parse(confirmation), "Paid online: $200.00."),
        (
            parse(returned),
            "$100.00 of the $200.00 paid online is being refunded to the original payment method.",
        ),
    ] {
        for text in [mail.body_text(0).expect("text"), mail.body_html(0).expect("HTML")] {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains(words), "{text}");
            said.push(text);
        }
    }
    assert!(
        said.iter().all(|text| !text.contains("Nothing was charged") && !text.contains("Due at the venue"))
    );
}

#[test]
fn held_tickets_lead_to_the_page_to_pay_on_and_so_does_their_booking() {
    let (app, stripe) = open();
    let wishes = [("VIP", 2)];
    let checkout = app.open_order(&wishes);
    let form = app.order_form("ada@example.org", &checkout, &wishes);
    let post = || app.client.post(app.url("/bookings")).form(&form);
    let fragment = post().header("HX-Request", "true").send().expect("an answer");
    let page = header(&fragment, "hx-redirect").to_owned();
    assert!(page.ends_with("/payment"), "the dialog cannot leave for Stripe's page: {page}");
    let path = page.trim_end_matches("/payment");
    assert_eq!(header(&post().send().expect("an answer"), "location"), page, "the same form again");
    assert_eq!(header(&app.get(path), "location"), page);
    let shown = body(&app, &page);
    for words in
        ["Your tickets are held", "Yours until", "2 × VIP", "Pay $200.00", "More time", "5 left", "Release"]
    {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(shown.contains("Test mode:") && body(&app, "/").contains("no money is taken"));
    // Sent again with the other choice, the form finds the same booking, and the page says so.
    let mut at_venue = form.clone();
    at_venue.push(("pay".into(), "venue".into()));
    let again = app.client.post(app.url("/bookings")).form(&at_venue).send().expect("an answer");
    assert_eq!(header(&again, "location"), page);
    assert!(body(&app, &page).contains("To pay at the venue, release them and book again."));

    // After the hold has ended, the same form does not say that it has booked.
    app.database.execute("UPDATE holds SET held_until = '2020-01-01 00:00:00', pay_until = NULL");
    eventually("the hold ends", || app.database.tier("VIP").held == 0);
    let over = post().header("HX-Request", "true").send().expect("an answer");
    assert_eq!((over.status().as_u16(), header(&over, "hx-trigger")), (200, ""));
    let over = over.text().expect("a page");
    assert!(
        over.contains("The time to pay for that booking has run out") && over.contains("nothing was charged")
    );
    drop(stripe);
}

#[test]
fn the_same_form_after_the_payment_does_not_ask_for_the_money_again() {
    let (app, stripe) = open();
    let wishes = [("VIP", 2)];
    let checkout = app.open_order(&wishes);
    let form = app.order_form("ada@example.org", &checkout, &wishes);
    let post = || app.client.post(app.url("/bookings")).form(&form).header("HX-Request", "true").send();
    let page = header(&post().expect("an answer"), "hx-redirect").to_owned();
    assert_eq!(app.post(&page, &[]).status(), 303);
    let session = stripe.wait_for_open_sessions(1).remove(0);
    eventually("the page has the link", || body(&app, &page).contains(&session));
    assert!(stripe.pay(&session));
    eventually("it is confirmed", || is_confirmed(&app, page.trim_end_matches("/payment")));
    let again = post().expect("an answer").text().expect("a fragment");
    assert!(again.contains("Paid online") && !again.contains("Due at the venue"), "{again}");
}

#[test]
fn the_page_says_what_is_going_on_and_offers_the_way_to_pay_again() {
    let (app, stripe) = open();
    stripe.deliver(Delivery::Never);
    let (path, session) = want(&app, &stripe);
    // A buyer who says that they have paid is told that the payment is being checked, and later that no payment has
    // come.
    let page = format!("{path}/payment");
    let checking = body(&app, &format!("{page}?paid=1"));
    assert!(
        checking.contains("Checking your payment")
            && checking.contains("<noscript><meta http-equiv=\"refresh\"")
    );
    let over = body(&app, &format!("{page}?paid=1000000000"));
    assert!(over.contains("haven’t received your payment") && over.contains(&session), "{over}");
    assert!(!over.contains("http-equiv=\"refresh\""), "it reloads for ever");
    // A buyer who comes back after a decline is told by the next check, without a webhook.
    stripe.decline(&session, "insufficient_funds");
    let back = body(&app, &format!("{page}?back=1"));
    assert!(back.contains("http-equiv=\"refresh\""), "without a script the page looks again: {back}");
    eventually("the decline is told", || {
        held(&app, &path).contains("Your bank declined the payment. The tickets are yours until")
    });
    assert!(held(&app, &path).contains(&session), "the same page takes another card");
    // The tickets are released while Stripe does not answer: the page waits, and offers nothing.
    stripe.fail("/v1/checkout/sessions", Fault::HangUp);
    assert_eq!(app.post(&format!("{path}/release"), &[]).status(), 303);
    let closing = held(&app, &path);
    assert!(closing.contains("Your time to pay has run out") && !closing.contains(&session), "{closing}");
    stripe.be_well();
    eventually("the tickets are back", || app.database.tier("VIP").available == 100);
    assert_eq!(header(&app.get_fragment(&page), "hx-redirect"), path);
    assert_verified(&app.database);
}

#[test]
fn a_page_that_stripe_refuses_is_told_and_asked_for_again() {
    let (app, stripe) = open();
    stripe.fail("/v1/checkout/sessions", Fault::Status(400));
    let path = app.book_order(&[("VIP", 2)]);
    let asked = app.post(&format!("{path}/payment"), &[]);
    assert_eq!(header(&asked, "location"), format!("{path}/payment#pay"), "the script goes on from there");
    eventually("it is told", || held(&app, &path).contains("could not be opened. Nothing was charged."));
    assert!(held(&app, &path).contains("Pay $200.00"));
    stripe.be_well();
    assert_eq!(app.post(&format!("{path}/payment"), &[]).status(), 303);
    let session = stripe.wait_for_open_sessions(1).remove(0);
    let waiting = held(&app, &path);
    assert!(!waiting.contains("Your 15 minutes begin"), "a second attempt gets what is left: {waiting}");
    assert!(stripe.pay(&session));
    eventually("it is confirmed", || is_confirmed(&app, &path));
    assert_verified(&app.database);
}

#[test]
fn more_time_before_paying_is_not_taken_back() {
    let (app, stripe) = open();
    let path = app.book_order(&[("VIP", 2)]);
    for _ in 0..5 {
        assert_eq!(app.post(&format!("{path}/extension"), &[]).status(), 303);
    }
    let until = |app: &TestApp| -> String {
        let page = held(app, &path);
        crate::support::between(&page, "<time datetime=\"", "\"").to_owned()
    };
    let promised = until(&app);
    assert!(!held(&app, &path).contains("More time"));
    assert_eq!(app.post(&format!("{path}/payment"), &[]).status(), 303);
    let session = stripe.wait_for_open_sessions(1).remove(0);
    eventually("the page has the link", || held(&app, &path).contains(&session));
    assert_eq!(until(&app), promised);
}

#[test]
fn another_amount_is_looked_into_and_nobody_is_asked_to_pay_again() {
    let (app, stripe) = open();
    let (path, session) = want(&app, &stripe);
    stripe.change_session(&session, 19_999, "usd");
    assert!(stripe.pay(&session));
    eventually("it is for people", || app.count("payments WHERE state = 'review'") == 1);
    for _ in 0..2 {
        let page = held(&app, &path);
        assert!(page.contains("We have your payment") && !page.contains("Pay $200.00"), "{page}");
        assert_eq!(header(&app.get(&path), "location"), format!("{path}/payment"));
        // The same after the tickets have gone back.
        app.database.execute("UPDATE holds SET held_until = '2020-01-01 00:00:00', pay_until = NULL");
        eventually("the hold ends", || app.database.tier("VIP").held == 0);
    }
}

#[test]
fn a_payment_that_goes_back_is_told_on_the_bookings_page() {
    let (app, stripe) = open();
    let path = paid_unheard(&app, &stripe);
    app.set_available("VIP", 1);
    app.database.execute("UPDATE payments SET due_at = '2020-01-01 00:00:00'");
    eventually("it goes back", || stripe.money() == (20_000, 20_000));
    let page = body(&app, &path);
    assert!(
        page.contains("The $200.00 paid online is being refunded to the original payment method"),
        "{page}"
    );
    app.database.execute("UPDATE refunds SET state = 'failed'");
    app.database.execute("UPDATE payments SET refunded_minor = 0");
    let page = body(&app, &path);
    assert!(page.contains("could not be refunded") && page.contains("ask the organizer"), "{page}");
}

#[test]
fn one_click_holds_where_tickets_are_paid_for_online() {
    let (app, stripe) = open();
    app.database.execute("UPDATE events SET payment = 'both', facts_version = facts_version + 1");
    let id = app.id_of("VIP");
    eventually("the board knows it", || {
        body(&app, &format!("/bookings/new?ticket_type={id}")).contains("How do you want to pay?")
    });
    app.book_and_be_remembered("VIP");
    let page = body(&app, "/");
    assert!(page.contains("“Book now” holds your tickets and takes you to payment."), "{page}");
    let booked = app.book_with_one_click("VIP");
    assert!(header(&booked, "location").ends_with("/payment"));
    assert_eq!(app.database.tier("VIP").held, 1);
    drop(stripe);
}

#[test]
fn a_form_that_does_not_know_of_money_leaves_its_terms_as_they_are() {
    let (app, _stripe) = open();
    let organizer = app.organizer();
    let terms = || app.count("events WHERE payment = 'online' AND refund_fee_minor = 250");
    app.database.execute("UPDATE events SET refund_fee_minor = 250, facts_version = facts_version + 1");
    let send = |form: &[(&str, &str)]| {
        let post = organizer.post(app.url(&format!("{EVENT}/edit"))).form(form);
        post.send().expect("an answer")
    };
    assert_eq!(send(&[("tagline", "New")]).status(), 303);
    assert_eq!((terms(), app.count("events WHERE tagline = 'New'")), (1, 1));
    let emptied = send(&[("refund_fee", "")]);
    assert_eq!((emptied.status().as_u16(), terms()), (422, 1));
    assert!(emptied.text().expect("a page").contains("“none” refunds nothing"));
    assert_eq!(send(&[("refund_fee", "none")]).status(), 303);
    assert_eq!(app.count("events WHERE payment = 'online' AND refund_fee_minor IS NULL"), 1);
    let form =
        organizer.get(app.url(&format!("{EVENT}/edit"))).send().expect("an answer").text().expect("a page");
    assert!(form.contains("name=\"refund_fee\" value=\"none\""), "{form}");
}
