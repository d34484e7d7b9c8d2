//! The organizer's page of a waiting room.

use super::{ROOM, SETTINGS, set_flow, set_room, settings, stand_in_line, switch_on, visit, wait_for_turn};
use crate::support::audit::audited;
use crate::support::{TestApp, browser};
use testkit::wait::eventually;

#[test]
fn a_stopped_line_stands_still_until_it_is_resumed() {
    let app = TestApp::spawn();
    switch_on(&app);
    wait_for_turn(&app, &browser());
    set_flow(&app, "stopped");
    eventually("it says so", || visit(&app, &browser()).contains("stopped the line"));
    let late = stand_in_line(&app);
    assert!(visit(&app, &late).contains("People ahead of you"));
    set_flow(&app, "open");
    eventually("the line moves", || visit(&app, &late).contains("It’s your turn"));
}

#[test]
fn figures_are_live() {
    let app = TestApp::spawn();
    switch_on(&app);
    wait_for_turn(&app, &app.client);
    assert_eq!(app.confirm(&app.open_checkout("VIP", 1), 1).status(), 303);
    let organizer = app.organizer();
    let get = |path: &str| organizer.get(app.url(path)).send().expect("an answer");
    let figures = get(&format!("{SETTINGS}/figures")).text().expect("html");
    assert!(
        figures.starts_with("<div id=\"room-figures\"") || figures.trim_start().starts_with("<div"),
        "{figures}"
    );
    let words = figures.replace(char::is_whitespace, " ");
    assert!(words.contains("<dt>Passes</dt><dd>1 <span>0 out now"), "{words}");
    assert!(words.contains("<dt>Booked</dt><dd>1 <span>100 % of passes"), "{words}");
    assert_eq!(browser().get(app.url(SETTINGS)).send().expect("an answer").status(), 303, "organizers only");
}

#[test]
fn wrong_settings_are_marked_and_kept() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let long = "x".repeat(301);
    for (name, typed, message) in [
        ("mode", "sometimes", "Choose one."),
        ("opens_minutes", "1441", "Enter a number from 0 to 1440."),
        ("opens_minutes", "-1", "Enter a number from 0 to 1440."),
        ("most_per_second", "0", "Enter a number from 1 to 1000."),
        ("most_per_second", "many", "Enter a number from 1 to 1000."),
        ("message", long.as_str(), "At most 300 characters."),
    ] {
        let mut form = settings("always");
        form.retain(|(field, _)| *field != name);
        form.push((name, typed.to_owned()));
        let refused = organizer.post(app.url(SETTINGS)).form(&form).send().expect("an answer");
        assert_eq!(refused.status(), 422, "{name}={typed}");
        let html = refused.text().expect("a page");
        assert!(html.contains(message), "{html}");
        assert!(name == "mode" || html.contains(typed), "{html}");
    }
    assert_eq!(app.database.count("waiting_rooms"), 0);
    let flow = organizer.post(app.url(&format!("{SETTINGS}/flow"))).form(&[("flow", "backward")]);
    assert_eq!(flow.send().expect("an answer").status(), 422);
}

#[test]
fn switched_on_again_the_room_begins_with_a_new_draw() {
    let app = TestApp::spawn();
    switch_on(&app);
    wait_for_turn(&app, &app.client);
    set_room(&app, "off");
    eventually("the room is off", || app.get(ROOM).status() == 303);
    switch_on(&app);
    assert_eq!(app.database.count("queue_passes"), 0);
    assert!(!audited(&app, "waiting room changed").is_empty());
}
