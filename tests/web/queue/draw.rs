//! The draw: a fingerprint is published before, the draw is shown after, and everybody who computes it gets the same
//! result.

use std::process::Stdio;
use std::thread;
use std::time::Duration;

use reqwest::blocking::Client;
use techkraft::queue::draw::DrawSeed;

use super::{
    CONCERT, ROOM, number_in, set_flow, set_room, start_sale_in, switch_on, take_place, visit, wait_for_turn,
};
use crate::command_line::techkraft;
use crate::support::acts::NO_FIELDS;
use crate::support::{TestApp, between, browser, header};
use testkit::wait::eventually;

/// What the page about the draw shows, in its order: the fingerprint, the seed, the number, the draw.
fn codes(app: &TestApp, client: &Client) -> Vec<String> {
    let html =
        client.get(app.url(&format!("{ROOM}/draw"))).send().expect("an answer").text().expect("a page");
    let codes = html.split("<dd class=\"queue__code\">").skip(1);
    codes.map(|rest| rest.split("</dd>").next().expect("an end").to_owned()).collect()
}

#[test]
fn a_lobby_is_drawn_as_it_was_promised() {
    let app = TestApp::spawn();
    start_sale_in(&app, 60);
    switch_on(&app);
    eventually("the lobby is open", || visit(&app, &app.client).contains("Take your place"));
    let lobby: Vec<Client> = (0..8).map(|_| browser()).collect();
    let mut numbers = Vec::new();
    for client in &lobby {
        take_place(&app, client);
        numbers.push(number_in(&visit(&app, client)));
    }
    eventually("all are counted", || {
        app.database.count("queue_arrivals WHERE slot = 0 AND arrivals = 8") == 1
    });
    let before = codes(&app, &lobby[0]);
    assert_eq!((before.len(), before[1].as_str()), (3, "Shown when sales start"));

    start_sale_in(&app, 0);
    eventually("the lobby is drawn", || app.database.count("waiting_rooms WHERE opened_at IS NOT NULL") == 1);
    eventually("the seed is shown", || codes(&app, &lobby[0]).len() == 4);
    for (client, number) in lobby.iter().zip(&numbers) {
        let shown = codes(&app, client);
        assert_eq!((&shown[0], &shown[2]), (&before[0], number), "promised and given before");
        let seed = DrawSeed::parse(&shown[1]).expect("a seed");
        assert_eq!(seed.hash(), shown[0]);
        assert_eq!(shown[3], format!("{:08x}", seed.fraction(number)));
    }
    for client in &lobby {
        eventually("each one is served", || visit(&app, client).contains("It’s your turn"));
    }
    assert_eq!(app.database.count("queue_passes"), 8);
}

/// Another server starts before the draw: it shows the same draw, and every place stays where it was.
#[test]
fn another_server_knows_every_place() {
    let app = TestApp::spawn();
    start_sale_in(&app, 60);
    switch_on(&app);
    eventually("the lobby is open", || visit(&app, &app.client).contains("Take your place"));
    take_place(&app, &app.client);
    let other = app.another_server();
    start_sale_in(&app, 0);
    eventually("the lobby is drawn", || codes(&app, &app.client).len() == 4);
    let own = codes(&app, &app.client);
    let at_other = || {
        let url = format!("http://{}{ROOM}/draw", other.address);
        app.client.get(url).send().expect("an answer").text().expect("a page")
    };
    eventually("the other server shows the same draw", || at_other().contains(&own[3]));
}

#[test]
fn the_command_computes_what_the_page_shows() {
    let app = TestApp::spawn();
    let seed = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let run = |arguments: &[&str]| {
        let mut command = techkraft(&app.database);
        let output = command.args(["draw", "check"]).args(arguments).stdin(Stdio::null()).output();
        let output = output.expect("the binary runs");
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    };
    // The fingerprint as openssl computes it.
    let fingerprint = "cd372fb85148700fa88095e3492d3f9f5beb43e555e5ff26d95f5a6adc36f8e6";
    let (succeeded, text) = run(&[seed, "0011 2233 4455 6677 8899", "--fingerprint", fingerprint]);
    assert!(succeeded && text.contains("53972a2b") && text.contains("was promised"), "{text}");
    let (succeeded, text) = run(&[seed, "00112233445566778899", "--fingerprint", &"0".repeat(64)]);
    assert!(!succeeded && text.contains("was changed"), "{text}");
    for arguments in [["x", "00112233445566778899"], [seed, "001122"]] {
        let (succeeded, text) = run(&arguments);
        assert!(!succeeded && text.contains("is not what the waiting room's page shows"), "{text}");
    }
}

/// A person who has taken a place at one server is served by another server when the first one suddenly disappears.
#[test]
fn a_server_that_is_gone_loses_nobodys_place() {
    let app = TestApp::spawn();
    switch_on(&app);
    set_flow(&app, "stopped");
    eventually("the line is drawn", || app.database.count("waiting_rooms WHERE opened_at IS NOT NULL") == 1);
    let other = app.another_server();
    let placed = browser().post(format!("http://{}{ROOM}", other.address)).form(&NO_FIELDS).send();
    let placed = placed.expect("an answer");
    let cookie = header(&placed, "set-cookie").split(';').next().expect("a cookie").to_owned();
    drop(other);
    set_flow(&app, "open");
    eventually("the turn has come at the server that is left", || {
        let page = browser().get(app.url(ROOM)).header("cookie", &cookie).send().expect("an answer");
        page.text().expect("a page").contains("It’s your turn")
    });
}

/// A week after a concert has ended, only the settings of its room are kept.
#[test]
fn the_counts_of_concerts_that_are_over_are_deleted() {
    let app = TestApp::spawn();
    switch_on(&app);
    wait_for_turn(&app, &app.client);
    eventually("the arrival is counted", || app.database.count("queue_arrivals") == 1);
    app.database.execute(
        "UPDATE events SET starts_at = '2026-01-01 20:00:00', ends_at = '2026-01-01 23:00:00',
         facts_version = facts_version + 1",
    );
    // A server does it once an hour, and at its start.
    let _restarted = app.another_server();
    eventually("both are deleted", || {
        app.database.count("queue_arrivals") + app.database.count("queue_passes") == 0
    });
    assert_eq!(app.database.count("waiting_rooms WHERE mode = 'always'"), 1);
    eventually("it has no room any more", || app.get(ROOM).status() == 303);
}

/// The organizer moves the start of the sale into the past. Seen to fail with the draw at that start: people who had
/// come after it stood behind a lobby that counted them.
#[test]
fn a_start_in_the_past_draws_everybody_who_has_come() {
    let app = TestApp::spawn();
    start_sale_in(&app, 60);
    switch_on(&app);
    set_flow(&app, "stopped");
    eventually("the lobby is open", || visit(&app, &app.client).contains("Take your place"));
    let lobby: Vec<Client> = (0..4).map(|_| browser()).collect();
    lobby.iter().for_each(|client| drop(take_place(&app, client)));
    eventually("all are counted", || {
        app.database.count("queue_arrivals WHERE slot = 0 AND arrivals = 4") == 1
    });
    start_sale_in(&app, -30);
    for client in &lobby {
        eventually("the lobby is drawn", || visit(&app, client).contains("You’re in line"));
        let page = visit(&app, client);
        let number = |name: &str| between(&page, name, "\"").parse::<i64>().expect("a number");
        assert!(number("data-position=\"") < 1 << 32, "a place of the lobby");
        assert!(number("data-before=\"") < 4, "with three others");
    }
    let late = browser();
    take_place(&app, &late);
    eventually("who comes now stands behind the four", || {
        between(&visit(&app, &late), "data-ahead>", "<") == "4"
    });
}

#[derive(diesel::QueryableByName)]
struct Moved {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    served: i64,
    #[diesel(sql_type = diesel::sql_types::Timestamp)]
    moved_at: chrono::NaiveDateTime,
}

/// Seen to fail without `moved_at` in the WHERE of `advance` (and the check before it): three servers moved the line
/// so often that each move was for less than a whole second, and the line stood still.
#[test]
fn several_servers_move_the_line_once_a_second() {
    const PEOPLE: i64 = 1_000_000;
    let app = TestApp::spawn();
    switch_on(&app);
    set_flow(&app, "stopped");
    let _others = [app.another_server(), app.another_server()];
    eventually("the line is drawn", || app.database.count("waiting_rooms WHERE opened_at IS NOT NULL") == 1);
    app.database.execute(&format!("INSERT INTO queue_arrivals VALUES (1, 0, {PEOPLE})"));
    app.database.execute("UPDATE waiting_rooms SET served = 0, most_per_second = 10, flow = 'open'");
    // (people served, milliseconds), from the row alone, so that the speed of this machine makes no difference.
    let line = || {
        let moved = app.database.rows::<Moved>("SELECT served, moved_at FROM waiting_rooms").remove(0);
        let share = moved.served as f64 / f64::from(u32::MAX);
        (share * PEOPLE as f64, moved.moved_at.and_utc().timestamp_millis())
    };
    eventually("the line moves", || line().0 > 0.0);
    let before = line();
    eventually("five seconds have passed", || line().1 - before.1 > 5_000);
    let after = line();
    let per_second = (after.0 - before.0) / ((after.1 - before.1) as f64 / 1000.0);
    assert!((5.0..16.0).contains(&per_second), "{per_second} people a second, {before:?} to {after:?}");
}

#[test]
fn a_drafts_room_is_drawn_when_it_is_on_sale_and_not_earlier() {
    let app = TestApp::spawn();
    app.database.execute("UPDATE events SET state = 'draft', facts_version = facts_version + 1");
    eventually("it is a draft", || app.get(CONCERT).status() == 404);
    set_room(&app, "always");
    let drawn = || app.database.count("waiting_rooms WHERE opened_at IS NOT NULL");
    // Lines move once a second.
    thread::sleep(Duration::from_millis(2_500));
    assert_eq!(drawn(), 0);
    app.database.execute("UPDATE events SET state = 'published', facts_version = facts_version + 1");
    eventually("it is drawn", || drawn() == 1);
}
