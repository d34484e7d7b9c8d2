//! A concert's dashboard: its figures match the bookings, and many bookings are counted once a minute for everybody.

use std::thread;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use techkraft::db::{Database, DatabaseUrl};
use techkraft::sales::store::{count_again, keep};

use super::*;
use crate::support::between;
use crate::support::orders::BoxOffice;

const EVENT: &str = "/admin/events/midnight-parade";

fn dashboard(app: &TestApp, organizer: &Client) -> String {
    page(app, organizer, &format!("{EVENT}/dashboard"))
}

/// The figure under a heading, without the total beside it.
fn figure<'a>(html: &'a str, name: &str) -> &'a str {
    let figure = between(html, &format!("<dt>{name}</dt><dd>"), "</dd>");
    figure.split('<').next().unwrap_or_default().trim()
}

/// Inserts 600 bookings of General Admission, which has enough tickets for all of them and 400 more.
fn six_hundred_bookings(app: &TestApp, tickets_each: i32) {
    app.database.execute(&format!(
        "INSERT INTO bookings (event_id, reference, token, order_hash, total_minor, currency, buyer_name,
             buyer_email, request_key, status, created_at, confirmed_at)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600)
         SELECT event_id, 'TK-' || i, 'token ' || i, 0, {tickets_each} * price_minor, 'USD', 'Ada', 'ada@example.org',
             'key ' || i, 'confirmed', '2026-11-20 06:10:00', '2026-11-20 06:10:00'
         FROM n, ticket_types WHERE name = 'General Admission';
         INSERT INTO booking_lines (booking_id, ticket_type_id, quantity, unit_price_minor)
         SELECT b.id, t.id, {tickets_each}, t.price_minor FROM bookings b, ticket_types t
         WHERE t.name = 'General Admission';
         UPDATE ticket_types SET capacity = 600 * {tickets_each} + 400, available = 400, version = version + 1
         WHERE name = 'General Admission'"
    ));
}

fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_figures_are_those_of_the_bookings() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let empty = page(&app, &organizer, EVENT);
    assert!(empty.contains("No bookings yet. The chart begins with the first one."), "{empty}");
    assert_eq!((figure(&empty, "Sold"), figure(&empty, "Revenue")), ("0", "$0.00"));

    let office = BoxOffice::open(&app.database);
    let [vip, front] = ["VIP", "Front Row"].map(|name| app.database.ticket_type_id(name));
    app.book_well("VIP", 3);
    let partly = app.book_well("Front Row", 2);
    let canceled = app.book_well("General Admission", 4);
    assert_eq!(app.give_one_back(&partly).status(), 303);
    assert_eq!(app.cancel_at(&app.client, app.address, &canceled).status(), 303);
    let held = office.hold("one", &[(vip, 2), (front, 1)]);
    let shown = dashboard(&app, &organizer);
    let figures = |html: &str| {
        ["Sold", "Held", "Available", "Revenue", "Confirmed", "Canceled", "Checked in"]
            .map(|name| figure(html, name).to_owned())
    };
    let capacity: i64 = app.database.tiers().iter().map(|it| it.capacity).sum();
    let available = techkraft::money::grouped(capacity - 7);
    assert_eq!(figures(&shown), ["4", "3", available.as_str(), "$350.00", "2", "1", "0"], "{shown}");
    assert!(shown.contains("4 of "), "{shown}");
    assert!(shown.contains("4 tickets since ") && shown.contains("The busiest minute was "), "{shown}");

    // Revenue uses the price of the booking; a confirmed hold counts as sold; an expired hold does not count.
    app.database.execute("UPDATE ticket_types SET price_minor = 99900");
    assert!(office.confirm(&held));
    let ended = office.hold("two", &[(vip, 1)]);
    app.database.execute("UPDATE holds SET held_until = '2026-01-01 00:00:00'");
    eventually("the hold ends", || app.database.tier("VIP").held == 0);
    assert!(!office.confirm(&ended));
    app.database.execute(
        "INSERT INTO used_tickets (booking_id, seat, ticket_type_id, state, used_at)
         SELECT booking_id, 1, ticket_type_id, 'admitted', CURRENT_TIMESTAMP FROM booking_lines
         WHERE quantity = 3",
    );
    let shown = dashboard(&app, &organizer);
    assert_eq!(figures(&shown), ["7", "0", available.as_str(), "$600.00", "3", "1", "1"], "{shown}");
    assert!(!shown.contains("as of"), "few bookings are counted at once: {shown}");
    assert!(shown.contains("data-polls") && shown.contains("<svg"), "{shown}");
    // The numbers in the table add up to the tickets sold.
    let table = between(&shown, "as a table</summary>", "</table>");
    let numbers = table.split("<td class=\"num\">").skip(1);
    let sum: i64 =
        numbers.map(|it| it.split('<').next().unwrap_or("0").parse::<i64>().expect("a number")).sum();
    assert_eq!(sum, 7, "{table}");
}

#[test]
fn many_bookings_are_counted_once_a_minute_for_all() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    six_hundred_bookings(&app, 1);
    eventually("the count is there", || figure(&dashboard(&app, &organizer), "Revenue") == "$6,000.00");
    let counted = dashboard(&app, &organizer);
    assert!(!counted.contains("as of") && figure(&counted, "Confirmed") == "600", "{counted}");
    // The date is in the venue's time zone, where it was ten past midnight.
    assert!(counted.contains("600 tickets since Nov 20, 2026"), "{counted}");

    app.book_well("General Admission", 2);
    let next = dashboard(&app, &organizer);
    assert_eq!((figure(&next, "Sold"), figure(&next, "Revenue")), ("602", "$6,000.00"), "{next}");
    assert!(next.contains("Revenue, bookings and charts are as of"), "{next}");
    // All servers show this count until the minute is over.
    let other = app.another_server();
    let there = organizer.get(format!("http://{}{EVENT}", other.address)).send().expect("an answer");
    assert_eq!(figure(&there.text().expect("a page"), "Revenue"), "$6,000.00");
    app.database.execute("UPDATE sales_counts SET counted_at = '2026-11-20 07:00:00'");
    eventually("it is counted again", || {
        let shown = dashboard(&app, &organizer);
        (figure(&shown, "Revenue"), figure(&shown, "Confirmed")) == ("$6,020.00", "601")
    });
    // The sales page reads the same counts.
    assert_eq!(figure(&page(&app, &organizer, "/admin"), "Revenue"), "$6,020.00");
}

/// Two servers count, and the one that began first ends last. Seen to fail without the comparison of dates: everybody
/// saw the older count.
#[test]
fn a_count_that_comes_late_is_not_kept() {
    let app = TestApp::spawn();
    let url = DatabaseUrl::parse(&app.database.url).expect("a URL");
    let database = Database::open(&url, 1).expect("the database");
    let count = || database.read_primary_blocking(|db| count_again(db, 1)).expect("a count");
    let first = count();
    app.book_well("VIP", 2);
    let second = count();
    for counted in [&first, &second, &first] {
        database.write_blocking(|db| keep(db, 1, counted)).expect("it is written");
    }
    assert_ne!(first.stock, second.stock);
    assert_eq!(app.database.count(&format!("sales_counts WHERE stock = '{}'", second.stock)), 1);
}

#[test]
fn who_is_in_at_a_large_concert_is_counted_once_a_minute_on_its_day() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    six_hundred_bookings(&app, 10);
    app.database.execute(
        "INSERT INTO used_tickets (booking_id, seat, ticket_type_id, state, used_at)
         WITH RECURSIVE s (seat) AS (SELECT 1 UNION ALL SELECT seat + 1 FROM s WHERE seat < 9)
         SELECT l.booking_id, s.seat, l.ticket_type_id, 'admitted', CURRENT_TIMESTAMP FROM booking_lines l, s",
    );
    let is_in = |html: &str| figure(html, "Checked in").to_owned();
    eventually("the bookings are counted", || {
        figure(&dashboard(&app, &organizer), "Revenue") == "$60,000.00"
    });
    app.database.execute(
        "INSERT INTO used_tickets (booking_id, seat, ticket_type_id, state, used_at)
         SELECT booking_id, 10, ticket_type_id, 'admitted', CURRENT_TIMESTAMP FROM booking_lines",
    );
    // Weeks before the concert nobody comes in, so nothing is counted again.
    app.database.execute("UPDATE sales_counts SET counted_at = '2026-11-20 07:00:00'");
    for _ in 0..5 {
        assert_eq!(is_in(&dashboard(&app, &organizer)), "5,400");
    }
    let soon = (Utc::now() + TimeDelta::hours(1)).format("%F %T").to_string();
    app.database.execute(&format!("UPDATE events SET starts_at = '{soon}'"));
    eventually("who is in is counted again", || is_in(&dashboard(&app, &organizer)) == "6,000");
    app.database.execute("DELETE FROM used_tickets WHERE seat = 10");
    assert_eq!(is_in(&dashboard(&app, &organizer)), "6,000", "once a minute");
}

#[test]
fn a_draft_has_no_dashboard_and_strangers_see_none() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let draft = create(&app, &organizer, &[("name", "Draft")]);
    assert!(!page(&app, &organizer, &draft).contains("id=\"dashboard\""));
    let poll = app.get_fragment(&format!("{EVENT}/dashboard"));
    assert_eq!((poll.status().as_u16(), header(&poll, "hx-redirect")), (401, "/admin/sign-in"));
    let missing = organizer.get(app.url("/admin/events/nowhere/dashboard")).send().expect("an answer");
    assert_eq!(missing.status(), 404);
}

#[test]
fn the_sales_page_shows_the_next_concerts_and_no_more() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.database.execute(
        "INSERT INTO events (slug, name, venue, city, starts_at, ends_at, time_zone, currency, state)
         WITH RECURSIVE n (i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 31)
         SELECT 'night-' || i, 'Night ' || i, 'Hall', 'Chicago', starts_at, ends_at, time_zone, 'USD', 'draft'
         FROM n, events WHERE slug = 'midnight-parade';
         UPDATE events SET state = 'published' WHERE slug LIKE 'night-%' AND slug <> 'night-10'",
    );
    let shown = page(&app, &organizer, "/admin");
    assert_eq!(shown.matches("<h2 id=\"sale-").count(), 8, "{shown}");
    assert!(shown.contains("These are the next 8 of 22 concerts."), "{shown}");
    assert!(shown.contains("Midnight Parade") && shown.contains("Night 11") && !shown.contains("Night 10"));
    app.database
        .execute("UPDATE events SET starts_at = '2020-01-01 00:00:00', ends_at = '2020-01-02 00:00:00'");
    let past = page(&app, &organizer, "/admin");
    assert_eq!(past.matches("<h2 id=\"sale-").count(), 1, "the last one: {past}");
    app.database.execute("UPDATE events SET state = 'draft'");
    assert!(page(&app, &organizer, "/admin").contains("No concert is on sale yet."));
}
