//! Booking with the form.

use crate::support::{TestApp, between, browser, header};
use testkit::wait::eventually;

#[test]
fn a_booking_is_confirmed_and_the_counts_go_down() {
    let app = TestApp::spawn();
    let location = app.book_well("VIP", 2);
    assert!(location.starts_with("/bookings/"));

    let page = app.get(&location);
    assert_eq!(page.status(), 200);
    assert_eq!(header(&page, "cache-control"), "private, no-store");
    assert_eq!(header(&page, "x-robots-tag"), "noindex, nofollow");
    let html = page.text().expect("a page");
    for text in ["You’re going!", "2 × VIP", "$200.00", "ada@example.org"] {
        assert!(html.contains(text), "{text}\n{html}");
    }
    let reference = between(&html, "<span>Reference</span><strong>", "</strong>");
    assert_eq!(reference.split('-').map(str::len).collect::<Vec<_>>(), [2, 4, 4]);

    assert!(!html.contains("data-toast="), "the page itself is the news");
    assert!(
        browser().get(app.url(&location)).send().expect("an answer").status() == 200,
        "the link is enough"
    );
    let vip = app.database.tier("VIP");
    assert_eq!((vip.available, vip.sold), (98, 2));
    app.database.assert_books_balance();
}

/// When the page is opened later, at the entrance, it shows the ticket codes first and no congratulations.
#[test]
fn weeks_later_a_booking_begins_with_its_tickets() {
    let app = TestApp::spawn();
    let location = app.book_well("VIP", 2);
    app.database.execute("UPDATE bookings SET created_at = '2026-01-02 03:04:05'");
    let html = app.get(&location).text().expect("a page");
    assert!(!html.contains("You’re going!") && !html.contains("confirmation__mark"), "{html}");
    let place = |text: &str| html.find(text).unwrap_or_else(|| panic!("no {text} in {html}"));
    assert!(place(">Midnight Parade</h1>") < place("ticket__qr"));
    assert!(place("ticket__qr") < place("stub__reference"), "the codes come first");
}

#[test]
fn the_back_button_brings_back_the_same_form() {
    let app = TestApp::spawn();
    let path = format!("/bookings/new?ticket_type={}", app.tier_id("VIP"));
    let response = app.get(&path);
    assert_eq!(header(&response, "cache-control"), "private, no-cache", "kept by the browser alone");
    assert_eq!(header(&response, "x-robots-tag"), "noindex, nofollow");
}

#[test]
fn htmx_gets_the_confirmation_for_its_dialog() {
    let app = TestApp::spawn();
    let checkout = app.open_checkout("Front Row", 3);
    let form = [
        ("ticket_type", checkout.ticket_type.as_str()),
        ("quantity", "3"),
        ("name", "Ada"),
        ("email", "ada@example.org"),
        ("request_key", &checkout.request_key),
    ];
    let post = app.client.post(app.url("/bookings")).header("HX-Request", "true").form(&form);
    let response = post.send().expect("an answer");
    assert_eq!((response.status().as_u16(), header(&response, "hx-trigger")), (201, "booked"));
    assert!(header(&response, "location").starts_with("/bookings/"));
    let html = response.text().expect("a fragment");
    assert!(html.contains("You’re going!") && html.contains("$150.00") && !html.contains("<html"));
    assert!(
        html.contains("id=\"express\"") && !html.contains("name=\"request_key\""),
        "nobody is remembered"
    );
    assert_eq!(html.matches("data-ticket-code").count(), 3, "the tickets themselves");
}

#[test]
fn the_same_form_books_once_however_often_it_is_sent() {
    let app = TestApp::spawn();
    let checkout = app.open_checkout("VIP", 2);
    let locations: Vec<String> =
        (0..3).map(|_| header(&app.confirm(&checkout, 2), "location").to_owned()).collect();
    assert!(locations[0].starts_with("/bookings/"));
    assert!(locations.iter().all(|location| *location == locations[0]), "{locations:?}");
    assert_eq!(app.database.tier("VIP").bookings, 1);

    let other = app.confirm(&checkout, 3);
    assert_eq!(other.status(), 422, "the same key for something else");
    assert_eq!(app.database.tier("VIP").sold, 2);
}

#[test]
fn the_last_tickets_stay_with_the_form_that_bought_them() {
    let app = TestApp::spawn();
    app.set_available("VIP", 2);
    let checkout = app.open_checkout("VIP", 2);
    let first = header(&app.confirm(&checkout, 2), "location").to_owned();
    let replay = app.confirm(&checkout, 2);
    assert_eq!((replay.status().as_u16(), header(&replay, "location")), (303, first.as_str()));
}

#[test]
fn not_enough_left_says_how_many_and_keeps_what_was_typed() {
    let app = TestApp::spawn();
    let checkout = app.open_checkout("VIP", 5);
    app.set_available("VIP", 3);
    let response = app.confirm(&checkout, 5);
    assert_eq!(response.status(), 409);
    let html = response.text().expect("a page");
    assert!(html.contains("Only 3 tickets left. We changed your quantity to 3."), "{html}");
    assert!(html.contains("name=\"quantity\" value=\"3\""), "what is left is offered");
    assert!(html.contains("value=\"Ada Lovelace\"") && html.contains("value=\"ada@example.org\""));
    let fresh = between(&html, "name=\"request_key\" value=\"", "\"");
    assert_ne!(fresh, checkout.request_key);
    assert_eq!(app.database.tier("VIP").available, 3);
}

#[test]
fn a_sold_out_tier_offers_the_others() {
    let app = TestApp::spawn();
    let checkout = app.open_checkout("VIP", 1);
    app.set_available("VIP", 0);
    let response = app.confirm(&checkout, 1);
    assert_eq!(response.status(), 409);
    let html = response.text().expect("a page");
    assert!(html.contains("VIP is sold out") && html.contains("Front Row"), "{html}");

    let opened = app.get(&format!("/bookings/new?ticket_type={}", checkout.ticket_type));
    assert_eq!(opened.status(), 409);
    // The form keeps what was typed when the buyer switches to another tier.
    let way = between(&html, "<form action=\"/bookings/new\" method=\"post\"", "</form>");
    assert!(way.contains("name=\"name\" value=\"Ada Lovelace\"") && way.contains("Book instead"), "{way}");
    assert!(way.contains("name=\"email\" value=\"ada@example.org\""), "{way}");
}

/// This covers every cause of a total that differs from the one shown: a quantity that was changed without a script,
/// or a new price.
#[test]
fn nothing_is_booked_for_another_total_than_the_form_shows() {
    let app = TestApp::spawn();
    let checkout = app.open_checkout("VIP", 2);
    let shown = app.get(&format!("/bookings/new?ticket_type={}&quantity=2", checkout.ticket_type));
    let shown = shown.text().expect("a page");
    assert_eq!(between(&shown, "name=\"total\" value=\"", "\""), "20000");
    let send = |quantity: &str, total: &str, key: &str| {
        app.send(&[
            ("ticket_type", &checkout.ticket_type),
            ("quantity", quantity),
            ("name", "Ada Lovelace"),
            ("email", "ada@example.org"),
            ("request_key", key),
            ("total", total),
        ])
    };
    let refused = send("5", "20000", &checkout.request_key);
    assert_eq!(refused.status(), 409);
    let page = refused.text().expect("a page");
    assert!(page.contains("The total is now $500.00. Nothing was booked yet."), "{page}");
    assert!(
        page.contains("value=\"Ada Lovelace\"") && page.contains("name=\"quantity\" value=\"5\""),
        "{page}"
    );
    assert_eq!(app.database.tier("VIP").sold, 0);

    app.database.execute(
        "UPDATE ticket_types SET price_minor = 12000, facts_version = facts_version + 1 WHERE name = 'VIP'",
    );
    app.wait_until_shown("<strong>$120.00</strong>");
    let refused = send("5", between(&page, "name=\"total\" value=\"", "\""), &checkout.request_key);
    assert_eq!(refused.status(), 409);
    let page = refused.text().expect("a page");
    assert!(page.contains("The total is now $600.00."), "{page}");
    let fresh = between(&page, "name=\"request_key\" value=\"", "\"").to_owned();
    let booked = send("5", "60000", &fresh);
    assert_eq!(booked.status(), 303);
    // A form that has booked finds its booking, whatever the tickets cost now.
    app.database.execute(
        "UPDATE ticket_types SET price_minor = 13000, facts_version = facts_version + 1 WHERE name = 'VIP'",
    );
    app.wait_until_shown("<strong>$130.00</strong>");
    assert_eq!(header(&send("5", "60000", &fresh), "location"), header(&booked, "location"));
    assert_eq!(app.database.tier("VIP").bookings, 1);
}

#[test]
fn what_is_to_pay_when_and_how_stands_before_the_button_and_after_it() {
    let app = TestApp::spawn();
    let checkout =
        app.get(&format!("/bookings/new?ticket_type={}&quantity=3", app.tier_id("General Admission")));
    let checkout = checkout.text().expect("a page");
    let due = between(&checkout, "data-due>", "</p>");
    assert_eq!(without_tags(due), "Nothing to pay now. Pay $30.00 at the venue. No booking fees.");
    let button = between(&checkout, "<span class=\"button__idle\">", "<span class=\"button__busy\">");
    assert_eq!(without_tags(button).replace("&nbsp;", " "), "Book · $30.00");
    assert!(checkout.contains("You can cancel online until Friday, June 18, 2027"), "{checkout}");
    assert!(checkout.contains("Ready to dance") || checkout.contains("per ticket"), "{checkout}");
    let booking = app.get(&app.book_well("General Admission", 3)).text().expect("a page");
    assert!(booking.contains("<dt>Due at the venue</dt><dd>$30.00"), "{booking}");
    assert_eq!(booking.matches("<dt>Due at the venue</dt><dd>$10.00</dd>").count(), 3, "on each ticket");

    app.database.execute(
        "UPDATE ticket_types SET price_minor = 0, facts_version = facts_version + 1 WHERE name = 'VIP'",
    );
    app.wait_until_shown("<strong>Free</strong>");
    let checkout = app.get(&format!("/bookings/new?ticket_type={}&quantity=3", app.tier_id("VIP")));
    let checkout = checkout.text().expect("a page");
    assert!(
        checkout.contains("data-total>Free</output>") && checkout.contains("data-due hidden>"),
        "{checkout}"
    );
    let button = between(&checkout, "<span class=\"button__idle\">", "<span class=\"button__busy\">");
    assert_eq!(without_tags(button), "Book");
    let booking = app.get(&app.book_well("VIP", 1)).text().expect("a page");
    assert!(
        booking.contains("<dt>Total</dt><dd>Free</dd>") && booking.contains("<dt>Price</dt><dd>Free</dd>"),
        "{booking}"
    );
    assert!(!booking.contains("Due at the venue"), "{booking}");

    app.database
        .execute("UPDATE events SET cancellation_deadline_minutes = NULL, facts_version = facts_version + 1");
    let rule = "This concert doesn’t offer online cancellation.";
    let path = format!("/bookings/new?ticket_type={}", app.tier_id("VIP"));
    eventually("the rule is shown", || app.get(&path).text().expect("a page").contains(rule));
}

/// The checkout can be shown again unchanged, for other tickets or with other quantities: nothing is booked, nothing
/// is lost.
#[test]
fn the_checkout_is_shown_again_with_what_was_typed() {
    let app = TestApp::spawn();
    let (vip, front_row) = (app.tier_id("VIP"), app.tier_id("Front Row"));
    let revised = app.post(
        "/bookings/new",
        &[
            ("ticket_type", &vip),
            ("quantity", "2"),
            (&format!("quantity_{front_row}"), "3"),
            ("name", "Ada Lovelace"),
            ("email", "ada@"),
            ("remember", "1"),
        ],
    );
    assert_eq!(revised.status(), 200);
    let page = revised.text().expect("a page");
    for text in [
        "value=\"Ada Lovelace\"",
        "value=\"ada@\"",
        "data-total>$350.00</output>",
        "value=\"1\" checked",
        "for 5 tickets",
    ] {
        assert!(page.contains(text), "{text}\n{page}");
    }
    assert!(!page.contains("checkout-email-error"), "nothing was sent yet");
    let wrong = app.post("/bookings/new", &[("ticket_type", &vip), ("quantity", "11"), ("name", "Ada")]);
    assert_eq!(wrong.status(), 422);
    assert!(wrong.text().expect("a page").contains("One person can book up to 10 tickets."));
    assert_eq!(app.post("/bookings/new", &[("ticket_type", "x")]).status(), 404);
    assert_eq!(app.count("bookings"), 0);
}

fn without_tags(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        text += part.rsplit('>').next().unwrap_or_default();
    }
    text.trim().to_owned()
}

#[test]
fn numbers_of_tickets_are_read_as_people_type_them() {
    let app = TestApp::spawn();
    let mut sold = 0;
    for (typed, quantity) in
        [("２", 2), ("\u{663}", 3), ("\u{6f1}", 1), ("\u{200f}2\u{200e}", 2), ("\u{a0}1 ", 1)]
    {
        let checkout = app.open_checkout("General Admission", 1);
        let form = [
            ("ticket_type", checkout.ticket_type.as_str()),
            ("quantity", typed),
            ("name", "Ada Lovelace"),
            ("email", "ada@example.org"),
            ("request_key", &checkout.request_key),
        ];
        assert_eq!(app.post("/bookings", &form).status(), 303, "{typed:?}");
        sold += quantity;
        assert_eq!(app.database.tier("General Admission").sold, sold, "{typed:?}");
    }
}

#[test]
fn a_booking_goes_into_the_calendar() {
    let app = TestApp::spawn();
    let location = app.book_well("General Admission", 4);
    let response = app.get(&format!("{location}/calendar.ics"));
    assert_eq!(header(&response, "content-type"), "text/calendar; charset=utf-8");
    assert_eq!(header(&response, "content-disposition"), "attachment; filename=\"midnight-parade.ics\"");
    assert_eq!(header(&response, "cache-control"), "private, no-store");
    let file = response.text().expect("a file");
    for line in
        ["BEGIN:VCALENDAR", "DTSTART:20270620T010000Z", "DTEND:20270620T040000Z", "SUMMARY:Midnight Parade"]
    {
        assert!(file.contains(line), "{line}\n{file}");
    }
}

#[test]
fn a_guessed_link_opens_nothing() {
    let app = TestApp::spawn();
    for path in ["/bookings/AAAAAAAAAAAAAAAAAAAAAAAA", "/bookings/x/calendar.ics", "/bookings/%00"] {
        assert_eq!(app.get(path).status(), 404, "{path}");
    }
    assert_eq!(app.get("/bookings").status(), 303, "a reload after a refused post");
}
