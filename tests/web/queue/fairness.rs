//! Passes are given by place, not by speed: frequent requests gain nothing, on any server.

use std::sync::Barrier;
use std::thread;

use chrono::TimeDelta;
use reqwest::blocking::Client;
use techkraft::queue::draw::DrawSeed;

use super::{ROOM, number_in, set_flow, start_sale, start_sale_in, switch_on, take_place, visit};
use crate::support::{TestApp, browser, header};
use testkit::wait::eventually;

/// Serves everybody in the line.
const SERVED_FAR: &str = "UPDATE waiting_rooms SET served = 4294967296000";

/// Browsers with places in the lobby, the best place first. The room is drawn, and its line is stopped.
fn drawn_lobby(app: &TestApp, people: usize) -> Vec<Client> {
    start_sale_in(app, 60);
    switch_on(app);
    set_flow(app, "stopped");
    eventually("the lobby is open", || visit(app, &app.client).contains("Take your place"));
    let mut lobby = Vec::new();
    for _ in 0..people {
        let client = browser();
        take_place(app, &client);
        let number = number_in(&visit(app, &client));
        lobby.push((number, client));
    }
    let all = format!("queue_arrivals WHERE slot = 0 AND arrivals = {people}");
    eventually("all are counted", || app.database.count(&all) == 1);
    // The sale starts after all of them have come; the column has whole seconds.
    start_sale(app, TimeDelta::seconds(2));
    eventually("the lobby is drawn", || app.database.count("waiting_rooms WHERE opened_at IS NOT NULL") == 1);
    let seed = app.database.text("SELECT seed AS text FROM waiting_rooms");
    let seed = DrawSeed::parse(&seed).expect("a seed");
    lobby.sort_by_key(|(number, _)| seed.fraction(number));
    eventually("the site knows it", || visit(app, &lobby[0].1).contains("You’re in line"));
    lobby.into_iter().map(|(_, client)| client).collect()
}

/// Leaves so many tickets, all of one type.
fn leave(app: &TestApp, tickets: u32) {
    for tier in app.database.tiers() {
        app.database.set_available(&tier.name, if tier.name == "VIP" { tickets } else { 0 });
    }
}

fn has_turn(app: &TestApp, client: &Client) -> bool {
    visit(app, client).contains("It’s your turn")
}

/// There are four tickets for forty people. The half with the worse places polls all the time, while the better half
/// does nothing. Seen to fail without `promised` in the pace: the worse half had all six passes within four seconds.
#[test]
fn who_polls_fastest_gains_nothing() {
    let app = TestApp::spawn();
    let lobby = drawn_lobby(&app, 40);
    leave(&app, 4);
    eventually("the room knows it", || visit(&app, &lobby[39]).contains("4 left"));
    set_flow(&app, "open");
    // Count nine moves from the row alone, so that the speed of this machine makes no difference.
    let moved = || {
        app.database
            .text("SELECT CAST(per_second AS TEXT) AS text FROM waiting_rooms")
            .parse::<i32>()
            .expect("it")
    };
    let before = moved();
    let is_later = |moved: i32| (0..9).fold(before, |pace, _| (pace + pace / 10 + 1).min(50)) <= moved;
    while !is_later(moved()) {
        for client in &lobby[20..] {
            assert!(!has_turn(&app, client), "who is worse was served first");
        }
    }
    assert_eq!(app.database.count("queue_passes"), 0);
    eventually("the best one's turn has come", || has_turn(&app, &lobby[0]));
    let served = lobby.iter().filter(|client| has_turn(&app, client)).count();
    assert!((1..=6).contains(&served), "{served} passes for four tickets");
}

/// There are two passes for the last ticket. When one comes back, the better place among those who were served gets
/// it, and not the person who asks first. Seen to fail without `refusals`: the worse place got it.
#[test]
fn a_pass_that_comes_back_goes_to_the_best_place() {
    let app = TestApp::spawn();
    let lobby = drawn_lobby(&app, 4);
    leave(&app, 1);
    eventually("the room knows it", || visit(&app, &lobby[3]).contains("1 left"));
    app.database.execute(SERVED_FAR);
    eventually("all are served", || !visit(&app, &lobby[3]).contains("You’re in line"));
    // The last person has asked first, and may have one of the two passes; the first of the others get the rest.
    eventually("both passes are out", || {
        lobby.iter().for_each(|client| drop(visit(&app, client)));
        app.database.count("queue_passes") == 2
    });
    let without: Vec<&Client> = lobby.iter().filter(|client| !has_turn(&app, client)).collect();
    let (better, worse) = (without[0], without[1]);
    assert!(visit(&app, better).contains("Your turn has come"));
    let long_ago = "'2026-01-01 00:00:00'";
    let one = "(SELECT MIN(place) FROM queue_passes)";
    app.database.execute(&format!(
        "UPDATE queue_passes SET issued_at = {long_ago}, expires_at = {long_ago} WHERE place = {one}"
    ));
    eventually("the better one has it", || {
        assert!(!has_turn(&app, worse), "who asked first has it");
        has_turn(&app, better)
    });
    assert_eq!(app.database.count("waiting_rooms WHERE refused_at IS NOT NULL"), 1);
}

/// Seen to fail without the count in `issue`: eight people got passes.
#[test]
fn servers_together_issue_no_more_passes_than_there_are() {
    let app = TestApp::spawn();
    let lobby = drawn_lobby(&app, 8);
    leave(&app, 1);
    let other = app.another_server();
    let addresses = [app.address, other.address];
    app.database.execute(SERVED_FAR);
    let page = |client: &Client, address| {
        let get = client.get(format!("http://{address}{ROOM}"));
        get.send().expect("an answer").text().expect("a page")
    };
    let start = Barrier::new(lobby.len());
    eventually("both know that all are served", || {
        let watcher = browser();
        addresses.iter().all(|address| page(&watcher, *address).contains("1 left"))
            && app.database.count("waiting_rooms WHERE moved_at IS NOT NULL") == 1
    });
    thread::scope(|scope| {
        for (n, client) in lobby.iter().enumerate() {
            let (start, page) = (&start, &page);
            scope.spawn(move || {
                start.wait();
                eventually("it has a pass or is told to wait", || {
                    !page(client, addresses[n % 2]).contains("You’re in line")
                });
            });
        }
    });
    assert_eq!(app.database.count("queue_passes"), 2, "one and a half times one ticket");
}

/// Only people who are served get the form.
#[test]
fn who_waits_gets_no_form() {
    let app = TestApp::spawn();
    let lobby = drawn_lobby(&app, 2);
    let form = format!("/bookings/new?ticket_type={}", app.tier_id("VIP"));
    for client in &lobby {
        let refused = client.get(app.url(&form)).send().expect("an answer");
        assert_eq!((refused.status().as_u16(), header(&refused, "location")), (303, ROOM));
    }
    assert_eq!(app.database.count("queue_passes"), 0);
}
