//! The waiting room: places, the draw, passes, and what the organizer sets.

mod draw;
mod fairness;
mod limits;
mod organizer;
mod passes;
mod registration;

use reqwest::blocking::{Client, Response};

use crate::support::acts::NO_FIELDS;
use crate::support::{TestApp, between, browser, header};
use testkit::wait::eventually;

const CONCERT: &str = "/events/midnight-parade";
const ROOM: &str = "/events/midnight-parade/queue";
const SETTINGS: &str = "/admin/events/midnight-parade/waiting-room";

/// What the organizer's form sends.
fn settings(mode: &str) -> Vec<(&'static str, String)> {
    vec![
        ("mode", mode.to_owned()),
        ("opens_minutes", "120".into()),
        ("most_per_second", "50".into()),
        ("message", "Doors are at seven.".into()),
    ]
}

/// Sets the room as the organizer does.
fn set_room(app: &TestApp, mode: &str) {
    let organizer = app.organizer();
    let saved = organizer.post(app.url(SETTINGS)).form(&settings(mode)).send().expect("an answer");
    assert_eq!((saved.status().as_u16(), header(&saved, "location")), (303, SETTINGS));
}

/// Switches the room on, and waits until the site knows it.
fn switch_on(app: &TestApp) {
    set_room(app, "always");
    eventually("the room is on", || app.get(ROOM).status() == 200);
}

fn set_flow(app: &TestApp, flow: &str) {
    let post = app.organizer().post(app.url(&format!("{SETTINGS}/flow")));
    assert_eq!(post.form(&[("flow", flow)]).send().expect("an answer").status(), 303);
}

/// Lets the sale start in so many minutes.
fn start_sale_in(app: &TestApp, minutes: i64) {
    start_sale(app, chrono::TimeDelta::minutes(minutes));
}

fn start_sale(app: &TestApp, wait: chrono::TimeDelta) {
    let starts = chrono::Utc::now() + wait;
    let starts = starts.format("%F %T");
    app.database.execute(&format!(
        "UPDATE events SET sales_start_at = '{starts}', facts_version = facts_version + 1"
    ));
}

fn visit(app: &TestApp, client: &Client) -> String {
    client.get(app.url(ROOM)).send().expect("an answer").text().expect("a page")
}

fn take_place(app: &TestApp, client: &Client) -> Response {
    let response = client.post(app.url(ROOM)).form(&NO_FIELDS).send().expect("an answer");
    assert_eq!((response.status().as_u16(), header(&response, "location")), (303, ROOM));
    response
}

/// Takes a place, and waits for the turn.
fn wait_for_turn(app: &TestApp, client: &Client) {
    take_place(app, client);
    eventually("it is the turn", || visit(app, client).contains("It’s your turn"));
}

/// A browser with a place in a stopped line. A browser that comes in the first seconds may be ahead of the stop.
fn stand_in_line(app: &TestApp) -> Client {
    let mut client = browser();
    eventually("a place behind the stop", || {
        client = browser();
        take_place(app, &client);
        visit(app, &client).contains("You’re in line")
    });
    client
}

/// The number of a place in the lobby.
fn number_in(html: &str) -> String {
    between(html, "<dd class=\"queue__code\">", "</dd>").replace(' ', "")
}

#[test]
fn a_browser_keeps_one_place_in_every_tab() {
    let app = TestApp::spawn();
    start_sale_in(&app, 60);
    switch_on(&app);
    eventually("the lobby is open", || visit(&app, &app.client).contains("Take your place"));
    take_place(&app, &app.client);
    let number = number_in(&visit(&app, &app.client));
    assert_eq!(number.len(), 20, "{number}");
    for _ in 0..5 {
        take_place(&app, &app.client);
        assert_eq!(number_in(&visit(&app, &app.client)), number);
    }
    let other = browser();
    take_place(&app, &other);
    assert_ne!(number_in(&visit(&app, &other)), number, "another browser has another place");
    eventually("both are counted", || {
        app.database.count("queue_arrivals WHERE slot = 0 AND arrivals = 2") == 1
    });
    let page = visit(&app, &app.client);
    assert!(page.contains("Doors are at seven."), "{page}");
}

#[test]
fn a_room_opens_before_the_sale_and_not_earlier() {
    let app = TestApp::spawn();
    start_sale_in(&app, 24 * 60);
    switch_on(&app);
    eventually("the room says when it opens", || visit(&app, &app.client).contains("isn’t open yet"));
    let early = take_place(&app, &app.client);
    assert_eq!(header(&early, "set-cookie"), "", "nobody has a place before it opens");
    start_sale_in(&app, 60);
    eventually("the lobby is open", || visit(&app, &app.client).contains("Take your place"));
}

#[test]
fn the_public_part_is_the_same_for_all_and_cacheable() {
    let app = TestApp::spawn();
    start_sale_in(&app, 60);
    assert_eq!(app.get(&format!("{ROOM}/line")).status(), 404, "no room");
    switch_on(&app);
    take_place(&app, &app.client);
    eventually("the place is counted", || app.database.count("queue_arrivals") == 1);
    let line = |client: &Client| client.get(app.url(&format!("{ROOM}/line"))).send().expect("an answer");
    eventually("the line shows it", || line(&app.client).text().expect("html").contains("1 person is"));
    let (own, other) = (line(&app.client), line(&browser()));
    assert_eq!(header(&own, "cache-control"), "public, max-age=1, stale-while-revalidate=2");
    assert_eq!(header(&own, "set-cookie"), "");
    let etag = header(&own, "etag").to_owned();
    assert_eq!(header(&other, "etag"), etag);
    let known = app.client.get(app.url(&format!("{ROOM}/line"))).header("if-none-match", &etag);
    assert_eq!(known.send().expect("an answer").status(), 304);
}

#[test]
fn without_a_room_there_is_no_page_of_it() {
    let app = TestApp::spawn();
    let response = app.get(ROOM);
    assert_eq!((response.status().as_u16(), header(&response, "location")), (303, CONCERT));
    assert_eq!(app.get("/events/no-such-concert/queue").status(), 404);
    assert!(!app.get(CONCERT).text().expect("a page").contains("waiting room"));
}

#[test]
fn sold_out_is_told_at_once() {
    let app = TestApp::spawn();
    switch_on(&app);
    set_flow(&app, "stopped");
    let waiting = stand_in_line(&app);
    eventually("it says so", || visit(&app, &waiting).contains("stopped the line"));
    for tier in app.database.tiers() {
        app.database.set_available(&tier.name, 0);
    }
    let is_told = || visit(&app, &waiting).contains("<h1 id=\"queue-heading\">Sold out</h1>");
    eventually("who waits is told", is_told);
    let html = app.get(&format!("{ROOM}/line")).text().expect("html");
    assert!(html.contains("data-sold-out"), "{html}");
    assert!(visit(&app, &browser()).contains("Sold out"), "and who comes now");
    // The line continues when tickets are returned, so the page keeps polling.
    let page = visit(&app, &waiting);
    assert!(page.contains("data-queue-sold-out") && !page.contains("data-queue-over"), "{page}");
    app.database.set_available("VIP", 1);
    eventually("the place is kept", || visit(&app, &waiting).contains("You’re in line"));
}

/// A concert with tickets left when sales end is not sold out.
#[test]
fn when_sales_have_ended_there_is_no_room() {
    let app = TestApp::spawn();
    switch_on(&app);
    let ended = chrono::Utc::now() - chrono::TimeDelta::minutes(1);
    app.database.execute(&format!(
        "UPDATE events SET sales_end_at = '{}', facts_version = facts_version + 1",
        ended.format("%F %T")
    ));
    eventually("the room is gone", || app.get(ROOM).status() == 303);
    assert_eq!(app.get(&format!("{ROOM}/line")).status(), 404);
    let page = app.get(CONCERT).text().expect("a page");
    assert!(!page.contains("Sold out") && page.contains("Sales have ended."), "{page}");
    assert!(!page.contains("To the waiting room"), "{page}");
}
