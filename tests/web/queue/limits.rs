//! How many places one network may take.

use reqwest::blocking::Response;
use techkraft::guard::limits::Rates;

use super::{ROOM, SETTINGS, settings, switch_on, visit};
use crate::guard::limits::{client_at, rates};
use crate::support::{TestApp, header};
use testkit::wait::eventually;

const PLACES: &str = "3/hour burst 3";

fn limited() -> TestApp {
    let places = PLACES.parse().expect("a rate");
    TestApp::spawn_with(|config| config.rate_limits = Some(Rates { places, ..rates() }))
}

/// Sends the form from a new browser at each call.
fn ask(app: &TestApp, from: &str, path: &str) -> Response {
    let form = [("email", "ada@example.org")];
    client_at(from).post(app.url(path)).form(&form).send().expect("an answer")
}

/// Seen to fail with the limit for pages: the fourth place was given.
#[test]
fn a_network_takes_so_many_places_and_no_more() {
    let app = limited();
    switch_on(&app);
    let take = |from: &str| ask(&app, from, ROOM);
    for _ in 0..3 {
        assert!(header(&take("127.0.0.1"), "set-cookie").starts_with("place-1="));
    }
    for _ in 0..3 {
        let refused = take("127.0.0.1");
        assert_eq!((refused.status().as_u16(), header(&refused, "set-cookie")), (429, ""));
    }
    assert!(header(&take("127.0.0.2"), "set-cookie").starts_with("place-1="), "another network");
    eventually("those who have places are counted", || {
        app.database.count("waiting_rooms WHERE (SELECT SUM(arrivals) FROM queue_arrivals) = 4") == 1
    });
    assert!(visit(&app, &client_at("127.0.0.1")).contains("Take your place"), "pages are another class");
}

/// A registration by email and a guessed link count like any other place.
#[test]
fn registrations_and_links_count_as_places() {
    let app = limited();
    let mut form = settings("always");
    form.push(("registration", "yes".into()));
    assert_eq!(app.organizer().post(app.url(SETTINGS)).form(&form).send().expect("an answer").status(), 303);
    eventually("the room is on", || visit(&app, &app.client).contains("Register for the sale"));
    let paths = ["/registration", "/place/guessed", "/registration", "/place/guessed", ""];
    let answers = paths.map(|path| ask(&app, "127.0.0.1", &format!("{ROOM}{path}")).status().as_u16());
    assert_eq!(answers, [303, 303, 303, 429, 429]);
    assert_eq!(app.database.count("mails WHERE kind = 'queue place'"), 1);
}
