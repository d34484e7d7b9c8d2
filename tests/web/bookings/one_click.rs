//! Booking with one click, and undoing it.

use std::time::Duration;

use crate::support::acts::NO_FIELDS;
use crate::support::audit::audited;
use crate::support::{TestApp, between, browser, header};
use testkit::wait::within;

const GREETING: &str = "Welcome back, Ada";

fn undo(app: &TestApp, location: &str) -> reqwest::blocking::Response {
    app.client.post(app.url(&format!("{location}/undo"))).form(&NO_FIELDS).send().expect("an answer")
}

#[test]
fn a_buyer_is_remembered_when_asked_after_a_success_and_until_told_otherwise() {
    let app = TestApp::spawn();
    let landing = || app.get("/").text().expect("a page");
    let checkout = || {
        let path = format!("/bookings/new?ticket_type={}", app.tier_id("VIP"));
        app.get(&path).text().expect("a page")
    };
    app.book_well("VIP", 1);
    assert!(!landing().contains(GREETING) && !checkout().contains("Ada"), "nobody has asked for it");

    // The buyer asks to be remembered, but the booking fails.
    let form = app.open_checkout("VIP", 1);
    app.set_available("VIP", 0);
    let failed = app.send(&[
        ("ticket_type", &form.ticket_type),
        ("quantity", "1"),
        ("name", "Ada Lovelace"),
        ("email", "ada@example.org"),
        ("request_key", &form.request_key),
        ("remember", "1"),
    ]);
    assert_eq!((failed.status().as_u16(), header(&failed, "set-cookie")), (409, ""));
    app.set_available("VIP", 50);
    assert!(!landing().contains(GREETING));

    assert_eq!(app.book_and_be_remembered("VIP").status(), 303);
    let page = landing();
    let express = between(&page, "id=\"express\"", "id=\"availability\"");
    assert!(express.contains(GREETING) && express.contains("a•••@example.org"), "{express}");
    assert!(!page.contains("ada@example.org") && !page.contains("Lovelace"), "{page}");
    assert!(page.contains("button--checkout"), "the checkout stays");
    assert!(checkout().contains("value=\"ada@example.org\"") && checkout().contains("value=\"1\" checked"));
    let booked = app.book_with_one_click("VIP");
    assert_eq!(booked.status(), 303);
    let booking = app.get(header(&booked, "location")).text().expect("a page");
    assert!(booking.contains("Ada Lovelace") && booking.contains("ada@example.org"));

    // A booking without the tick makes the site forget the buyer.
    app.book_well("VIP", 1);
    assert!(!landing().contains(GREETING));
    app.book_and_be_remembered("VIP");
    assert!(landing().contains(GREETING));
    let forgotten = app.post("/buyer/forget", &[("event", "midnight-parade")]);
    assert_eq!(header(&forgotten, "clear-site-data"), "\"cache\"", "the button back shows no name");
    assert_eq!(
        (forgotten.status().as_u16(), header(&forgotten, "location")),
        (303, "/events/midnight-parade")
    );
    let after = landing();
    assert!(!after.contains(GREETING) && after.contains("This browser no longer remembers"), "{after}");
    for elsewhere in ["", "//evil.example", "../admin"] {
        assert_eq!(header(&app.post("/buyer/forget", &[("event", elsewhere)]), "location"), "/");
    }
}

#[test]
fn who_is_not_remembered_cannot_book_with_one_click() {
    let app = TestApp::spawn();
    let checkout = app.open_checkout("VIP", 1);
    let refused = app.send(&[
        ("ticket_type", &checkout.ticket_type),
        ("quantity", "1"),
        ("one_click", "1"),
        ("request_key", &checkout.request_key),
    ]);
    assert_eq!(refused.status(), 422);
    let page = refused.text().expect("a page");
    assert!(page.contains("Enter your name.") && page.contains("checkout-name"), "{page}");
    assert_eq!(app.count("bookings"), 0);
}

#[test]
fn a_one_click_booking_is_undone_once_and_for_real() {
    let app = TestApp::spawn();
    app.book_and_be_remembered("VIP");
    let location = header(&app.book_with_one_click("VIP"), "location").to_owned();
    let page = app.get(&location).text().expect("a page");
    assert!(page.contains(&format!("action=\"{location}/undo\" method=\"post\"")), "a plain form: {page}");
    assert_eq!(app.database.tier("VIP").available, 98);
    let reference = between(&page, "<span>Reference</span><strong>", "</strong>").to_owned();

    for _ in 0..2 {
        let response = undo(&app, &location);
        assert_eq!((response.status().as_u16(), header(&response, "location")), (303, location.as_str()));
    }
    let page = app.get(&location).text().expect("a page");
    assert!(page.contains("Booking canceled") && !page.contains("/undo"), "{page}");
    assert_eq!(app.database.tier("VIP").available, 99);
    app.wait_until_shown("<strong>99</strong> of 100 left");
    assert_eq!(audited(&app, "booking undone"), [("buyer".into(), reference, 1, "127.0.0.1".into())]);
    assert_eq!(app.count("mails WHERE kind = 'cancellation'"), 1, "the buyer is told");
    app.database.assert_books_balance();
    let log = app.organizer().get(app.url("/admin/audit-log")).send().expect("an answer");
    assert!(log.text().expect("a page").contains("One-click booking undone"));
}

/// The database's clock decides: the page may be old, and no browser's clock is used.
#[test]
fn after_ten_seconds_nothing_is_undone() {
    let app = TestApp::spawn();
    app.book_and_be_remembered("VIP");
    let location = header(&app.book_with_one_click("VIP"), "location").to_owned();
    app.age_the_last_booking(11);
    assert!(!app.get(&location).text().expect("a page").contains("/undo"), "the button is gone");
    let late = undo(&app, &location);
    assert_eq!(late.status(), 409);
    let page = late.text().expect("a page");
    assert!(
        page.contains("too late to undo") && page.contains("Cancel 1 × VIP"),
        "what is still possible: {page}"
    );

    app.database
        .execute("UPDATE events SET cancellation_deadline_minutes = NULL, facts_version = facts_version + 1");
    let late = undo(&app, &location);
    assert_eq!(late.status(), 409);
    let page = late.text().expect("a page");
    assert!(
        page.contains("too late to undo") && page.contains("doesn’t offer online cancellation"),
        "{page}"
    );
    assert_eq!((app.database.tier("VIP").available, audited(&app, "booking undone").len()), (98, 0));
    assert!(app.get(&location).text().expect("a page").contains("You’re going!"));

    // A cancellation deadline does not prevent an undo within ten seconds.
    let location = header(&app.book_with_one_click("VIP"), "location").to_owned();
    assert_eq!(undo(&app, &location).status(), 303);
    assert_eq!((app.database.tier("VIP").available, audited(&app, "booking undone").len()), (98, 1));
}

#[test]
fn only_the_browser_that_booked_with_one_click_undoes_it() {
    let app = TestApp::spawn();
    let location = header(&app.book_and_be_remembered("VIP"), "location").to_owned();
    assert!(!app.get(&location).text().expect("a page").contains("/undo"));
    assert_eq!(undo(&app, &location).status(), 409, "this one took a form");
    let location = header(&app.book_with_one_click("VIP"), "location").to_owned();
    let other = browser();
    let page = other.get(app.url(&location)).send().expect("an answer").text().expect("a page");
    assert!(!page.contains("/undo"), "{page}");
    let refused =
        other.post(app.url(&format!("{location}/undo"))).form(&NO_FIELDS).send().expect("an answer");
    assert_eq!(refused.status(), 409);
    assert_eq!(app.database.tier("VIP").available, 98);
    assert_eq!(undo(&app, "/bookings/AAAAAAAAAAAAAAAAAAAAAAAA").status(), 404);
}

/// The page was open while the price was raised.
#[test]
fn one_click_books_at_no_price_that_was_not_shown() {
    let app = TestApp::spawn();
    app.book_and_be_remembered("VIP");
    let page = app.get("/").text().expect("a page");
    let express = between(&page, "id=\"express\"", "id=\"availability\"");
    let key = between(express, "name=\"request_key\" value=\"", "\"").to_owned();
    let vip = app.tier_id("VIP");
    let card = format!("name=\"ticket_type\" value=\"{vip}\">");
    let price =
        between(page.split(&card).nth(1).expect("its card"), "name=\"price\" value=\"", "\"").to_owned();
    assert_eq!(price, "10000");
    app.database.execute(
        "UPDATE ticket_types SET price_minor = 12000, facts_version = facts_version + 1 WHERE name = 'VIP'",
    );
    let shows = |price: &str| app.get("/").text().expect("a page").contains(price);
    within(Duration::from_secs(20), "the board knows the new price", || shows("$120.00"));
    let form = [
        ("ticket_type", &*vip),
        ("quantity", "2"),
        ("one_click", "1"),
        ("request_key", &*key),
        ("price", &*price),
    ];
    let refused = app.send(&form);
    assert_eq!(refused.status(), 409);
    let refused = refused.text().expect("a page");
    assert!(refused.contains("The total is now $240.00. Nothing was booked yet."), "{refused}");
    assert!(refused.contains("value=\"Ada Lovelace\""), "what is known stays: {refused}");
    assert_eq!(app.database.tier("VIP").sold, 1);
    // The checkout shows the new price, and books at it.
    let checkout = app.open_checkout("VIP", 2);
    let form = [
        ("ticket_type", &*checkout.ticket_type),
        ("quantity", "2"),
        ("name", "Ada"),
        ("email", "ada@example.org"),
        ("request_key", &*checkout.request_key),
        ("total", "24000"),
    ];
    assert_eq!(app.send(&form).status(), 303);
    assert_eq!(app.database.tier("VIP").sold, 3);
}
