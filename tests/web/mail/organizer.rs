//! What the organizer sees of the mails, and what can be done about those that did not arrive.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use reqwest::blocking::Client;

use super::smtp::through;
use super::wait_for_states;
use crate::support::{TestApp, between};
use testkit::smtp_server::{Reaction, SmtpServer, Step};

fn page(app: &TestApp, organizer: &Client, path: &str) -> String {
    let response = organizer.get(app.url(path)).send().expect("an answer");
    assert_eq!(response.status(), 200, "{path}");
    response.text().expect("a page")
}

fn post(app: &TestApp, organizer: &Client, path: &str) -> u16 {
    let empty: [(&str, &str); 0] = [];
    organizer.post(app.url(path)).form(&empty).send().expect("an answer").status().as_u16()
}

#[derive(Debug, PartialEq, Eq, QueryableByName)]
struct Entry {
    #[diesel(sql_type = Text)]
    action: String,
    #[diesel(sql_type = Text)]
    subject: String,
    #[diesel(sql_type = BigInt)]
    affected: i64,
}

fn entries(app: &TestApp) -> Vec<Entry> {
    app.database
        .rows("SELECT action, subject, affected FROM audit_log WHERE action LIKE '%queued again' ORDER BY id")
}

/// A site whose mail server knows none of its three buyers.
fn three_failed(server: &SmtpServer) -> (TestApp, Client) {
    server.react(Step::Recipient, Reaction::Say("550 5.1.1 <ada@example.org>: no such user"));
    let app = TestApp::spawn_with(through(server));
    for _ in 0..3 {
        app.book_well("VIP", 1);
    }
    wait_for_states(&app, &[("failed", 3)]);
    let organizer = app.organizer();
    (app, organizer)
}

#[test]
fn all_mails_and_bookings_are_listed_on_one_clock_with_its_zone() {
    let app = TestApp::spawn();
    app.book_well("VIP", 1);
    assert_eq!(app.post("/bookings/find", &[("email", "ada@example.org")]).status(), 303);
    wait_for_states(&app, &[("sent", 2)]);
    let organizer = app.organizer();
    let mails = page(&app, &organizer, "/admin/mails");
    let rows: Vec<&str> = mails.split("<tr id=").skip(1).collect();
    assert_eq!(rows.len(), 2, "{mails}");
    let now = chrono::Utc::now().with_timezone(&chrono_tz::America::Chicago).format("%Z").to_string();
    for row in rows {
        let times = row.matches(&*now).count();
        assert_eq!(times, 2, "when it was queued and when it was sent, in {now}: {row}");
    }
    assert!(page(&app, &organizer, "/admin").contains(&format!("M\u{a0}{now}")));
}

#[test]
fn a_mail_that_failed_says_why_beside_its_booking_and_in_the_list() {
    let server = SmtpServer::start();
    let (app, organizer) = three_failed(&server);
    let why = "5.1.1 &#60;ada@example.org&#62;: no such user";
    let desk = page(&app, &organizer, "/admin");
    let booking = between(&desk, "href=\"/admin/bookings/", "\"").to_owned();
    for path in ["/admin", "/admin/mails", "/admin/mails?state=failed", &format!("/admin/bookings/{booking}")]
    {
        let html = page(&app, &organizer, path);
        assert!(html.contains("badge--failed") && html.contains(why), "{path}: {html}");
    }
    assert!(page(&app, &organizer, "/admin/mails").contains("0 waiting to be sent, 3 failed."));
    assert!(!page(&app, &organizer, "/admin/mails?state=sent").contains("badge--"));
    server.be_well();
    app.book_well("VIP", 1);
    wait_for_states(&app, &[("failed", 3), ("sent", 1)]);
    assert!(page(&app, &organizer, "/admin/mails?state=sent").contains("badge--sent"));
}

#[test]
fn one_or_all_that_failed_are_sent_again_and_the_audit_log_says_who_did() {
    let server = SmtpServer::start();
    let (app, organizer) = three_failed(&server);
    server.be_well();
    let list = page(&app, &organizer, "/admin/mails");
    let id = between(&list, "id=\"mail-", "\"").to_owned();
    let reference = between(&list, "href=\"/admin/bookings/", "\"").to_owned();
    assert_eq!(post(&app, &organizer, &format!("/admin/mails/{id}/attempts")), 303);
    assert!(page(&app, &organizer, "/admin/mails").contains("Resending the confirmation of TK-"));
    wait_for_states(&app, &[("failed", 2), ("sent", 1)]);
    assert_eq!(post(&app, &organizer, "/admin/mails/attempts"), 303);
    wait_for_states(&app, &[("sent", 3)]);
    assert_eq!(server.received().len(), 3);
    let entry = |action: &str, subject: &str, affected| Entry {
        action: action.into(),
        subject: subject.into(),
        affected,
    };
    let one = entry("mail queued again", &format!("confirmation of {reference}"), 1);
    assert_eq!(entries(&app), [one, entry("failed mails queued again", "all", 2)]);
}

/// A buyer who lost a mail gets another one, which no mail program takes for a copy of the first.
#[test]
fn what_was_sent_is_sent_again_as_a_new_mail() {
    let server = SmtpServer::start();
    let app = TestApp::spawn_with(through(&server));
    app.book_well("VIP", 1);
    wait_for_states(&app, &[("sent", 1)]);
    let organizer = app.organizer();
    let id = between(&page(&app, &organizer, "/admin/mails"), "id=\"mail-", "\"").to_owned();
    assert_eq!(post(&app, &organizer, &format!("/admin/mails/{id}/attempts")), 303);
    let received = server.wait_for(2);
    assert_ne!(super::smtp::message_id(&received[0]), super::smtp::message_id(&received[1]));
    wait_for_states(&app, &[("sent", 1)]);
}

#[test]
fn a_mail_that_waits_is_not_queued_twice() {
    let server = SmtpServer::start();
    server.react(Step::Greeting, Reaction::Hang);
    let app = TestApp::spawn_with(through(&server));
    app.book_well("VIP", 1);
    let organizer = app.organizer();
    app.database.wait_until_mails_are_written();
    let list = page(&app, &organizer, "/admin/mails");
    assert!(!list.contains("Resend to"), "{list}");
    let id = between(&list, "id=\"mail-", "\"").to_owned();
    for id in [id.as_str(), "999999"] {
        assert_eq!(post(&app, &organizer, &format!("/admin/mails/{id}/attempts")), 303);
        assert!(page(&app, &organizer, "/admin/mails").contains("already queued"));
    }
    assert_eq!(entries(&app), []);
}

#[test]
fn the_list_has_pages_and_its_filter_stays() {
    let server = SmtpServer::start();
    let app = TestApp::spawn_with(through(&server));
    app.database.set_available("VIP", 99);
    for number in 0..119 {
        app.database.execute(&format!(
            "INSERT INTO mails (kind, recipient, queued_at, due_at, state)
             VALUES ('confirmation', 'buyer{number}@example.org', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, 'sent')"
        ));
    }
    let organizer = app.organizer();
    let mut path = "/admin/mails?state=sent".to_owned();
    let mut seen = Vec::new();
    loop {
        let html = page(&app, &organizer, &path);
        seen.extend(
            html.split("id=\"mail-").skip(1).filter_map(|it| it.split('"').next()?.parse::<i64>().ok()),
        );
        let Some(next) = html.split("href=\"/admin/mails?state=sent&amp;before=").nth(1) else { break };
        path = format!("/admin/mails?state=sent&before={}", next.split('"').next().expect("an id"));
    }
    assert_eq!(seen.len(), 120);
    assert!(seen.is_sorted_by(|one, next| one > next), "each once, the newest first");
}

#[test]
fn the_mails_are_closed_to_everybody_else() {
    let app = TestApp::spawn();
    app.book_well("VIP", 1);
    for path in ["/admin/mails", "/admin/mails?state=sent"] {
        assert_eq!(app.get(path).status(), 303, "{path}");
    }
    for path in ["/admin/mails/attempts", "/admin/mails/1/attempts"] {
        assert_eq!(app.post(path, &[]).headers()["location"], "/admin/sign-in", "{path}");
    }
    assert_eq!(entries(&app), []);
    let organizer = app.organizer();
    for path in ["/admin/mails?state=lost", "/admin/mails?before=x"] {
        assert_eq!(organizer.get(app.url(path)).send().expect("an answer").status(), 404, "{path}");
    }
    assert_eq!(post(&app, &organizer, "/admin/mails/x/attempts"), 404);
}

/// As everywhere else, a repeated field and a field that is not UTF-8 are refused.
#[test]
fn the_query_of_the_list_is_read_strictly() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    for (query, status) in [
        ("state=failed", 200),
        ("state=failed&unknown=1", 200),
        ("state=failed&state=sent", 422),
        ("state=%ff", 422),
        ("state=nonsense", 404),
        ("before=x", 404),
    ] {
        let response = organizer.get(app.url(&format!("/admin/mails?{query}"))).send().expect("an answer");
        assert_eq!(response.status(), status, "{query}");
    }
}
