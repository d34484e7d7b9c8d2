//! The audit log: what it contains, and who can change it.

use reqwest::blocking::Client;

use super::{audit, count};
use crate::support::{TestApp, between, browser};

fn page(app: &TestApp, organizer: &Client, path: &str) -> String {
    let response = organizer.get(app.url(path)).send().expect("an answer");
    assert_eq!(response.status(), 200, "{path}");
    response.text().expect("a page")
}

/// The ids of the entries on a page, from the top.
fn ids(html: &str) -> Vec<i64> {
    let entries = html.split("id=\"entry-").skip(1);
    entries.map(|rest| rest.split('"').next().expect("an id").parse().expect("a number")).collect()
}

fn link(html: &str, rel: &str) -> Option<String> {
    let rest = html.split(&format!("rel=\"{rel}\" href=\"")).nth(1)?;
    Some(rest.split('"').next().expect("an address").replace("&#38;", "&").replace("&amp;", "&"))
}

fn add(app: &TestApp, action: &str, entries: usize) {
    let row = format!("('admin', '{action}', '', 1, CURRENT_TIMESTAMP)");
    let rows = vec![row; entries].join(", ");
    let columns = "actor, action, subject, affected, created_at";
    // The previous release writes entries without an address.
    app.database.execute(&format!("INSERT INTO audit_log ({columns}) VALUES {rows}"));
}

#[test]
fn what_was_done_is_read_newest_first() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.book_well("VIP", 2);
    page(&app, &organizer, "/admin/events/midnight-parade/bookings.csv");
    let form = [("event_name", "Midnight Parade"), ("password", &app.admin_password)];
    let reseed = organizer.post(app.url("/admin/reseed")).form(&form);
    assert_eq!(reseed.send().expect("an answer").status(), 303);

    let html = page(&app, &organizer, "/admin/audit-log");
    let place = |text: &str| html.find(text).unwrap_or_else(|| panic!("no {text} in {html}"));
    assert!(
        place("<strong>Sale reset</strong> Midnight Parade") < place("<strong>Bookings exported</strong>")
    );
    assert!(place("<strong>Bookings exported</strong>") < place("<strong>Signed in</strong>"));
    assert!(place("<strong>Signed in</strong>") < place("<strong>Account created</strong>"));
    for text in ["1 booking deleted", "1 booking<", "from 127.0.0.1", " UTC\">", "\u{a0}C"] {
        assert!(html.contains(text), "{text}: {html}");
    }
    let ids = ids(&html);
    assert!(ids.len() == 4 && ids.is_sorted_by(|newer, older| newer > older), "{ids:?}");
    assert_eq!((link(&html, "next"), link(&html, "prev")), (None, None));
    assert_eq!(audit(&app).len(), 4, "to look is no act");
}

#[test]
fn pages_stay_where_they_are_while_entries_are_added() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    add(&app, "reseeded", 118);
    let first = page(&app, &organizer, "/admin/audit-log");
    let older = link(&first, "next").expect("there is more");
    assert_eq!((ids(&first).len(), link(&first, "prev")), (50, None));
    let second = page(&app, &organizer, &older);
    assert_eq!(ids(&second)[0], ids(&first)[49] - 1);

    add(&app, "signed in", 3);
    assert_eq!(ids(&page(&app, &organizer, &older)), ids(&second), "nothing has moved");
    let third = page(&app, &organizer, &link(&second, "next").expect("there is more"));
    assert_eq!((ids(&third).len(), link(&third, "next")), (20, None), "118, the account and the sign-in");

    // The "prev" links lead back to the top, where the new entries are.
    let back = page(&app, &organizer, &link(&third, "prev").expect("there is newer"));
    assert_eq!(ids(&back), ids(&second));
    let back = page(&app, &organizer, &link(&back, "prev").expect("there is newer"));
    assert_eq!(ids(&back), ids(&first));
    let top = page(&app, &organizer, &link(&back, "prev").expect("three were added"));
    assert_eq!((ids(&top).len(), link(&top, "prev")), (50, None), "a full page");
    assert_eq!(ids(&top)[3], ids(&first)[0]);
}

#[test]
fn one_kind_of_act_can_be_picked_out() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    add(&app, "reseeded", 60);
    add(&app, "password changed", 1);
    let html = page(&app, &organizer, "/admin/audit-log?action=reseeded");
    assert_eq!((ids(&html).len(), html.matches("<strong>Sale reset</strong>").count()), (50, 50));
    assert!(html.contains("<option value=\"reseeded\" selected>"), "{html}");
    let older = link(&html, "next").expect("there is more");
    assert!(older.contains("action=reseeded"), "{older}");
    let html = page(&app, &organizer, &older);
    assert_eq!((ids(&html).len(), html.matches("<strong>Sale reset</strong>").count()), (10, 10));

    let html = page(&app, &organizer, "/admin/audit-log?action=bookings+exported");
    assert!(ids(&html).is_empty() && html.contains("No entries for"), "{html}");
    for odd in ["before=x", "after=-1", "before=99999999999999999999", "action=", "other=x"] {
        assert_eq!(ids(&page(&app, &organizer, &format!("/admin/audit-log?{odd}"))).len(), 50, "{odd}");
    }
    for (odd, status) in [("action=forgot", 404), ("before=1&before=2", 422), ("action=%ff", 422)] {
        let response = organizer.get(app.url(&format!("/admin/audit-log?{odd}"))).send().expect("an answer");
        assert_eq!(response.status(), status, "{odd}");
    }
}

#[test]
fn what_stands_in_it_is_text() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    add(&app, "<script>alert(1)</script>", 1);
    let html = page(&app, &organizer, "/admin/audit-log");
    let entry = between(&html, "id=\"entry-", "</li>");
    assert!(!entry.contains("<script>") && entry.contains("script"), "{entry}");
}

#[test]
fn the_database_itself_refuses_to_change_it() {
    let app = TestApp::spawn();
    app.organizer();
    let before = audit(&app);
    let mut statements = vec![
        "UPDATE audit_log SET actor = 'nobody'",
        "DELETE FROM audit_log",
        "DELETE FROM audit_log WHERE id = (SELECT MAX(id) FROM audit_log)",
    ];
    if app.database.is_postgres() {
        statements.extend([
            "TRUNCATE audit_log",
            "SET session_replication_role = replica; DELETE FROM audit_log",
            "INSERT INTO audit_log (id, actor, action, subject, affected, created_at)
                 SELECT id, 'x', action, subject, affected, created_at FROM audit_log
                 ON CONFLICT (id) DO UPDATE SET actor = 'x'",
        ]);
    } else {
        statements.extend([
            "REPLACE INTO audit_log (id, actor, action, subject, affected, created_at)
                 SELECT id, 'x', action, subject, affected, created_at FROM audit_log",
            "INSERT INTO audit_log (id, actor, action, subject, affected, created_at)
                 SELECT id, 'x', action, subject, affected, created_at FROM audit_log WHERE true
                 ON CONFLICT (id) DO UPDATE SET actor = 'x'",
            "UPDATE OR REPLACE audit_log SET id = 1",
        ]);
    }
    for sql in statements {
        let refused = app.database.try_to(sql).expect_err(sql);
        assert!(refused.contains("append-only"), "{sql}: {refused}");
    }
    assert_eq!(audit(&app), before);
    add(&app, "signed in", 1);
    assert_eq!(count(&app, "audit_log"), 3);
}

/// Seen to fail without the limit: each failure adds an entry, and this table can never be pruned.
#[test]
fn failed_sign_ins_do_not_fill_it() {
    let app = TestApp::spawn();
    add(&app, "sign-in failed", 59);
    let count = || app.count("audit_log WHERE action = 'sign-in failed'");
    for expected in [60, 60, 60] {
        assert_eq!(app.sign_in(&browser(), "wrong").status(), 422);
        assert_eq!(count(), expected);
    }
    // The limit does not suppress other entries.
    app.organizer();
    assert_eq!(app.count("audit_log WHERE action = 'signed in'"), 1);
}
