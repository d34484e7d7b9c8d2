//! Tickets whose code cannot be read are found by a name, an address or a reference. Codes that a scanner typed
//! through another keyboard layout are understood.

use reqwest::blocking::Client;

use super::gates::{open_link, post};
use super::{EVENT, GATE, answer, codes};
use crate::support::{TestApp, between, browser};

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
        ("mailto:ada@example.org", 2),
        ("ada@example.org,", 2),
        ("<ada@example.org>", 2),
        ("Lovelace, Ada", 2),
        ("Lovelace,Ada", 2),
        ("\"Ada Lovelace\"", 2),
        ("zoe muller strasse", 1),
        ("Zoe MullerStrasse", 1),
        // Typed through a German layout.
        (&through(&reference, &[('Y', 'Z'), ('Z', 'Y'), ('-', 'ß')]), 2),
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

/// A code as it is typed on a device whose keyboard layout differs from the scanner's.
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
    // For an unknown layout, the physical keys give the code.
    let form = [("code", "ႰႱႲႳႴႵႶႷႸႹႺႻႼႽႾႿჀჁჂჃჄჅ"), ("keys", &*codes[4])];
    assert_eq!(post(&app, &browser(), &link, &form).status(), 201);
    assert_eq!((app.count("used_tickets"), app.count("refusals")), (5, 0));
}

/// Admits one ticket. Returns the gate's link, the ticket's code, and the gate's browser.
fn gate_with_one_in(app: &TestApp) -> (String, String, Client) {
    let organizer = app.organizer();
    app.open_doors();
    let link = open_link(app, &organizer, GATE);
    let code = codes(app, &app.book_well("VIP", 1)).remove(0);
    let gate = browser();
    assert_eq!(post(app, &gate, &link, &[("code", &*code)]).status(), 201);
    (link, code, gate)
}

/// The characters that the layouts of the X keyboard extension give for the keys `-`, 2 to 9 and A to Z, and for A to
/// Z with Shift.
const LAYOUTS: &str = include_str!("keyboards.txt");
const KEYS: &str = "-23456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const NO_CHARACTER: &str = "∅";

#[test]
fn every_common_keyboard_layout_is_understood() {
    let app = TestApp::spawn();
    let (link, code, gate) = gate_with_one_in(&app);
    let mut tried = 0;
    for line in LAYOUTS.lines() {
        let mut columns = line.split('\t');
        let name = columns.next().expect("a name");
        let made: Vec<&str> = columns.collect();
        let (plain, shifted) = made.split_at(KEYS.len());
        for (habit, letters) in [("capitals", shifted), ("small letters", &plain[9..])] {
            let key = |key: char| {
                let place = KEYS.find(key).expect("a key of codes");
                if key.is_ascii_alphabetic() { letters[place - 9] } else { plain[place] }
            };
            let typed: Vec<&str> = code.chars().map(key).collect();
            // Without the pressed keys, a code cannot be read if a key made no character, or the same character as
            // another key.
            let is_clear = |made: &&str| {
                let of_keys = plain[..9].iter().chain(letters).filter(|it| it == &made);
                *made != NO_CHARACTER && of_keys.count() == 1
            };
            if !typed.iter().all(is_clear) {
                continue;
            }
            let typed = typed.concat();
            let (status, words) = answer(post(&app, &gate, &link, &[("code", &*typed)]));
            let is_known = matches!(status, 200 | 409) && words.contains("Ada Lovelace");
            assert!(is_known, "{name}, {habit}: {typed}: {status} {words}");
            tried += 1;
        }
    }
    assert!(tried > 180, "{tried}");
    assert_eq!(app.count("used_tickets"), 1);
}

#[test]
fn a_code_is_found_in_what_scanners_and_people_put_around_it() {
    let app = TestApp::spawn();
    let (link, code, gate) = gate_with_one_in(&app);
    let digits = |zero: char| {
        let digit = |c: char| c.to_digit(10).and_then(|value| char::from_u32(u32::from(zero) + value));
        code.chars().map(|c| digit(c).unwrap_or(c)).collect::<String>()
    };
    let cyrillic =
        [('A', 'А'), ('B', 'В'), ('C', 'С'), ('E', 'Е'), ('H', 'Н'), ('K', 'К'), ('M', 'М'), ('P', 'Р')];
    let greek =
        [('A', 'Α'), ('B', 'Β'), ('E', 'Ε'), ('K', 'Κ'), ('M', 'Μ'), ('N', 'Ν'), ('T', 'Τ'), ('X', 'Χ')];
    let german = [('Y', 'Z'), ('Z', 'Y'), ('-', 'ß'), (']', '+')];
    for typed in [
        format!("https://tickets.example.org/check?c={code}"),
        format!("{{\"code\":\"{code}\"}}"),
        format!("Code: {code}"),
        format!("]C1{code}"),
        format!("]d2{code}"),
        format!("]Q3\\000026{code}"),
        through(&format!("]Q1{code}"), &german),
        format!("ъЙ1{}", code.to_lowercase()),
        format!("$A&{code}"),
        format!("{code}{code}"),
        format!("{code} {code}"),
        digits('০'),
        digits('๐'),
        digits('𝟎'),
        through(&code, &cyrillic),
        through(&code, &greek),
    ] {
        let (status, words) = answer(post(&app, &gate, &link, &[("code", &*typed)]));
        assert!(matches!(status, 200 | 409) && words.contains("Ada Lovelace"), "{typed}: {status} {words}");
    }
    // The keys of a scanner that sends a prefix for the type of barcode.
    let keys = format!("-Q1{code}");
    let (status, words) = answer(post(&app, &gate, &link, &[("code", "ჭჭჭ"), ("keys", &*keys)]));
    assert!(matches!(status, 200 | 409) && words.contains("Ada Lovelace"), "{status} {words}");
    assert_eq!(app.count("used_tickets"), 1);
}

#[test]
fn two_tickets_in_one_field_are_not_one() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.open_doors();
    let link = open_link(&app, &organizer, GATE);
    let codes = codes(&app, &app.book_well("VIP", 2));
    let (status, words) = answer(post(&app, &browser(), &link, &[("code", &*codes.concat())]));
    assert!(status == 422 && words.contains("more than one ticket"), "{status} {words}");
    assert_eq!(app.count("used_tickets"), 0);
}

#[test]
fn our_own_links_are_scanned_as_tickets() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.open_doors();
    let link = open_link(&app, &organizer, GATE);
    let booking = app.book_well("VIP", 2);
    let page = app.get(&booking).text().expect("a page");
    let friend = between(&page, "/tickets/", "\"");
    let friend = app.url(&format!("/tickets/{}", friend.split(['?', '/']).next().expect("a token")));
    let (status, words) = answer(post(&app, &browser(), &link, &[("code", &*friend)]));
    assert!(status == 201 && words.contains("ticket 1 of 2"), "{friend}: {status} {words}");
    // The booking's link stands for more than one ticket, so the staff choose.
    for url in [app.url(&booking), app.url(&format!("{booking}/cancellation"))] {
        let (status, html) = found(&app, &link, &url);
        assert!(status == 200 && offered(&html) == 1 && html.contains("2 tickets found"), "{url}: {html}");
        assert!(!html.contains(&booking), "the page does not repeat the link: {html}");
    }
    let (status, html) = found(&app, &link, &app.url("/bookings/AZn8rL2c0123456789abcdef"));
    assert!(status == 422 && offered(&html) == 0, "{html}");
    assert_eq!(app.count("used_tickets"), 1);
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

/// Seen to fail when the search compared all bookings: it found this booking without the index.
#[test]
fn a_search_reads_the_index_and_not_all_bookings() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let link = open_link(&app, &organizer, GATE);
    app.book_well("VIP", 1);
    assert_eq!(offered(&found(&app, &link, "lovelace").1), 1, "too young for the index, it is compared");
    // Pretend that the index already covers all bookings; it does not contain this booking's name.
    app.database.execute("UPDATE search_progress SET last_booking_id = (SELECT MAX(id) FROM bookings)");
    assert_eq!(found(&app, &link, "lovelace").0, 422);
    app.database.execute("INSERT INTO booking_words (word, booking_id) SELECT 'lovelace', id FROM bookings");
    assert_eq!(offered(&found(&app, &link, "lovelac").1), 1);
    // Bookings of another concert are not found here.
    app.database.execute(
        "INSERT INTO events (slug, name, tagline, venue, city, starts_at, ends_at, time_zone, currency, state)
         SELECT 'other', 'Other', '', venue, city, starts_at, ends_at, time_zone, currency, 'published' FROM events",
    );
    app.database.execute("UPDATE bookings SET event_id = (SELECT id FROM events WHERE slug = 'other')");
    assert_eq!(found(&app, &link, "lovelace").0, 422);
}
