//! The pages of concerts.

use crate::support::{TestApp, header};

#[test]
fn the_first_page_shows_the_concert_and_its_tiers() {
    let app = TestApp::spawn();
    let response = app.get("/");
    assert_eq!(response.status(), 200);
    let html = response.text().expect("a page");
    for text in [
        "Midnight Parade",
        "The Foundry Hall, Chicago",
        // 01:00 UTC on the 20th is the evening before in Chicago.
        "Saturday, June 19, 2027",
        "8:00\u{a0}PM\u{a0}CDT",
        "VIP",
        "Front Row",
        "General Admission",
        "<strong>$100.00</strong>",
        "<strong>100</strong> of 100 left",
        "<strong>1,000</strong> of 1,000 left",
    ] {
        assert!(html.contains(text), "{text}\n{html}");
    }
    assert!(!html.contains("Selling fast") && !html.contains("Sold out"));
}

#[test]
fn the_concert_has_an_address_of_its_own() {
    let app = TestApp::spawn();
    assert_eq!(app.get("/events/midnight-parade").status(), 200);
    let forgiven = app.get("//events/midnight-parade/?from=poster");
    assert_eq!(forgiven.status(), 308, "slashes too many are forgiven");
    assert_eq!(header(&forgiven, "location"), "/events/midnight-parade?from=poster");
    assert_eq!(app.get("/events/midnight-parade/availability/").status(), 308);
}

#[test]
fn several_concerts_make_a_list() {
    let app = TestApp::spawn();
    app.database.execute(
        "INSERT INTO events (slug, name, tagline, venue, city, starts_at, ends_at, time_zone, currency, state)
         VALUES ('encore', 'Encore', 'Again', 'Arena', 'Wien', '2027-07-01 18:00:00', '2027-07-01 21:00:00',
                 'Europe/Vienna', 'EUR', 'published')",
    );
    app.wait_until_shown("href=\"/events/encore\"");
    let html = app.get("/").text().expect("a page");
    assert!(html.contains("href=\"/events/midnight-parade\"") && html.contains("href=\"/events/encore\""));
    assert!(html.contains("8:00\u{a0}PM\u{a0}CEST"), "each in its own time zone");
}

#[test]
fn badges_say_when_stock_is_low_or_gone() {
    let app = TestApp::spawn();
    app.set_available("VIP", 39);
    app.set_available("Front Row", 0);
    let html = app.get_fragment("/events/midnight-parade/availability").text().expect("a fragment");
    assert_eq!(html.matches("Selling fast").count(), 1);
    assert_eq!(html.matches("badge--sold-out").count(), 1);
    assert!(html.contains("<strong>39</strong> of 100 left"));
    assert!(html.contains("max=\"10\"") && !html.contains("<html"), "only the fragment");
}

#[test]
fn the_last_tickets_are_counted_only_where_stock_is_low() {
    let app = TestApp::spawn();
    app.set_available("VIP", 10);
    app.set_available("Front Row", 9);
    let html = app.get_fragment("/events/midnight-parade/availability").text().expect("a fragment");
    assert!(html.contains(">Selling fast</span>") && html.contains(">Almost gone</span>"), "{html}");
    app.database.execute(
        "UPDATE ticket_types SET capacity = 10, available = 9, version = version + 1,
                facts_version = facts_version + 1 WHERE name = 'Front Row'",
    );
    app.wait_until_shown("<strong>9</strong> of 10 left");
    let html = app.get_fragment("/events/midnight-parade/availability").text().expect("a fragment");
    assert!(!html.contains("last 9"), "nine of ten are not few: {html}");
}

/// The page shows what the organizer has entered about a concert, and leaves out what is unknown.
#[test]
fn a_concert_tells_its_doors_end_age_address_text_and_deadline() {
    let app = TestApp::spawn();
    let page = || app.get("/events/midnight-parade").text().expect("a page");
    for nothing in ["Doors open", "<dt>Age</dt>"] {
        assert!(!page().contains(nothing), "{nothing}");
    }
    for text in [
        "8:00\u{a0}PM to 11:00\u{a0}PM\u{a0}CDT",
        "You can cancel your booking until Friday, June 18, 2027, 8:00\u{a0}PM\u{a0}CDT.",
        "maps/search/?api=1&#38;query=The%20Foundry%20Hall%2C%20Chicago",
    ] {
        assert!(page().contains(text), "{text}: {}", page());
    }
    app.database.execute(
        "UPDATE events SET doors_at = '2027-06-20 00:00:00', age_limit = 16, address = '1 Foundry Lane',
                description = 'Two sets & a break.', cancellation_deadline_minutes = NULL,
                time_zone = 'America/Sao_Paulo', facts_version = facts_version + 1",
    );
    app.wait_until_shown("1 Foundry Lane");
    for text in [
        "Doors open at 9:00\u{a0}PM",
        "10:00\u{a0}PM to 1:00\u{a0}AM São\u{a0}Paulo\u{a0}time",
        "16 and over",
        "Two sets &#38; a break.",
        "Bookings can’t be canceled online.",
        "query=The%20Foundry%20Hall%2C%201%20Foundry%20Lane%2C%20Chicago",
    ] {
        assert!(page().contains(text), "{text}: {}", page());
    }
}

/// The page offers no cancellation after the deadline, and nothing for a canceled concert.
#[test]
fn what_is_no_longer_possible_is_not_offered() {
    let app = TestApp::spawn();
    let page = || app.get("/events/midnight-parade").text().expect("a page");
    let booking = app.book_well("VIP", 1);
    assert!(page().contains("calendar.ics"));
    app.database.execute(
        "UPDATE events SET cancellation_deadline_minutes = 400000, facts_version = facts_version + 1",
    );
    app.wait_until_shown("Online cancellation closed on ");
    assert!(!page().contains("You can cancel your booking until"));
    app.database.execute(
        "UPDATE events SET state = 'canceled', cancellation_deadline_minutes = 60, facts_version = facts_version + 1",
    );
    app.wait_until_shown("This concert won’t take place");
    for offer in ["<dt>Cancellation</dt>", "calendar.ics", "cancel your booking"] {
        assert!(!page().contains(offer), "{offer}");
    }
    // The booking's page says this even before the booking itself is canceled.
    let booking = app.get(&booking).text().expect("a page");
    assert!(
        booking.contains("This concert is canceled") && booking.contains(">Concert canceled<"),
        "{booking}"
    );
    assert!(!booking.contains("Plans changed?") && !booking.contains("You’re going"), "{booking}");
}

#[test]
fn availability_is_sent_once_and_then_only_when_it_changes() {
    let app = TestApp::spawn();
    let path = "/events/midnight-parade/availability";
    let first = app.get_fragment(path);
    assert_eq!(first.status(), 200);
    assert_eq!(header(&first, "cache-control"), "public, max-age=1, stale-while-revalidate=2");
    assert_eq!(header(&first, "set-cookie"), "", "the same for everyone");
    let tag = header(&first, "etag").to_owned();
    let again =
        |tag: &str| app.client.get(app.url(path)).header("If-None-Match", tag).send().expect("an answer");

    let unchanged = again(&tag);
    assert_eq!((unchanged.status().as_u16(), header(&unchanged, "etag")), (304, tag.as_str()));
    assert_eq!(unchanged.bytes().expect("a body").len(), 0);

    app.book_well("VIP", 2);
    let changed = again(&tag);
    assert_eq!(changed.status(), 200);
    assert_ne!(header(&changed, "etag"), tag);
    assert!(changed.text().expect("a fragment").contains("<strong>98</strong> of 100 left"));
}

#[test]
fn unknown_concerts_and_pages_are_not_found() {
    let app = TestApp::spawn();
    for path in
        ["/events/nothing", "/events/%00", "/events/nothing/availability", "/nowhere", "/static/css/app.css"]
    {
        let response = app.get(path);
        assert_eq!(response.status(), 404, "{path}");
        assert!(response.text().expect("a page").contains("We can’t find this page"), "{path}");
    }
}
