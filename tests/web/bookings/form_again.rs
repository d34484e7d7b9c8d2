//! A booking form that fails through no fault of the buyer comes back as it was sent, for browsers without scripts.
//! Pressing its button again books once.

use std::time::{Duration, Instant};

use reqwest::blocking::Response;
use techkraft::guard::limits::Rates;
use testkit::blockade::Transaction;

use crate::guard::limits::rates;
use crate::support::{TestApp, between, header};

/// The fields that the form in an answer would send.
struct SentForm {
    html: String,
    fields: Vec<(String, String)>,
}

impl SentForm {
    fn of(response: Response) -> Self {
        let html = response.text().expect("a page");
        let form = between(&html, "<form class=\"checkout__form\"", "</form>");
        let inputs = form.split("<input ").skip(1).filter(|input| !input.contains("type=\"checkbox\""));
        let field = |input: &str| {
            (between(input, "name=\"", "\"").to_owned(), between(input, "value=\"", "\"").to_owned())
        };
        let fields = inputs.filter(|input| input.contains("value=\"")).map(field).collect();
        Self { fields, html }
    }

    fn value(&self, name: &str) -> &str {
        self.fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
    }

    fn send(&self, app: &TestApp) -> Response {
        app.client.post(app.url("/bookings")).form(&self.fields).send().expect("an answer")
    }

    fn assert_is_the_same(&self, request_key: &str, email: &str) {
        assert_eq!(self.value("request_key"), request_key, "{}", self.html);
        assert_eq!((self.value("name"), self.value("email")), ("Ada Lovelace", email));
        assert_eq!(self.value("quantity"), "2");
    }
}

#[test]
fn a_busy_server_gives_the_form_back_and_it_books_once() {
    let app = TestApp::spawn_with(|config| config.desk.deadline = Duration::from_millis(400));
    let checkout = app.open_checkout("VIP", 2);
    let block = Transaction::blocking_writes(&app.database);
    let busy = app.confirm(&checkout, 2);
    assert_eq!((busy.status().as_u16(), header(&busy, "retry-after")), (503, "2"));
    let form = SentForm::of(busy);
    form.assert_is_the_same(&checkout.request_key, "ada@example.org");
    assert!(form.html.contains("We’re very busy and couldn’t book this yet."), "{}", form.html);

    // With scripts, the form stays in the page, and the message is shown above the button.
    let fields = checkout.fields("Ada Lovelace", "ada@example.org");
    let fragment = app.client.post(app.url("/bookings")).form(&fields).header("HX-Request", "true");
    let fragment = fragment.send().expect("an answer");
    assert_eq!(fragment.status(), 503);
    assert!(!fragment.text().expect("a page").contains("checkout__form"));
    block.end("ROLLBACK");

    // On PostgreSQL, the desk skips for a moment what was locked.
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut booked = form.send(&app);
    while booked.status() == 503 && Instant::now() < deadline {
        booked = form.send(&app);
    }
    assert_eq!(booked.status(), 303);
    let location = header(&booked, "location").to_owned();
    let again = form.send(&app);
    assert_eq!((again.status().as_u16(), header(&again, "location")), (303, location.as_str()));
    assert_eq!((app.count("bookings"), app.database.tier("VIP").sold), (1, 2));
}

/// The last tickets may have gone to this same order, so its form does not say "sold out".
#[test]
fn a_failure_gives_the_whole_order_back_whatever_is_left() {
    let app = TestApp::spawn();
    let checkout = app.open_checkout("VIP", 2);
    let front_row = app.tier_id("Front Row");
    let form = [
        ("ticket_type", checkout.ticket_type.as_str()),
        ("quantity", "2"),
        (&format!("quantity_{front_row}"), "1"),
        ("name", "Ada Lovelace"),
        ("email", "ada@example.org"),
        ("request_key", &checkout.request_key),
    ];
    app.set_available("VIP", 0);
    app.set_available("Front Row", 0);
    app.database.execute("ALTER TABLE bookings RENAME TO away");
    let failed = app.send(&form);
    app.database.execute("ALTER TABLE away RENAME TO bookings");
    assert_eq!(failed.status(), 500);
    let failed = SentForm::of(failed);
    failed.assert_is_the_same(&checkout.request_key, "ada@example.org");
    assert_eq!(failed.value(&format!("quantity_{front_row}")), "1");
    assert!(failed.html.contains("Something broke backstage"), "{}", failed.html);
    assert!(!failed.html.contains("sold out"), "{}", failed.html);

    let sent_again = failed.send(&app);
    assert_eq!(sent_again.status(), 409);
    assert!(sent_again.text().expect("a page").contains("VIP is sold out"));
    app.database.assert_books_balance();
}

#[test]
fn who_has_booked_too_many_gets_the_form_back_with_the_wait() {
    let tickets = "2/hour".parse().expect("a rate");
    let app = TestApp::spawn_with(|config| config.rate_limits = Some(Rates { tickets, ..rates() }));
    app.book_well("VIP", 2);
    let checkout = app.open_checkout("VIP", 2);
    let limited = app.confirm_for("eve@example.org", &app.client, &checkout, 2);
    assert_eq!(limited.status(), 429);
    let seconds: u32 = header(&limited, "retry-after").parse().expect("seconds");
    let form = SentForm::of(limited);
    form.assert_is_the_same(&checkout.request_key, "eve@example.org");
    let says = form.html.contains("Wait ") && form.html.contains("seconds, then press the button again");
    assert!(seconds > 1 && says, "{}", form.html);
    assert_eq!(app.database.tier("VIP").sold, 2);
}

/// Without a script, the total that is sent belongs to the old quantity. The answer says how many tickets are left,
/// which matters more, and its form has the new quantity and the new total.
#[test]
fn who_wants_more_than_is_left_is_told_how_many_there_are() {
    let app = TestApp::spawn();
    app.database.set_available("VIP", 5);
    app.wait_until_shown("<strong>5</strong> of 100 left");
    let checkout = app.open_checkout("VIP", 2);
    let refused = app.send(&[
        ("ticket_type", &checkout.ticket_type),
        ("quantity", "9"),
        ("name", "Ada Lovelace"),
        ("email", "ada@example.org"),
        ("request_key", &checkout.request_key),
        ("total", "20000"),
    ]);
    assert_eq!(refused.status(), 409);
    let page = refused.text().expect("a page");
    assert!(page.contains("Only 5 tickets left. We changed your quantity to 5."), "{page}");
    assert!(page.contains("name=\"quantity\" value=\"5\"") && !page.contains("The total is now"), "{page}");
    assert_eq!(between(&page, "name=\"total\" value=\"", "\""), "50000");
    assert_eq!(app.database.tier("VIP").available, 5);
}
