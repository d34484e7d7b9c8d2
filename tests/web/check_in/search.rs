//! Tickets without a code that can be read: found by a name, an address or a reference; and codes that a scanner typed
//! through another keyboard layout.

use super::gates::{open_link, post};
use super::{EVENT, GATE, answer, codes};
use crate::support::{TestApp, browser};

fn found(app: &TestApp, link: &str, typed: &str) -> (u16, String) {
    let response = post(app, &browser(), link, &[("code", typed)]);
    let (status, html) = (response.status().as_u16(), response.text().expect("a page"));
    (status, html)
}

/// How many tickets are listed that can be admitted.
fn offered(html: &str) -> usize {
    html.matches("name=\"found\"").count()
}

#[test]
fn a_ticket_is_found_by_name_address_or_reference_and_admitted_by_hand() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let codes = codes(&app, &app.book_well("VIP", 2));
    let (canceled, other) = (app.book_well("Front Row", 1), app.book_well("Front Row", 1));
    assert_eq!(app.cancel_at(&browser(), app.address, &canceled).status(), 303);
    app.open_doors();
    app.database.execute(&format!(
        "UPDATE bookings SET buyer_name = 'Zoë Müller-Straße', buyer_email = 'zoe@example.net' WHERE token = '{}'",
        other.trim_start_matches("/bookings/")
    ));
    let reference = format!("TK-{}", &codes[0][..9]);
    let link = open_link(&app, &organizer, GATE);
    for (typed, tickets) in [
        ("ada", 2),
        ("LOVELACE  Ada", 2),
        ("ada@example.org", 2),
        (&reference, 2),
        (&reference.to_lowercase()[3..], 2),
        ("zoe muller", 1),
        ("STRASSE", 1),
        ("zoe@example", 1),
    ] {
        let (status, html) = found(&app, &link, typed);
        assert_eq!((status, offered(&html)), (200, tickets), "{typed}");
    }
    for (typed, says) in [
        ("Grace Hopper", "No ticket or name"),
        ("%", "at least two letters"),
        ("a", "at least two letters"),
        ("__", "at least two letters"),
        ("TK-2222-2222", "No booking for this concert"),
        ("hello\0there", "No ticket or name"),
    ] {
        let (status, html) = found(&app, &link, typed);
        assert!(status == 422 && html.contains(says) && offered(&html) == 0, "{typed}: {html}");
    }
    assert_eq!(app.count("scans"), 0, "a search is no scan");
    let (_, html) = found(&app, &link, "ada");
    assert!(!codes.iter().any(|code| html.contains(code)), "a gate learns no codes");
    assert!(!html.contains("ada@example.org"), "and no addresses");

    let form = [("reference", &*reference), ("seat", "2"), ("found", "ada"), ("scan", "by-hand-1")];
    for status in [201, 200] {
        let response = post(&app, &browser(), &format!("{link}/admissions"), &form);
        assert_eq!(response.status(), status, "sent twice, it is one admission");
        let html = response.text().expect("a page");
        assert_eq!(offered(&html), 1, "the other one is still offered: {html}");
    }
    let audited = "audit_log WHERE action = 'admitted by hand' AND actor = 'gate North gate'";
    assert_eq!((app.count("used_tickets WHERE state = 'admitted'"), app.count(audited)), (1, 1));
    for (reference, seat) in [("TK-\0", "1"), (&*reference, "x"), ("", "")] {
        let form = [("reference", reference), ("seat", seat)];
        assert_eq!(post(&app, &browser(), &format!("{link}/admissions"), &form).status(), 404);
    }
    let form = [("reference", "TK-2222-2222"), ("seat", "1")];
    assert_eq!(post(&app, &browser(), &format!("{link}/admissions"), &form).status(), 404);
}

#[test]
fn the_organizers_device_finds_tickets_too() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.open_doors();
    let code = codes(&app, &app.book_well("VIP", 1)).remove(0);
    let form = [("event", EVENT), ("gate", GATE), ("code", "lovelace")];
    let html = post(&app, &organizer, "/admin/check-in", &form).text().expect("a page");
    assert_eq!(offered(&html), 1, "{html}");
    let reference = format!("TK-{}", &code[..9]);
    let form = [("event", EVENT), ("gate", GATE), ("reference", &*reference), ("seat", "1")];
    assert_eq!(post(&app, &organizer, "/admin/check-in/admissions", &form).status(), 201);
    assert_eq!(app.count("audit_log WHERE action = 'admitted by hand' AND actor = 'admin'"), 1);
}

/// A code as a device types it that is set to another keyboard layout than the scanner.
fn through(code: &str, typed: &[(char, char)]) -> String {
    code.chars().map(|c| typed.iter().find(|(key, _)| *key == c).map_or(c, |(_, typed)| *typed)).collect()
}

#[test]
fn a_scanner_on_a_device_with_another_keyboard_layout_is_understood() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.open_doors();
    let link = open_link(&app, &organizer, GATE);
    let codes = codes(&app, &app.book_well("VIP", 5));
    let german = [('Y', 'Z'), ('Z', 'Y'), ('-', 'ß')];
    let french = [
        ('A', 'Q'),
        ('Q', 'A'),
        ('Z', 'W'),
        ('W', 'Z'),
        ('M', '?'),
        ('-', ')'),
        ('2', 'é'),
        ('3', '"'),
        ('4', '\''),
        ('5', '('),
        ('6', '-'),
        ('7', 'è'),
        ('8', '_'),
        ('9', 'ç'),
    ];
    let turkish = [('-', '*')];
    let typed = [
        through(&codes[0], &german),
        through(&codes[1], &french),
        // Caps lock.
        through(&codes[2], &french).to_lowercase(),
        format!("]Q1{}\r\n", through(&codes[3], &turkish)),
    ];
    for typed in &typed {
        let (status, words) = answer(post(&app, &browser(), &link, &[("code", typed)]));
        assert_eq!(status, 201, "{typed}: {words}");
    }
    // A layout that nobody has thought of: the keys tell.
    let form = [("code", "ႰႱႲႳႴႵႶႷႸႹႺႻႼႽႾႿჀჁჂჃჄჅ"), ("keys", &*codes[4])];
    assert_eq!(post(&app, &browser(), &link, &form).status(), 201);
    assert_eq!((app.count("used_tickets"), app.count("refusals")), (5, 0));
}

#[test]
fn an_empty_field_changes_nothing() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let link = open_link(&app, &organizer, GATE);
    for typed in ["", " ", "\r\n", "\t"] {
        let (status, words) = answer(post(&app, &browser(), &link, &[("code", typed)]));
        assert!(status == 200 && words.contains("Ready"), "{typed:?}: {words}");
    }
    assert_eq!(app.count("scans"), 0);
}
