//! The gate: a ticket comes in once, and a refusal says why.

mod gates;
mod offline;
mod search;

use reqwest::blocking::{Client, Response};

use crate::support::{TestApp, between, header};

const GATE: &str = "North gate";
const EVENT: &str = "midnight-parade";

/// The tickets' codes as the booking's page shows them.
pub fn codes(app: &TestApp, booking: &str) -> Vec<String> {
    let html = app.get(booking).text().expect("a page");
    let codes = html.split("data-ticket-code>").skip(1).filter_map(|rest| rest.split('<').next());
    codes.map(str::to_owned).collect()
}

pub fn scan(app: &TestApp, organizer: &Client, gate: &str, code: &str) -> Response {
    let form = [("event", EVENT), ("gate", gate), ("code", code)];
    organizer.post(app.url("/admin/check-in")).form(&form).send().expect("an answer")
}

/// The status and the answer's words.
pub fn answer(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let html = response.text().expect("a page");
    let answer = between(&html, "<section class=\"answer", "</section>");
    (status, answer.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn the_gate_is_closed_to_everybody_else() {
    let app = TestApp::spawn();
    let code = &codes(&app, &app.book_well("VIP", 1))[0];
    for path in ["/admin/check-in", "/admin/check-in/gate", "/admin/check-in/turnout"] {
        assert_eq!(app.get(path).status(), 303, "{path}");
    }
    assert_eq!(scan(&app, &app.client, GATE, code).status(), 303);
    let undo = app.post("/admin/check-in/revocation", &[("event", EVENT), ("gate", GATE), ("code", code)]);
    assert_eq!(undo.status(), 303);
    assert_eq!(app.count("used_tickets"), 0);
}

#[test]
fn a_ticket_comes_in_once_and_a_second_scan_says_when_and_where() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.open_doors();
    let booking = app.book_well("VIP", 2);
    let codes = codes(&app, &booking);
    assert_eq!(codes.len(), 2);
    let scanned = |at: &str| app.get(at).text().expect("a page").matches("It can’t be used again.").count();
    assert_eq!(scanned(&booking), 0);

    let (status, words) = answer(scan(&app, &organizer, GATE, &codes[0].to_lowercase().replace('-', " ")));
    assert_eq!(status, 201, "{words}");
    for part in [
        "answer--admitted",
        "Admitted",
        "Ada Lovelace",
        ">VIP</span>",
        "ticket 1 of 2",
        "1 of 2 admitted. Due at the venue: $100.00",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
    assert_eq!(scanned(&booking), 1, "the buyer sees which one was scanned");
    let (status, words) = answer(scan(&app, &organizer, "South gate", &codes[0]));
    assert_eq!(status, 409, "{words}");
    for part in ["answer--refused", "Already used", "Ada Lovelace", "Scanned", GATE] {
        assert!(words.contains(part), "{part}: {words}");
    }
    let (status, words) = answer(scan(&app, &organizer, GATE, &codes[1]));
    assert_eq!(status, 201);
    assert!(words.contains("Both admitted"), "{words}");
    assert_eq!(app.count("used_tickets"), 2);

    let turnout = organizer
        .get(app.url("/admin/check-in/turnout?event=midnight-parade&gate=South%20gate"))
        .header("HX-Request", "true");
    let turnout = turnout.send().expect("an answer").text().expect("a fragment");
    assert!(!turnout.contains("<html") && turnout.contains("<strong>2</strong> of 2"), "{turnout}");
    assert!(turnout.contains("Refused at all gates: 1") && turnout.contains(">Already used<"), "{turnout}");
    assert!(!turnout.contains("Admitted at"), "those came in elsewhere: {turnout}");
}

#[test]
fn a_canceled_booking_is_refused() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.open_doors();
    let codes = codes(&app, &app.book_well("VIP", 2));
    app.database.execute("UPDATE bookings SET status = 'canceled', canceled_at = CURRENT_TIMESTAMP");
    let (status, words) = answer(scan(&app, &organizer, GATE, &codes[0]));
    assert_eq!(status, 409);
    assert!(words.contains("Canceled") && words.contains("answer--refused"), "{words}");
    assert_eq!((app.count("used_tickets"), app.count("refusals")), (0, 1));
}

#[test]
fn a_ticket_for_another_concert_is_refused() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.open_doors();
    let code = &codes(&app, &app.book_well("VIP", 1))[0];
    app.database.execute(
        "INSERT INTO events (slug, name, tagline, venue, city, starts_at, ends_at, time_zone, currency, state)
         SELECT 'matinee', 'Matinee', '', venue, city, starts_at, ends_at, time_zone, currency, 'published'
         FROM events;
         INSERT INTO ticket_types
             (event_id, name, description, price_minor, capacity, available, max_per_booking, position)
         SELECT id, 'Stalls', '', 100, 5, 5, 5, 1 FROM events WHERE slug = 'matinee'",
    );
    app.wait_until_shown("Matinee");
    let form = [("event", "matinee"), ("gate", GATE), ("code", code)];
    let response = organizer.post(app.url("/admin/check-in")).form(&form).send().expect("an answer");
    let (status, words) = answer(response);
    assert_eq!(status, 409);
    assert!(words.contains("Wrong concert") && words.contains("for Midnight Parade, "), "{words}");
    let question = organizer.get(app.url("/admin/check-in/gate")).send().expect("an answer");
    let question = question.text().expect("a page");
    assert!(question.contains("type=\"radio\"") && question.contains("Matinee"), "{question}");
    assert_eq!(answer(scan(&app, &organizer, GATE, code)).0, 201, "nothing was spoilt");
}

#[test]
fn what_is_no_ticket_is_refused_and_written_down() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.open_doors();
    let code = codes(&app, &app.book_well("VIP", 1)).remove(0);
    let forged = format!("{}{}", &code[..code.len() - 1], if code.ends_with('2') { '3' } else { '2' });
    for (typed, status, says) in [
        ("", 200, "Scan a ticket"),
        ("hello\0", 422, "five groups"),
        (&code[1..], 422, "five groups"),
        (&forged, 404, "Invalid ticket"),
    ] {
        let (got, words) = answer(scan(&app, &organizer, GATE, typed));
        assert_eq!(got, status, "{typed:?}: {words}");
        assert!(words.contains(says), "{typed:?}: {words}");
    }
    assert_eq!((app.count("used_tickets"), app.count("refusals")), (0, 1));
    let kept = scan(&app, &organizer, GATE, &code[1..]).text().expect("a page");
    assert!(kept.contains(&format!("value=\"{}\"", &code[1..])), "what was typed is still there");

    app.database.execute("DELETE FROM bookings");
    let (status, words) = answer(scan(&app, &organizer, GATE, &code));
    assert_eq!(status, 404);
    assert!(words.contains("no longer exists"), "{words}");
}

/// The previous release gives random references, also in SQLite files where a reference is made of the booking's id.
#[test]
fn a_ticket_with_a_random_reference_comes_in_and_is_undone() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.open_doors();
    let booking = app.book_well("VIP", 1);
    app.database.execute("UPDATE bookings SET reference = 'TK-2345-6789'");
    let code = codes(&app, &booking).remove(0);
    assert!(code.starts_with("2345-6789-"), "{code}");
    assert_eq!(scan(&app, &organizer, GATE, &code).status(), 201);
    let form = [("event", EVENT), ("gate", GATE), ("code", &code)];
    let undone = organizer.post(app.url("/admin/check-in/revocation")).form(&form).send();
    assert_eq!(undone.expect("an answer").status(), 200);
    assert_eq!(app.count("used_tickets"), 0);
}

#[test]
fn every_forgery_of_one_character_is_refused() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.open_doors();
    let code = codes(&app, &app.book_well("VIP", 4)).remove(0);
    for (position, character) in code.char_indices().filter(|(_, character)| *character != '-') {
        let mut forged = code.clone();
        // Use a digit: no keyboard layout turns it into a letter, which could happen to be the right one.
        forged.replace_range(position..=position, if character == '3' { "4" } else { "3" });
        assert_eq!(scan(&app, &organizer, GATE, &forged).status(), 404, "{forged}");
    }
    assert_eq!((app.count("used_tickets"), app.count("refusals")), (0, 20));
    assert_eq!(scan(&app, &organizer, GATE, &code).status(), 201);
}

#[test]
fn an_admission_is_undone_once_and_audited() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.open_doors();
    let code = codes(&app, &app.book_well("VIP", 1)).remove(0);
    let undo = || {
        let form = [("event", EVENT), ("gate", GATE), ("code", &code)];
        answer(organizer.post(app.url("/admin/check-in/revocation")).form(&form).send().expect("an answer"))
    };
    assert_eq!(undo().0, 409, "nobody is in yet");
    assert_eq!(scan(&app, &organizer, GATE, &code).status(), 201);
    let (status, words) = undo();
    assert_eq!(status, 200);
    assert!(words.contains("Undone") && words.contains("Ada Lovelace"), "{words}");
    assert_eq!(undo().0, 409);
    assert_eq!(app.count("audit_log WHERE action = 'admission revoked' AND actor = 'admin'"), 1);
    assert_eq!(scan(&app, &organizer, GATE, &code).status(), 201, "the ticket is good again");
}

#[test]
fn a_reseed_resets_the_gates_too() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.open_doors();
    let code = codes(&app, &app.book_well("VIP", 1)).remove(0);
    let statuses = [GATE, "South gate"].map(|gate| scan(&app, &organizer, gate, &code).status().as_u16());
    assert_eq!((statuses, app.count("refusals")), ([201, 409], 1));
    let form = [("event_name", "Midnight Parade"), ("password", app.admin_password.as_str())];
    let reseed = organizer.post(app.url("/admin/reseed")).form(&form);
    assert_eq!(reseed.send().expect("an answer").status(), 303);
    assert_eq!((app.count("used_tickets"), app.count("refusals")), (0, 0));
    assert_eq!(scan(&app, &organizer, GATE, &code).status(), 404);
}

#[test]
fn a_device_remembers_its_gate() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.open_doors();
    let open =
        || organizer.get(app.url("/admin/check-in")).send().expect("an answer").text().expect("a page");
    assert!(open().contains("Which gate is this?"));
    let name = |gate: &str| {
        let form = [("event", EVENT), ("gate", gate)];
        organizer.post(app.url("/admin/check-in/gate")).form(&form).send().expect("an answer")
    };
    for bad in ["", "  ", "a\0b", &"x".repeat(41)] {
        let response = name(bad);
        assert_eq!(response.status(), 422, "{bad:?}");
        assert!(response.text().expect("a page").contains("id=\"gate-name-error\""));
    }
    let response = name("  North   gate ");
    assert_eq!((response.status().as_u16(), header(&response, "location")), (303, "/admin/check-in"));
    let cookie = header(&response, "set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    assert!(open().contains("<h1>North gate</h1>"));
}

#[test]
fn htmx_gets_the_parts_that_changed() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.open_doors();
    let code = codes(&app, &app.book_well("VIP", 1)).remove(0);
    for (gate, status) in [(GATE, 201), ("South gate", 409)] {
        let form = [("event", EVENT), ("gate", gate), ("code", &code)];
        let post = organizer.post(app.url("/admin/check-in")).header("HX-Request", "true").form(&form);
        let response = post.send().expect("an answer");
        assert_eq!(response.status(), status);
        let html = response.text().expect("a fragment");
        assert!(!html.contains("<html") && html.matches("<hx-partial").count() == 3, "{html}");
    }
}

#[test]
fn only_the_gates_page_may_use_the_camera() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.open_doors();
    let policy = |path: &str| {
        let response = organizer.get(app.url(path)).send().expect("an answer");
        header(&response, "permissions-policy").to_owned()
    };
    assert!(policy("/admin/check-in").contains("camera=(self)"));
    for path in ["/", "/admin", "/admin/check-in/gate", "/admin/gates", "/bookings/new"] {
        assert!(policy(path).contains("camera=()"), "{path}");
    }
}
