//! Guessing passwords gets slow, but only for those who guess.

use std::net::SocketAddr;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use reqwest::blocking::{Client, Response};
use techkraft::auth::store;
use techkraft::auth::throttle::ROWS_MAX;
use techkraft::config::Config;
use techkraft::db::{Database, DatabaseUrl};
use techkraft::guard::client_address::TrustedProxies;

use super::{audited, count, minutes_ago, prolong_waits};
use crate::support::{TestApp, browser, header};

/// The server believes the address that the test states for a visitor.
pub(super) fn behind_a_proxy(config: &mut Config) {
    config.trusted_proxies = TrustedProxies::new(["127.0.0.1/32".parse().expect("a network")]);
}

pub(super) fn try_at(
    server: SocketAddr,
    client: &Client,
    from: &str,
    username: &str,
    password: &str,
) -> Response {
    let form = [("username", username), ("password", password)];
    let post = client.post(format!("http://{server}/admin/sign-in")).header("x-forwarded-for", from);
    post.form(&form).send().expect("an answer")
}

fn guess(app: &TestApp, from: &str, username: &str) -> u16 {
    try_at(app.address, &browser(), from, username, "a guess").status().as_u16()
}

#[test]
fn guessing_passwords_gets_slow_and_ends() {
    let app = TestApp::spawn();
    let guesser = browser();
    for _ in 0..4 {
        let response = app.sign_in(&guesser, "guess");
        assert_eq!(response.status(), 422);
        assert!(response.text().expect("a page").contains("Incorrect username or password"));
    }
    let (entries, counts) = (audited(&app, "sign-in failed").len(), count(&app, "sign_in_brakes"));
    let response = app.sign_in(&guesser, &app.admin_password);
    assert_eq!(response.status(), 429, "even the right one waits now");
    assert!(header(&response, "retry-after").parse::<u32>().is_ok_and(|seconds| (1..=2).contains(&seconds)));
    let html = response.text().expect("a page");
    assert!(html.contains("Too many wrong passwords") && html.contains("value=\"admin\""), "{html}");
    assert_eq!((audited(&app, "sign-in failed").len(), count(&app, "sign_in_brakes")), (entries, counts));

    thread::sleep(Duration::from_millis(2_100));
    assert_eq!(app.sign_in(&guesser, &app.admin_password).status(), 303);
    assert_eq!(app.sign_in(&browser(), "guess").status(), 422, "the right password has begun a new count");
}

#[test]
fn guesses_are_counted_for_the_account_however_its_name_is_typed() {
    let app = TestApp::spawn();
    for name in ["admin", " Admin", "ADMIN ", "ad\0min"] {
        assert_eq!(app.sign_in_as(&browser(), name, "a guess").status(), 422, "{name:?}");
    }
    assert_eq!(count(&app, "sign_in_brakes"), 2, "the account's in this network, and the network's");
    prolong_waits(&app);
    assert_eq!(app.sign_in_as(&browser(), "\0admin", &app.admin_password).status(), 429);
}

#[test]
fn guesses_sent_all_at_once_are_counted_one_after_another() {
    let app = TestApp::spawn();
    let (barrier, looked_at, is_slowed) = (Barrier::new(8), AtomicU32::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let client = browser();
                barrier.wait();
                while !is_slowed.load(Ordering::Relaxed) {
                    match app.sign_in(&client, "a guess").status().as_u16() {
                        422 => drop(looked_at.fetch_add(1, Ordering::Relaxed)),
                        429 => is_slowed.store(true, Ordering::Relaxed),
                        status => assert_eq!(status, 503),
                    }
                }
            });
        }
    });
    assert_eq!(looked_at.into_inner(), 4, "three for nothing, and the one that begins the wait");
}

#[test]
fn what_one_server_slows_the_others_slow() {
    let app = TestApp::spawn();
    let second = app.another_server();
    for _ in 0..4 {
        assert_eq!(app.sign_in(&browser(), "a guess").status(), 422);
    }
    prolong_waits(&app);
    let response = try_at(second.address, &browser(), "127.0.0.1", "admin", &app.admin_password);
    assert_eq!(response.status(), 429);
    assert_eq!(audited(&app, "sign-in failed").len(), 4, "it was not looked at");
}

#[test]
fn a_network_that_tries_many_names_is_slowed_and_no_other() {
    let app = TestApp::spawn_with(behind_a_proxy);
    // Addresses of one network: an IPv6 home has 2⁶⁴ of them.
    let from = |number: u32| format!("2001:db8:0:7::{number:x}");
    for number in 0..10 {
        assert_eq!(guess(&app, &from(number), &format!("name {number}")), 422);
    }
    let admin = try_at(app.address, &browser(), &from(11), "admin", &app.admin_password);
    assert_eq!(admin.status(), 303, "ten cost nothing");
    assert_eq!(guess(&app, &from(12), "another name"), 422, "and a right one washes no count");
    prolong_waits(&app);
    assert_eq!(guess(&app, &from(13), "yet another name"), 429);
    assert_eq!(guess(&app, "2001:db8:0:8::1", "yet another name"), 422);
    assert_eq!(guess(&app, "198.51.100.7", "yet another name"), 422);
}

#[test]
fn a_known_browser_is_counted_by_itself_wherever_it_is_carried() {
    let app = TestApp::spawn_with(behind_a_proxy);
    let organizer = browser();
    let sign_in = |client: &Client, from: &str, password: &str| {
        try_at(app.address, client, from, "admin", password).status().as_u16()
    };
    assert_eq!(sign_in(&organizer, "203.0.113.1", &app.admin_password), 303);
    for _ in 0..4 {
        assert_eq!(guess(&app, "198.51.100.1", "admin"), 422);
    }
    prolong_waits(&app);
    assert_eq!(guess(&app, "198.51.100.1", "admin"), 429);
    assert_eq!(sign_in(&organizer, "203.0.113.1", &app.admin_password), 303);
    assert_eq!(sign_in(&organizer, "198.51.100.1", &app.admin_password), 303, "wherever it is carried");

    // A known browser does not get around the throttle.
    for _ in 0..4 {
        assert_eq!(sign_in(&organizer, "192.0.2.9", "a guess"), 422);
    }
    prolong_waits(&app);
    assert_eq!(sign_in(&organizer, "192.0.2.9", &app.admin_password), 429);
}

#[test]
fn counts_are_forgotten_after_a_day_and_bounded() {
    let app = TestApp::spawn();
    let old = |key: &str, minutes| {
        let at = minutes_ago(minutes);
        format!("INSERT INTO sign_in_brakes VALUES ('{key}', 50, {at}, {at});")
    };
    app.database.execute(&(old("yesterday", 24 * 60 + 1) + &old("today", 23 * 60)));
    assert_eq!(app.sign_in(&browser(), "a guess").status(), 422);
    assert_eq!(count(&app, "sign_in_brakes"), 3, "two of the guess, and today's");

    let numbers = if app.database.is_postgres() {
        format!("SELECT generate_series(1, {ROWS_MAX}) AS number")
    } else {
        format!(
            "WITH RECURSIVE n(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM n LIMIT {ROWS_MAX}) SELECT number FROM n"
        )
    };
    let at = minutes_ago(0);
    app.database.execute(&format!(
        "INSERT INTO sign_in_brakes SELECT 'crowd ' || number, 1, {at}, {at} FROM ({numbers}) AS numbers"
    ));
    assert_eq!(count(&app, "sign_in_brakes"), ROWS_MAX + 3);
    let database = Database::open(&DatabaseUrl::parse(&app.database.url).expect("a URL"), 1).expect("it");
    database.write_blocking(store::throttle::delete_surplus).expect("it writes");
    assert!(count(&app, "sign_in_brakes") <= ROWS_MAX);
    assert_eq!(count(&app, "sign_in_brakes WHERE key = 'today'"), 0, "the oldest go first");
}
