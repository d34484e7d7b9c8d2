//! Passes: what lets a booking through, and what does not.

use super::{ROOM, set_flow, set_room, stand_in_line, switch_on, take_place, visit, wait_for_turn};
use crate::support::acts::NO_FIELDS;
use crate::support::{TestApp, between, browser, header};
use testkit::wait::eventually;

/// Seen to fail without `lacks_pass` in src/booking/taking.rs: the form without a pass booked.
#[test]
fn a_concert_with_a_room_books_with_a_pass_only() {
    let app = TestApp::spawn();
    let early = app.open_checkout("VIP", 1);
    switch_on(&app);
    let new = app.get(&format!("/bookings/new?ticket_type={}", early.ticket_type));
    assert_eq!((new.status().as_u16(), header(&new, "location")), (303, ROOM));
    let dialog = app.get_fragment(&format!("/bookings/new?ticket_type={}", early.ticket_type));
    assert_eq!(header(&dialog, "hx-redirect"), ROOM);

    let refused = app.confirm(&early, 1);
    assert_eq!(refused.status(), 409);
    let html = refused.text().expect("a page");
    assert!(html.contains("To the waiting room") && html.contains("value=\"ada@example.org\""), "{html}");
    let body = app.order_json(&[("VIP", 1)]);
    let (status, problem) = app.post_json("8e03978e-40d5-43dd-bc93-6894a57f9324", &body);
    assert_eq!(
        (status, problem["type"].as_str()),
        (409, Some("/api/docs#problem-waiting-room")),
        "{problem}"
    );
    assert_eq!(app.database.count("bookings"), 0);

    wait_for_turn(&app, &app.client);
    let checkout = app.open_checkout("VIP", 1);
    assert_eq!(app.confirm(&checkout, 1).status(), 303);
    assert_eq!(
        app.database.count("queue_passes p JOIN bookings b ON b.request_key = p.request_key"),
        1,
        "the pass is the booking's key"
    );
    app.database.assert_books_balance();
}

#[test]
fn one_pass_books_once() {
    let app = TestApp::spawn();
    switch_on(&app);
    wait_for_turn(&app, &app.client);
    let checkout = app.open_checkout("VIP", 1);
    let first = app.confirm(&checkout, 1);
    assert_eq!(first.status(), 303);
    let again = app.confirm(&checkout, 1);
    assert_eq!(header(&again, "location"), header(&first, "location"), "the same form finds its booking");
    assert_eq!(app.confirm(&checkout, 2).status(), 422, "another order is none");
    assert_eq!(app.database.count("bookings"), 1);
    let room = visit(&app, &app.client);
    assert!(room.contains("data-queue-over"), "nothing that is polled changes it: {room}");
    assert!(room.contains("You have your tickets") && room.contains(header(&first, "location")), "{room}");
    wait_for_turn(&app, &app.client);
    assert_eq!(app.confirm(&app.open_checkout("VIP", 1), 1).status(), 303, "with a new place, one more");
}

/// A copied cookie, five tabs, and another server: one place has one pass. Seen to fail without the key on (event,
/// place): the copy got its own pass.
#[test]
fn one_place_has_one_pass_wherever_it_asks() {
    let app = TestApp::spawn();
    switch_on(&app);
    let other = app.another_server();
    let placed = take_place(&app, &app.client);
    let copied = header(&placed, "set-cookie").split(';').next().expect("a cookie").to_owned();
    eventually("it is the turn", || visit(&app, &app.client).contains("It’s your turn"));
    let key = app.open_checkout("VIP", 1).request_key;
    for address in [app.address, other.address] {
        let thief = browser();
        let get = |path: &str| {
            thief.get(format!("http://{address}{path}")).header("cookie", &copied).send().expect("an answer")
        };
        eventually("the copy is served, too", || {
            get(ROOM).text().expect("a page").contains("It’s your turn")
        });
        let pass = header(&get(ROOM), "set-cookie").split(';').next().expect("a cookie").to_owned();
        let form = thief.get(format!("http://{address}/bookings/new?ticket_type={}", app.tier_id("VIP")));
        let html = form.header("cookie", format!("{copied}; {pass}")).send().expect("an answer").text();
        let html = html.expect("a page");
        assert_eq!(between(&html, "name=\"request_key\" value=\"", "\""), key);
    }
    assert_eq!(app.database.count("queue_passes"), 1);
}

/// A link carries a place to another browser: both browsers wait at the same place, and get one pass together.
#[test]
fn a_link_takes_a_place_to_another_device() {
    let app = TestApp::spawn();
    switch_on(&app);
    set_flow(&app, "stopped");
    let waiting = stand_in_line(&app);
    let page = visit(&app, &waiting);
    let link = between(&page, "id=\"place-link\" href=\"", "\"").to_owned();
    let position = |page: &str| between(page, "data-position=\"", "\"").to_owned();
    let phone = browser();
    let shown = phone.get(&link).send().expect("an answer");
    assert_eq!((shown.status().as_u16(), header(&shown, "set-cookie")), (200, ""), "it asks before");
    assert!(shown.text().expect("a page").contains("Wait in this browser"));
    let kept = phone.post(&link).form(&NO_FIELDS).send().expect("an answer");
    assert_eq!((kept.status().as_u16(), header(&kept, "location")), (303, ROOM));
    assert_eq!(position(&visit(&app, &phone)), position(&page));
    assert_eq!(phone.get(&link).send().expect("an answer").status(), 303, "it has it");
    set_flow(&app, "open");
    for client in [&waiting, &phone] {
        eventually("the turn has come", || visit(&app, client).contains("It’s your turn"));
    }
    assert_eq!(app.database.count("queue_passes"), 1);

    let forged = format!("{}x", &link[..link.len() - 1]);
    let refused = browser().post(&forged).form(&NO_FIELDS).send().expect("an answer");
    assert!(!header(&refused, "set-cookie").contains("place-"), "{:?}", refused.headers());
    set_room(&app, "off");
    eventually("the room is off", || app.get(ROOM).status() == 303);
    switch_on(&app);
    let earlier = browser().post(&link).form(&NO_FIELDS).send().expect("an answer");
    assert!(!header(&earlier, "set-cookie").contains("place-"), "a link of an earlier draw");
}

#[test]
fn a_forged_place_is_none() {
    let app = TestApp::spawn();
    switch_on(&app);
    let placed = take_place(&app, &browser());
    let cookie = header(&placed, "set-cookie").split(';').next().expect("a cookie").to_owned();
    let (name, value) = cookie.split_once('=').expect("a pair");
    let altered = format!("{name}={}x{}", &value[..10], &value[11..]);
    for forged in [format!("{name}=0123456789abcdef0123.0"), altered, format!("{name}-1={value}")] {
        let response = browser().get(app.url(ROOM)).header("cookie", &forged).send().expect("an answer");
        assert!(response.text().expect("a page").contains("Take your place"), "{forged}");
    }
}

#[test]
fn a_pass_that_is_over_is_over() {
    let app = TestApp::spawn();
    switch_on(&app);
    wait_for_turn(&app, &app.client);
    let long_ago = "'2026-01-01 00:00:00'";
    app.database.execute(&format!("UPDATE queue_passes SET issued_at = {long_ago}, expires_at = {long_ago}"));
    assert!(visit(&app, &app.client).contains("Your ten minutes are over"));
    wait_for_turn(&app, &app.client);
    assert_eq!(app.database.count("queue_passes"), 2, "a new place, at the end");
}

/// After the room is switched off, a form with a pass books, and so does a form without one.
#[test]
fn switched_off_it_asks_for_nothing() {
    let app = TestApp::spawn();
    switch_on(&app);
    wait_for_turn(&app, &app.client);
    let with_pass = app.open_checkout("VIP", 1);
    set_room(&app, "off");
    eventually("the room is off", || app.get(ROOM).status() == 303);
    let without = app.open_checkout("VIP", 1);
    // Another concert's room is on.
    app.database.execute(
        "INSERT INTO events (slug, name, venue, city, starts_at, ends_at, time_zone, currency, state)
         SELECT 'other', 'Other', venue, city, starts_at, ends_at, time_zone, currency, state FROM events;
         INSERT INTO ticket_types (event_id, name, price_minor, capacity, available, max_per_booking, position)
         SELECT id, 'Any', 0, 1, 1, 1, 9 FROM events WHERE slug = 'other';
         INSERT INTO waiting_rooms (event_id, mode, opens_minutes, flow, most_per_second, seed, seed_hash, per_second)
         SELECT id, 'always', 30, 'open', 50, 'x', 'y', 10 FROM events WHERE slug = 'other'",
    );
    eventually("it is on", || app.get("/events/other/queue").status() == 200);
    assert_eq!(app.confirm(&with_pass, 1).status(), 303);
    assert_eq!(app.confirm(&without, 1).status(), 303);
}

/// Seen to fail with passes that name only the concert: the old pass booked before anybody in the new line.
#[test]
fn a_pass_of_an_earlier_draw_is_none() {
    let app = TestApp::spawn();
    switch_on(&app);
    wait_for_turn(&app, &app.client);
    let earlier = app.open_checkout("VIP", 1);
    set_room(&app, "off");
    eventually("the room is off", || app.get(ROOM).status() == 303);
    switch_on(&app);
    assert_eq!(app.confirm(&earlier, 1).status(), 409);
    let form = app.get(&format!("/bookings/new?ticket_type={}", earlier.ticket_type));
    assert_eq!(header(&form, "location"), ROOM, "its cookie opens no form either");
    assert_eq!(app.database.count("bookings"), 0);
}

/// Seen to fail without the cookie's pass in `served`: the page said that the turn had come, but had no link to the
/// form.
#[test]
fn a_pass_stays_good_while_the_database_is_away() {
    let app = TestApp::spawn();
    switch_on(&app);
    wait_for_turn(&app, &app.client);
    let waiting = browser();
    take_place(&app, &waiting);
    app.database.execute("ALTER TABLE queue_passes RENAME TO queue_passes_away");
    let page = visit(&app, &app.client);
    assert!(page.contains("It’s your turn") && page.contains("/bookings/new?"), "{page}");
    let page = visit(&app, &waiting);
    assert!(page.contains("Your turn has come") || page.contains("You’re in line"), "{page}");
    app.database.execute("ALTER TABLE queue_passes_away RENAME TO queue_passes");
    assert_eq!(app.confirm(&app.open_checkout("VIP", 1), 1).status(), 303);
    eventually("the line goes on", || visit(&app, &waiting).contains("It’s your turn"));
}

#[test]
fn one_click_takes_a_pass_as_well() {
    let app = TestApp::spawn();
    assert_eq!(app.book_and_be_remembered("VIP").status(), 303);
    switch_on(&app);
    let landing = app.get("/").text().expect("a page");
    assert!(!landing.contains("Welcome back, Ada") && landing.contains(ROOM), "{landing}");
    wait_for_turn(&app, &app.client);
    assert_eq!(app.book_with_one_click("VIP").status(), 303);
    assert_eq!(app.database.count("bookings"), 2);
}
