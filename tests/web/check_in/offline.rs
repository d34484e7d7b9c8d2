//! Scans that arrive twice, late, or on another day.

use super::gates::{open_link, post};
use super::{EVENT, GATE, answer, codes, scan};
use crate::support::{TestApp, browser};

const MINUTE: u32 = 60_000;

/// A scan that a gate's link sends after some time.
fn late(app: &TestApp, link: &str, code: &str, key: &str, age_ms: u32) -> (u16, String) {
    let age = age_ms.to_string();
    let form = [("code", code), ("scan", key), ("age_ms", age.as_str()), ("unconfirmed", "1")];
    answer(post(app, &browser(), link, &form))
}

#[test]
fn a_scan_that_is_sent_again_finds_its_answer() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.open_doors();
    let codes = codes(&app, &app.book_well("VIP", 2));
    let send = |gate: &str, code: &str, age_ms: &str| {
        let form = [
            ("event", EVENT),
            ("gate", gate),
            ("code", code),
            ("scan", "a-scan-of-mine"),
            ("age_ms", age_ms),
        ];
        answer(post(&app, &organizer, "/admin/check-in", &form))
    };
    assert_eq!(send(GATE, &codes[0], "60000").0, 201);
    let (status, words) = send(GATE, &codes[0], "61000");
    assert!(status == 200 && words.contains("answer--admitted"), "{status}: {words}");
    assert!(words.contains("Admitted 1 minute ago"), "{words}");
    assert_eq!((app.count("used_tickets"), app.count("refusals"), app.count("scans")), (1, 0, 1));
    // The same form sent again with another ticket is another scan.
    assert_eq!(send(GATE, &codes[1], "0").0, 201);

    // A repeated scan does not admit a ticket whose admission was undone in the meantime.
    let undo = [("event", EVENT), ("gate", GATE), ("code", &codes[0])];
    assert_eq!(post(&app, &organizer, "/admin/check-in/revocation", &undo).status(), 200);
    let (status, words) = send(GATE, &codes[0], "0");
    assert!(status == 200 && words.contains("Undone"), "{words}");
    assert_eq!(app.count("used_tickets"), 1);
}

#[test]
fn the_same_ticket_within_moments_at_the_same_gate_stays_green() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.open_doors();
    let code = codes(&app, &app.book_well("VIP", 1)).remove(0);
    assert_eq!(scan(&app, &organizer, GATE, &code).status(), 201);
    let (status, words) = answer(scan(&app, &organizer, GATE, &code));
    assert!(status == 200 && words.contains("answer--admitted"), "{status}: {words}");
    assert!(words.contains("Admitted just now"), "{words}");
    assert_eq!(answer(scan(&app, &organizer, "South gate", &code)).0, 409, "another gate sees a copy");
    app.database.execute("DELETE FROM used_tickets");
    for (age_ms, status) in [("4000", 201), ("0", 409)] {
        let form = [("event", EVENT), ("gate", GATE), ("code", &*code), ("age_ms", age_ms)];
        assert_eq!(
            post(&app, &organizer, "/admin/check-in", &form).status(),
            status,
            "seconds later it is a copy"
        );
    }
}

#[test]
fn a_late_scan_counts_from_when_it_was_made() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.open_doors();
    let codes = codes(&app, &app.book_well("VIP", 3));
    let link = open_link(&app, &organizer, GATE);
    for (code, age_ms) in codes.iter().zip([30 * MINUTE, 0, u32::MAX]) {
        let (status, words) = late(&app, &link, code, &format!("scan-{age_ms}"), age_ms);
        let expected = if age_ms == u32::MAX { 409 } else { 201 };
        assert_eq!(status, expected, "{age_ms}: {words}");
    }
    let minutes_ago = |from: i64, to: i64| {
        let time = |minutes: i64| {
            (chrono::Utc::now() - chrono::TimeDelta::minutes(minutes)).format("%F %T").to_string()
        };
        format!("scans WHERE scanned_at BETWEEN '{}' AND '{}'", time(to), time(from))
    };
    assert_eq!(app.count(&minutes_ago(29, 31)), 1);
    // An age of fifty days is capped at half a day, which is before the doors opened.
    assert_eq!(app.count(&minutes_ago(11 * 60 + 58, 12 * 60 + 2)), 1);
    assert_eq!(app.count("scans WHERE was_unconfirmed"), 3);
    assert_eq!(app.count("used_tickets"), 2);
}

#[test]
fn two_gates_that_let_the_same_ticket_in_offline_are_both_shown() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.open_doors();
    let codes = codes(&app, &app.book_well("VIP", 2));
    let (north, south) = (open_link(&app, &organizer, GATE), open_link(&app, &organizer, "South gate"));
    assert_eq!(late(&app, &south, &codes[0], "south-1-scan", 5 * MINUTE).0, 201, "the first to arrive");
    assert_eq!(late(&app, &north, &codes[0], "north-1-scan", 10 * MINUTE).0, 409);
    assert_eq!(late(&app, &north, &codes[0], "north-1-scan", 11 * MINUTE).0, 409, "sent again");
    assert_eq!(late(&app, &north, &codes[1], "north-2-scan", 9 * MINUTE).0, 201);
    assert_eq!(late(&app, &north, "KPNN-K6JC-223Q-YQVT-38PC", "north-3-scan", MINUTE).0, 404);
    assert_eq!((app.count("used_tickets"), app.count("refusals")), (2, 2));

    let form = [("event", EVENT), ("gate", "Box office")];
    post(&app, &organizer, "/admin/check-in/gate", &form);
    for (client, path) in [
        (&browser(), &*north),
        (&browser(), &south),
        (&organizer, "/admin/check-in"),
        (&organizer, "/admin/gates"),
    ] {
        let page = client.get(app.url(path)).send().expect("an answer").text().expect("a page");
        let said = page.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("Scanned offline, then refused"), "{path}: {said}");
        assert_eq!(said.matches("Let in twice: South gate at ").count(), 1, "{path}: {said}");
        assert!(said.contains(", and North gate at "), "{path}: {said}");
        assert!(said.contains("KPNN-K6JC-223Q-YQVT-38PC"), "a forgery too: {path}: {said}");
    }
}

#[test]
fn a_ticket_for_another_day_is_a_question() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let codes = codes(&app, &app.book_well("VIP", 2));
    let link = open_link(&app, &organizer, GATE);
    let (status, words) = answer(post(&app, &browser(), &link, &[("code", &codes[0])]));
    assert_eq!(status, 409, "{words}");
    for part in ["answer--unclear", "Not today", "Saturday, June 19, 2027", "Ada Lovelace", "Admit anyway"] {
        assert!(words.contains(part), "{part}: {words}");
    }
    assert_eq!((app.count("used_tickets"), app.count("refusals")), (0, 0));
    let reference = format!("TK-{}", &codes[0][..9]);
    let admit = |seat: &str, any_day: &str| {
        let form = [("reference", &*reference), ("seat", seat), ("any_day", any_day)];
        answer(post(&app, &browser(), &format!("{link}/admissions"), &form)).0
    };
    assert_eq!((admit("1", ""), admit("1", "1")), (409, 201));
    let audited = "audit_log WHERE action = 'admitted by hand' AND actor = 'gate North gate'";
    assert_eq!(app.count(audited), 1);
    app.open_doors();
    assert_eq!(post(&app, &browser(), &link, &[("code", &codes[1])]).status(), 201, "on the night");
}
