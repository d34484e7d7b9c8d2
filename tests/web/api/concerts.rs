//! Concerts of `/api/v1`, and their availability.

use serde_json::{Value, json};

use super::ask;
use crate::admin::tokens::make_token;
use crate::support::{TestApp, header};
use testkit::wait::eventually;

fn get(app: &TestApp, path: &str) -> (u16, Value) {
    ask(app.client.get(app.url(path)))
}

/// Adds concerts at the same time as the seed's concert.
fn add_concerts(app: &TestApp, count: u32) {
    for number in 1..=count {
        app.database.execute(&format!(
            "INSERT INTO events (slug, name, tagline, venue, city, starts_at, ends_at, time_zone, currency, state)
             SELECT 'show-{number}', 'Show {number}', tagline, venue, city, starts_at, ends_at, time_zone, currency,
                    'published'
             FROM events WHERE slug = 'midnight-parade'"
        ));
    }
    app.wait_until_shown(&format!("/events/show-{count}"));
}

/// Adds a concert before the seed's, with a ticket type.
fn add_earlier(app: &TestApp, slug: &str, state: &str, listed: bool) {
    app.database.execute(&format!(
        "INSERT INTO events (slug, name, tagline, venue, city, starts_at, ends_at, time_zone, currency, state, listed)
         SELECT '{slug}', 'Earlier', tagline, venue, city, '2027-06-01 20:00:00', '2027-06-01 23:00:00', time_zone,
                currency, '{state}', {listed}
         FROM events WHERE slug = 'midnight-parade';
         INSERT INTO ticket_types (event_id, name, price_minor, capacity, available, max_per_booking, position)
         SELECT id, 'Entry', 1500, 5, 5, 5, 1 FROM events WHERE slug = '{slug}'"
    ));
    eventually("the board has it", || app.get(&format!("/events/{slug}")).status() == 200);
}

#[test]
fn a_concert_has_its_ticket_types() {
    let app = TestApp::spawn();
    let (status, page) = get(&app, "/api/v1/events");
    assert_eq!((status, &page["nextCursor"]), (200, &json!(null)));
    let concert = &page["events"][0];
    for (name, value) in [
        ("slug", "midnight-parade"),
        ("startsAt", "2027-06-20T01:00:00.000Z"),
        ("timeZone", "America/Chicago"),
        ("cancellableUntil", "2027-06-19T01:00:00.000Z"),
    ] {
        assert_eq!(concert[name], value);
    }
    let vip = &concert["ticketTypes"][0];
    assert_eq!(
        (&vip["name"], &vip["price"], &vip["capacity"], &vip["maxPerBooking"], &vip["maxPerPerson"]),
        (&json!("VIP"), &json!({ "cents": 10_000, "currency": "USD" }), &json!(100), &json!(10), &json!(10))
    );
    assert_eq!(get(&app, "/api/v1/events/midnight-parade").1, *concert);
    assert_eq!(
        get(&app, "/api/v1/events/midnight-parade/ticket-types").1["ticketTypes"],
        concert["ticketTypes"]
    );
    for path in ["nowhere", "nowhere/availability", "nowhere/ticket-types", "a%00", "%ff"] {
        assert_eq!(get(&app, &format!("/api/v1/events/{path}")).0, 404, "{path}");
    }
}

#[test]
fn availability_is_the_boards_and_has_a_tag() {
    let app = TestApp::spawn();
    let url = app.url("/api/v1/events/midnight-parade/availability");
    let first = app.client.get(&url).send().expect("an answer");
    let etag = header(&first, "etag").to_owned();
    let known = || app.client.get(&url).header("if-none-match", &etag).send().expect("an answer");
    let unchanged = known();
    assert_eq!((unchanged.status().as_u16(), header(&unchanged, "etag")), (304, etag.as_str()));
    let other = app.another_server();
    let there =
        app.client.get(format!("http://{}/api/v1/events/midnight-parade/availability", other.address));
    assert_eq!(header(&there.send().expect("an answer"), "etag"), etag, "the same on every server");

    app.book_by_program("8e03978e-40d5-43dd-bc93", "VIP", 3);
    let changed = known();
    assert_eq!(changed.status(), 200);
    assert_ne!(header(&changed, "etag"), etag);
    let left: Value = changed.json().expect("JSON");
    assert_eq!(left["ticketTypes"][0], json!({ "id": app.tier_id("VIP"), "available": 97 }));
    assert_eq!(left["pollAfterSeconds"], 5);
}

#[test]
fn pages_show_each_concert_once() {
    let app = TestApp::spawn();
    add_concerts(&app, 6);
    let (mut path, mut slugs, mut pages) = ("/api/v1/events?limit=3".to_owned(), Vec::new(), 0);
    loop {
        let response = app.get(&path);
        let link = header(&response, "link").to_owned();
        let page: Value = response.json().expect("JSON");
        pages += 1;
        slugs.extend(
            page["events"]
                .as_array()
                .unwrap_or_else(|| panic!("{path}: {page}"))
                .iter()
                .map(|it| it["slug"].to_string()),
        );
        let Some(cursor) = page["nextCursor"].as_str() else {
            assert_eq!(link, "");
            break;
        };
        path = format!("/api/v1/events?limit=3&cursor={cursor}");
        assert_eq!(link, format!("<{path}>; rel=\"next\""));
    }
    assert_eq!((pages, slugs.len()), (3, 7), "{slugs:?}");
    slugs.sort_unstable();
    slugs.dedup();
    assert_eq!(slugs.len(), 7);
    for (query, parameter) in
        [("limit=0", "limit"), ("limit=101", "limit"), ("limit=x", "limit"), ("cursor=x", "cursor")]
    {
        let (status, problem) = get(&app, &format!("/api/v1/events?{query}"));
        assert_eq!((status, &problem["errors"][0]["parameter"]), (422, &json!(parameter)), "{problem}");
    }
    assert_eq!(get(&app, "/api/v1/events?limit=1&limit=2").0, 422);
}

#[test]
fn the_compat_api_uses_the_first_concert_on_sale() {
    let app = TestApp::spawn();
    app.database.execute(
        "INSERT INTO events (slug, name, tagline, venue, city, starts_at, ends_at, time_zone, currency, state)
         SELECT 'over', 'Over', tagline, venue, city, '2020-01-01 20:00:00', '2020-01-01 23:00:00', time_zone, currency,
                'published'
         FROM events WHERE slug = 'midnight-parade'",
    );
    eventually("the board has it", || app.get("/events/over").status() == 200);
    assert!(!app.get("/").text().expect("a page").contains("/events/over"), "it is over");
    assert_eq!(get(&app, "/api/tickets").1.as_array().map(Vec::len), Some(3), "not the one that is over");
}

#[test]
fn the_compat_api_passes_over_concerts_that_are_canceled_or_not_listed() {
    let app = TestApp::spawn();
    let (_, tickets) = get(&app, "/api/tickets");
    add_earlier(&app, "canceled", "canceled", true);
    add_earlier(&app, "secret", "published", false);
    assert_eq!(get(&app, "/api/tickets").1, tickets);
    let order = json!({ "ticketTypeId": tickets[0]["id"], "quantity": 1, "userId": "7" });
    assert_eq!(ask(app.client.post(app.url("/api/bookings")).json(&order)).0, 201);
}

#[test]
fn an_unlisted_concert_is_found_by_its_link_only() {
    let app = TestApp::spawn();
    add_earlier(&app, "secret", "published", false);
    let listed = get(&app, "/api/v1/events").1.to_string();
    assert!(listed.contains("midnight-parade") && !listed.contains("secret"), "{listed}");
    assert_eq!(get(&app, "/api/v1/events/secret").0, 200);
    let token = make_token(&app, &app.organizer(), "Tour planner", &["events:read"]);
    let (_, listed) = ask(app.client.get(app.url("/api/v1/events")).bearer_auth(&token));
    assert!(listed.to_string().contains("secret"), "{listed}");
}
