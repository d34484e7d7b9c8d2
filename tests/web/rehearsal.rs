//! Rehearsals of a sale: a copy of a concert, simulated buyers, a report, and nothing left of it.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use techkraft::audit::Actor;
use techkraft::db::{Database, DatabaseUrl};
use techkraft::events;
use techkraft::guard::limits::Rates;
use techkraft::rehearsal::store;

use crate::admin::tokens::make_token;
use crate::command_line::techkraft;
use crate::guard::limits::rates;
use crate::support::{TestApp, browser, header};
use testkit::wait::{eventually, within};

const PAGE: &str = "/admin/events/midnight-parade/rehearsal";

/// The rows that are left of copies and their buyers.
fn left(app: &TestApp) -> Vec<(&'static str, i64)> {
    let tables = [
        "events WHERE slug LIKE 'rehearsal-%'",
        "ticket_types WHERE event_id > 1",
        "bookings WHERE buyer_email LIKE '%rehearsal.invalid'",
        "booking_lines WHERE booking_id NOT IN (SELECT id FROM bookings)",
        "mails WHERE booking_id NOT IN (SELECT id FROM bookings)",
        "waiting_rooms WHERE event_id > 1",
        "queue_passes WHERE event_id > 1",
        "rehearsals WHERE slot IS NOT NULL",
    ];
    tables.into_iter().map(|table| (table, app.count(table))).filter(|(_, count)| *count > 0).collect()
}

fn start(app: &TestApp, buyers: &str) -> reqwest::blocking::Response {
    let form = [("buyers", buyers), ("minutes", "1")];
    app.organizer().post(app.url(PAGE)).form(&form).send().expect("an answer")
}

fn report_page(app: &TestApp) -> String {
    app.organizer().get(app.url(PAGE)).send().expect("an answer").text().expect("a page")
}

/// The copy sells out through its own waiting room, under the rate limits that apply to people, and the real concert
/// sells nothing.
#[test]
fn a_rehearsal_sells_a_copy_out_and_leaves_nothing() {
    // These limits would stop the buyers if they were all counted together.
    let strict = Rates {
        places: "3/minute".parse().expect("a rate"),
        bookings: "3/minute".parse().expect("a rate"),
        ..rates()
    };
    let app = TestApp::spawn_with(|config| config.rate_limits = Some(strict));
    app.database.execute("UPDATE ticket_types SET capacity = 20, available = 20");
    app.database.execute(
        "INSERT INTO waiting_rooms (event_id, mode, opens_minutes, flow, most_per_second, seed, seed_hash, per_second)
         VALUES (1, 'always', 30, 'stopped', 50, 'x', 'y', 10)",
    );
    let started = start(&app, "60");
    assert_eq!((started.status().as_u16(), header(&started, "location")), (303, PAGE));
    assert_eq!(start(&app, "60").status(), 409, "one at a time");
    eventually("there is a copy", || app.count("events WHERE slug LIKE 'rehearsal-%'") == 1);
    assert!(!app.get("/").text().expect("a page").contains("Rehearsal of"), "it is on no list");
    let listed = app.get("/api/v1/events").text().expect("json");
    assert!(!listed.contains("Rehearsal of"), "{listed}");
    within(Duration::from_secs(60), "it has booked", || {
        app.count("bookings WHERE buyer_email LIKE '%rehearsal.invalid'") > 0
    });
    let organizer = app.organizer();
    for path in ["/admin", "/admin/bookings", "/admin/bookings?q=buyer", "/admin/events"] {
        let page = organizer.get(app.url(path)).send().expect("an answer").text().expect("a page");
        assert!(!page.contains("Rehearsal of") && !page.contains("rehearsal.invalid"), "{path}: {page}");
    }
    within(Duration::from_secs(90), "it is over", || app.count("rehearsals WHERE report IS NOT NULL") == 1);

    let page = report_page(&app);
    let words = page.replace(char::is_whitespace, " ");
    for part in [
        "<dt>Sold</dt><dd>60 <span>of 60 tickets",
        "<dt>Counts</dt><dd>All add up",
        "60 of 60 buyers came, through the waiting room.",
        "s <span>after the start",
    ] {
        assert!(words.contains(part), "{part} is missing from {page}");
    }
    assert_eq!(left(&app), []);
    assert_eq!(app.count("bookings"), 0, "nobody has booked the real concert");
    let mails = fs::read_dir(app.database.folder.path().join("mail")).map_or(0, Iterator::count);
    assert_eq!(mails, 0, "nothing is mailed");
    assert_eq!(app.database.tier("VIP").available, 20);
    app.database.assert_books_balance();
}

/// Makes a copy as a server does that is killed then.
fn leave_a_copy(app: &TestApp) -> Database {
    let url = DatabaseUrl::parse(&app.database.url).expect("a URL");
    let database = Database::open(&url, 1).expect("the database");
    let killed = database.write_blocking(|db| {
        let concert = events::store::find_by_slug(db, "midnight-parade")?;
        let actor = Actor::command_line();
        let id = store::ask(db, (concert.id, "midnight-parade"), (9, 1), &actor)?.expect("no other");
        store::take(db)?.expect("it waits");
        let slug = "rehearsal-0123456789abcdef0123";
        let (copy, ..) = store::copy::make(db, &concert, slug, concert.starts_at - TimeDelta::days(1))?;
        store::note_copy(db, id, copy.id)
    });
    killed.expect("a copy");
    database
}

/// A server that is killed leaves its copy; another one deletes it.
#[test]
fn a_copy_whose_server_is_gone_is_deleted() {
    let app = TestApp::spawn();
    let database = leave_a_copy(&app);
    assert_eq!(app.count("ticket_types"), 6, "the copy has the same ticket types");
    assert_eq!(start(&app, "9").status(), 409, "one at a time");
    let ended = database.write_blocking(store::end_abandoned).expect("an answer");
    assert!(!ended && app.count("ticket_types") == 6, "its server may still run");
    app.database.execute("UPDATE rehearsals SET leased_until = '2026-01-01 00:00:00'");
    eventually("nothing is left", || left(&app).is_empty());
    assert_eq!(app.count("ticket_types"), 3);
    assert!(report_page(&app).contains("The server that ran it was stopped."));
}

#[test]
fn programs_see_no_copy_and_a_new_concert_takes_nothing_over_from_it() {
    let app = TestApp::spawn();
    app.database.execute("UPDATE events SET organizer_contact = 'box@example.org'");
    leave_a_copy(&app);
    let token = make_token(&app, &app.organizer(), "Tour planner", &["events:write"]);
    let events = app.url("/api/v1/events");
    let listed = app.client.get(&events).bearer_auth(&token).send().expect("an answer").text().expect("JSON");
    assert!(listed.contains("midnight-parade") && !listed.contains("Rehearsal of"), "{listed}");
    let night = json!({ "name": "Night", "startsAt": "2027-06-19T20:00", "timeZone": "America/Chicago" });
    let created = app.client.post(&events).bearer_auth(&token).json(&night).send().expect("an answer");
    let created: Value = created.json().expect("JSON");
    assert_eq!(created["organizerContact"], "box@example.org", "{created}");
    assert_eq!(created["cancellableUntil"], "2027-06-19T01:00:00.000Z", "{created}");
}

#[test]
fn real_buyers_come_first() {
    let app = TestApp::spawn();
    let soon = (chrono::Utc::now() + TimeDelta::minutes(30)).format("%F %T");
    app.database
        .execute(&format!("UPDATE events SET sales_start_at = '{soon}', facts_version = facts_version + 1"));
    eventually("it is refused", || start(&app, "10").status() == 409);
    assert!(report_page(&app).contains("starts within an hour"));
    let later = (chrono::Utc::now() + TimeDelta::minutes(75)).format("%F %T");
    app.database
        .execute(&format!("UPDATE events SET sales_start_at = '{later}', facts_version = facts_version + 1"));
    eventually("a short one is possible", || report_page(&app).contains("name=\"minutes\""));
    let long = [("buyers", "10"), ("minutes", "30")];
    let refused = app.organizer().post(app.url(PAGE)).form(&long).send().expect("an answer");
    assert_eq!(refused.status(), 409);
    let page = refused.text().expect("a page");
    assert!(page.contains("starts within an hour") && page.contains("name=\"minutes\""), "{page}");
    app.database.execute("UPDATE events SET sales_start_at = NULL, facts_version = facts_version + 1");
    for (buyers, message) in [("0", "Enter a number from 1 to 100000."), ("many", "Enter a number from 1 to")]
    {
        let refused = start(&app, buyers);
        assert_eq!(refused.status(), 422);
        assert!(refused.text().expect("a page").contains(message));
    }
    assert_eq!(app.count("rehearsals"), 0);
    assert_eq!(browser().get(app.url(PAGE)).send().expect("an answer").status(), 303, "signed in only");
}

/// The limits count each simulated buyer as a network of its own. No other client can claim to be one.
#[test]
fn a_header_of_a_stranger_is_no_buyer_of_a_rehearsal() {
    let app = TestApp::spawn_with(|config| {
        config.rate_limits = Some(Rates { bookings: "3/minute".parse().expect("a rate"), ..rates() });
    });
    let ask = |n: u32| {
        let from = format!("fd00:0:{n:x}::1");
        let get = browser().post(app.url("/bookings")).header("x-forwarded-for", from);
        get.header("x-rehearsal-key", "guessed")
            .form(&[("quantity", "1")])
            .send()
            .expect("an answer")
            .status()
    };
    assert!((0..100).any(|n| ask(n) == 429));
}

#[test]
fn the_command_prints_what_was_measured() {
    let app = TestApp::spawn();
    app.database.execute("UPDATE ticket_types SET capacity = 3, available = 3");
    let mut command = techkraft(&app.database);
    let output = command.args(["rehearse", "midnight-parade", "--buyers", "12", "--minutes", "1"]);
    let output = output.stdout(Stdio::piped()).output().expect("it runs");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    for part in ["Sold         9 of 9 tickets", "Counts       all add up", "Bottleneck"] {
        assert!(printed.contains(part), "{part} is missing from {printed}");
    }
    assert_eq!(left(&app), []);
}
