//! Registration: places by email, one for each address.

use reqwest::blocking::{Client, Response};

use super::{ROOM, SETTINGS, number_in, set_room, settings, start_sale, start_sale_in, take_place, visit};
use crate::mail::contents::{mails, parse, single};
use crate::support::acts::NO_FIELDS;
use crate::support::{TestApp, between, browser, header};
use testkit::wait::eventually;

const SUBJECT: &str = "Your place in the waiting room: Midnight Parade";
const PLACES: &str = "mails WHERE kind = 'queue place'";

fn switch_registration_on(app: &TestApp) {
    let mut form = settings("always");
    form.push(("registration", "yes".into()));
    let saved = app.organizer().post(app.url(SETTINGS)).form(&form).send().expect("an answer");
    assert_eq!(saved.status(), 303);
    eventually("the room is on", || visit(app, &app.client).contains("Register for the sale"));
}

fn register(app: &TestApp, email: &str) -> Response {
    let form = [("email", email)];
    browser().post(app.url(&format!("{ROOM}/registration"))).form(&form).send().expect("an answer")
}

/// The link in the mail to an address, once there are so many mails.
fn mailed_link(app: &TestApp, count: usize, to: &str) -> String {
    let all = mails(app, count);
    let to = |bytes: &&Vec<u8>| {
        single(parse(bytes).to()).1 == to && parse(bytes).subject().is_some_and(|it| it.starts_with(SUBJECT))
    };
    let bytes = all.iter().find(to).expect("a mail");
    let text = parse(bytes).body_text(0).expect("a text").into_owned();
    let start = app.url(&format!("{ROOM}/place/"));
    let from = text.find(&start).unwrap_or_else(|| panic!("no link in {text}"));
    text[from..].split_whitespace().next().expect("a link").to_owned()
}

fn open(client: &Client, link: &str) {
    let asked = client.get(link).send().expect("an answer");
    assert_eq!((asked.status().as_u16(), header(&asked, "set-cookie")), (200, ""), "a mail program may look");
    let opened = client.post(link).form(&NO_FIELDS).send().expect("an answer");
    assert_eq!((opened.status().as_u16(), header(&opened, "location")), (303, ROOM));
    let cookie = format!("{};", header(&opened, "set-cookie"));
    let kept = between(&cookie, "Max-Age=", ";").parse::<i64>().expect("seconds");
    // The cookie lasts until the concert, which is months ahead. When it lasted seven days, the place was lost before
    // its sale.
    assert!(kept > 30 * 24 * 3600, "{kept} s");
}

#[test]
fn an_address_gets_one_place_by_a_mailed_link() {
    let app = TestApp::spawn();
    // This is long before the lobby of a room without registration opens.
    start_sale_in(&app, 5 * 24 * 60);
    switch_registration_on(&app);
    let taken = take_place(&app, &app.client);
    assert_eq!(header(&taken, "set-cookie"), "", "there is no place without a link");
    let refused = register(&app, "ada@example");
    assert_eq!(refused.status(), 422);
    let html = refused.text().expect("a page");
    assert!(html.contains("value=\"ada@example\"") && html.contains("queue-email-error"), "{html}");

    let asked = register(&app, "ada@example.org");
    assert_eq!((asked.status().as_u16(), header(&asked, "location")), (303, &*format!("{ROOM}?asked=1")));
    let asked = app.get(&format!("{ROOM}?asked=1")).text().expect("a page");
    assert!(asked.contains("Check your email"), "{asked}");
    let link = mailed_link(&app, 1, "ada@example.org");
    let token = link.rsplit('/').next().expect("a token");
    assert_eq!(app.database.count(&format!("mails WHERE payload LIKE '%{token}%'")), 0);
    open(&app.client, &link);
    let number = number_in(&visit(&app, &app.client));
    assert_eq!(number.len(), 20);
    eventually("who has come is counted", || {
        app.database.count("queue_arrivals WHERE slot = 0 AND arrivals = 1") == 1
    });

    // A repeated request gets the same answer. After a while the same place is mailed again, and never another one.
    let again = register(&app, "ADA@example.org");
    assert_eq!((again.status().as_u16(), header(&again, "location")), (303, &*format!("{ROOM}?asked=1")));
    assert_eq!(app.database.count(&format!("{PLACES} AND state = 'queued'")), 0);
    let long_ago = "'2026-01-01 00:00:00'";
    app.database.execute(&format!("UPDATE mails SET queued_at = {long_ago} WHERE kind = 'queue place'"));
    register(&app, "Ada@Example.org");
    assert_eq!(mails(&app, 2).len(), 2);
    assert_eq!(app.database.count(PLACES), 1);
    let phone = browser();
    open(&phone, &mailed_link(&app, 2, "ada@example.org"));
    assert_eq!(number_in(&visit(&app, &phone)), number);
    register(&app, "eve@example.org");
    assert_eq!(app.database.count(PLACES), 2, "another address has another place");
}

/// People who register before the draw are in it, whenever they come; people who register after it stand behind. One
/// place books once.
#[test]
fn a_registered_place_is_drawn_and_books_once() {
    let app = TestApp::spawn();
    start_sale_in(&app, 60);
    switch_registration_on(&app);
    register(&app, "ada@example.org");
    let link = mailed_link(&app, 1, "ada@example.org");
    start_sale(&app, chrono::TimeDelta::seconds(2));
    eventually("the lobby is drawn", || app.database.count("waiting_rooms WHERE opened_at IS NOT NULL") == 1);
    let html = |client: &Client| visit(&app, client);
    open(&app.client, &link);
    eventually("the turn has come", || html(&app.client).contains("It’s your turn"));
    assert_eq!(app.database.count("queue_passes WHERE position < 4294967296"), 1, "a place of the lobby");
    assert_eq!(app.confirm(&app.open_checkout("VIP", 1), 1).status(), 303);
    let booked = html(&app.client);
    assert!(booked.contains("You have your tickets") && !booked.contains("Book more"), "{booked}");
    let more = app.client.post(app.url(ROOM)).form(&NO_FIELDS).send().expect("an answer");
    assert_eq!(header(&more, "set-cookie"), "");
    let other = browser();
    open(&other, &link);
    eventually("it has booked, wherever it is opened", || html(&other).contains("You have your tickets"));

    register(&app, "late@example.org");
    let late = browser();
    open(&late, &mailed_link(&app, 3, "late@example.org"));
    eventually("who comes late has a turn", || html(&late).contains("It’s your turn"));
    assert_eq!(app.database.count("queue_passes WHERE position >= 4294967296"), 1, "behind the lobby");
}

#[test]
fn registration_needs_a_room_that_is_on_and_nothing_else() {
    let app = TestApp::spawn();
    let mut form = settings("under_stress");
    form.push(("registration", "yes".into()));
    let refused = app.organizer().post(app.url(SETTINGS)).form(&form).send().expect("an answer");
    assert_eq!(refused.status(), 422);
    assert!(refused.text().expect("a page").contains("Registration needs a waiting room"));
    set_room(&app, "always");
    eventually("the room is on", || app.get(ROOM).status() == 200);
    let unasked = register(&app, "ada@example.org");
    assert_eq!((unasked.status().as_u16(), header(&unasked, "location")), (303, ROOM));
    assert_eq!(app.database.count(PLACES), 0, "the room gives places without");
}
