//! Messages of the organizer to the holders of a concert's tickets.

use std::thread;
use std::time::{Duration, Instant};

use super::concerts::{page, post};
use super::{audited, book_as};
use crate::mail::contents::{parse, with_subject};
use crate::mail::wait_for_states;
use crate::support::{TestApp, between, header};

const EVENT: &str = "/admin/events/midnight-parade";
const MESSAGES: &str = "/admin/events/midnight-parade/messages";
const TEXT: &str = "Hello,\r\n\r\nthe <doors> open at 6. https://example.org/map";

fn wait_until_sent(app: &TestApp, count: u64) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while app.database.count("event_jobs WHERE kind = 'message' AND finished_at IS NOT NULL") < count {
        assert!(Instant::now() < deadline, "the job never ends");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The recipients of messages, sorted.
fn recipients(app: &TestApp) -> Vec<String> {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        who: String,
    }
    let rows: Vec<Row> = app.database.rows(
        "SELECT COALESCE(m.recipient, b.buyer_email) AS who FROM mails m LEFT JOIN bookings b ON b.id = m.booking_id
         WHERE m.kind = 'message' ORDER BY who",
    );
    rows.into_iter().map(|row| row.who).collect()
}

#[test]
fn a_message_reaches_each_person_once() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.database
        .execute("UPDATE events SET organizer_name = 'The Foundry', organizer_contact = 'box@example.org'");
    assert!(page(&app, &organizer, EVENT).contains(&format!("href=\"{MESSAGES}\"")));
    book_as(&app, "ada@example.org", "VIP", 1, "Ada");
    book_as(&app, "ADA@example.org", "Front Row", 2, "Ada");
    book_as(&app, "eve@example.org", "VIP", 1, "Eve");
    let canceled = book_as(&app, "gone@example.org", "VIP", 1, "Gone");
    wait_for_states(&app, &[("sent", 4)]);
    assert_eq!(app.post(&format!("{canceled}/cancellation"), &[]).status(), 303);
    wait_for_states(&app, &[("sent", 5)]);

    let refused = post(&app, &organizer, MESSAGES, &[("act", "review"), ("subject", ""), ("text", TEXT)]);
    assert_eq!(refused.status(), 422);
    let refused = refused.text().expect("a page");
    assert!(
        refused.contains("Write a subject.") && refused.contains("the &#60;doors&#62; open"),
        "{refused}"
    );

    let form = [("subject", "Doors at 6"), ("text", TEXT), ("ticket_type", ""), ("act", "review")];
    let review = post(&app, &organizer, MESSAGES, &form);
    assert_eq!(review.status(), 200);
    let review = review.text().expect("a page");
    assert!(review.contains("It goes to 2 people:") && review.contains("Send to 2 people"), "{review}");
    assert_eq!(app.database.count("event_jobs"), 0, "it was only looked at");

    let key = between(&review, "name=\"form_key\" value=\"", "\"").to_owned();
    let send = [("subject", "Doors at 6"), ("text", TEXT), ("form_key", &key), ("act", "send")];
    for _ in 0..2 {
        let sent = post(&app, &organizer, MESSAGES, &send);
        assert_eq!((sent.status().as_u16(), header(&sent, "location")), (303, EVENT));
    }
    wait_until_sent(&app, 1);
    assert_eq!(app.database.count("event_jobs"), 1, "a form that is sent twice is one message");
    wait_for_states(&app, &[("sent", 7)]);
    assert_eq!(recipients(&app), ["ada@example.org", "eve@example.org"]);

    let (_, _, bytes) = with_subject(&app, "Doors at 6 (Midnight Parade)", 7);
    let mail = parse(&bytes);
    let text = mail.body_text(0).expect("a text").replace("\r\n", "\n").replace('\u{a0}', " ");
    for part in [
        "A message from The Foundry:",
        "Hello,\n\nthe <doors> open at 6. https://example.org/map",
        "/bookings/",
        "booked tickets for Midnight Parade.",
        "Reply to this email to reach The Foundry.",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(mail.body_html(0).expect("HTML").contains("the &#60;doors&#62; open"));
    let reply_to = mail.reply_to().and_then(|to| to.first()).and_then(|to| to.address());
    assert_eq!(reply_to, Some("box@example.org"));

    assert!(page(&app, &organizer, EVENT).contains("“Doors at 6” was sent to 2 people."));
    let list = page(&app, &organizer, MESSAGES);
    assert!(list.contains("Sent before") && list.contains("To all holders"), "{list}");
    let entry = ("admin".into(), "Midnight Parade".into(), 2, "127.0.0.1".into());
    assert_eq!(audited(&app, "holders mailed"), [entry]);
    assert!(page(&app, &organizer, "/admin/audit-log").contains("“Doors at 6” to all holders"));
}

#[test]
fn a_message_goes_to_one_ticket_type_or_to_oneself() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    book_as(&app, "ada@example.org", "VIP", 2, "Ada");
    book_as(&app, "eve@example.org", "Front Row", 1, "Eve");
    let returned = book_as(&app, "bob@example.org", "VIP", 2, "Bob");
    app.database.execute("UPDATE bookings SET confirmed_at = created_at");
    let vip = app.database.ticket_type_id("VIP").to_string();
    let hidden = app.database.ticket_type_id("General Admission").to_string();
    let send = |act: &str, ticket_type: &str, test: &str| {
        let form = [
            ("subject", "Lounge"),
            ("text", "It is upstairs."),
            ("ticket_type", ticket_type),
            ("test_email", test),
            ("act", act),
        ];
        let response = post(&app, &organizer, MESSAGES, &form);
        (response.status().as_u16(), response.text().expect("a page"))
    };
    let (status, shown) = send("test", &vip, "nonsense");
    assert!(status == 422 && shown.contains("It is upstairs."), "{shown}");
    let (status, shown) = send("test", &vip, "me@example.org");
    assert!(status == 200 && shown.contains("A test is on its way to me@example.org."), "{shown}");
    assert_eq!(recipients(&app), ["me@example.org"]);
    let (_, _, bytes) = with_subject(&app, "Test: Lounge (Midnight Parade)", 4);
    let text = parse(&bytes).body_text(0).expect("a text").replace("\r\n", "\n");
    assert!(text.contains("Everyone with VIP tickets for Midnight Parade would get it."), "{text}");

    let (status, shown) = send("review", &hidden, "");
    assert!(status == 409 && shown.contains("Nobody with an email address holds such tickets."), "{shown}");
    assert_eq!(send("review", "4711", "").0, 422);
    // First the booking keeps one of its two tickets, and then none.
    assert_eq!(
        app.post(&format!("{returned}/cancellation"), &[("choice", "1"), ("seat_1", "on")]).status(),
        303
    );
    assert!(send("review", &vip, "").1.contains("It goes to 2 people:</strong> holders of VIP"));
    assert_eq!(app.post(&format!("{returned}/cancellation"), &[]).status(), 303);
    assert!(send("review", &vip, "").1.contains("It goes to 1 person:"));
    assert_eq!(send("send", &vip, "").0, 303);
    wait_until_sent(&app, 1);
    assert_eq!(recipients(&app), ["ada@example.org", "me@example.org"]);
    assert_eq!(app.get(MESSAGES).status(), 303, "it is the organizer's");
}
