//! The mail that a buyer gets, read by a parser that shares no code with the site's mail builder.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use mail_parser::{Address, Message, MessageParser, MimeHeaders as _};

use super::calendar::{property, unfolded};
use crate::bookings::lookup::follow;
use crate::support::{TestApp, header};

/// The mails in the folder, once there are so many.
pub fn mails(app: &TestApp, count: usize) -> Vec<Vec<u8>> {
    let folder = app.database.folder.path().join("mail");
    let begun = Instant::now();
    loop {
        let files = fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut files: Vec<PathBuf> = files.filter(|path| path.extension() == Some("eml".as_ref())).collect();
        if files.len() >= count {
            files.sort();
            return files.iter().map(|file| fs::read(file).expect("a mail")).collect();
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{} of {count} mails", files.len());
        thread::sleep(Duration::from_millis(10));
    }
}

pub fn book_as(app: &TestApp, name: &str, email: &str) -> String {
    let checkout = app.open_checkout("VIP", 3);
    let form = [
        ("ticket_type", checkout.ticket_type.as_str()),
        ("quantity", "3"),
        ("name", name),
        ("email", email),
        ("request_key", &checkout.request_key),
    ];
    let response = app.post("/bookings", &form);
    assert_eq!(response.status(), 303, "{name} {email}");
    app.url(header(&response, "location"))
}

pub fn parse(bytes: &[u8]) -> Message<'_> {
    MessageParser::default().parse(bytes).expect("a mail")
}

pub fn single(address: Option<&Address<'_>>) -> (String, String) {
    let list = address.and_then(Address::as_list).expect("one list of addresses");
    assert_eq!(list.len(), 1, "one address: {list:?}");
    (list[0].name().unwrap_or_default().to_owned(), list[0].address().unwrap_or_default().to_owned())
}

#[test]
fn a_confirmation_says_everything_in_text_and_in_html() {
    let app = TestApp::spawn();
    let url = book_as(&app, "Zoë Müller 李", "zoe@example.org");
    let bytes = &mails(&app, 1)[0];
    let mail = parse(bytes);
    assert_eq!(single(mail.to()), ("Zoë Müller 李".into(), "zoe@example.org".into()));
    assert_eq!(single(mail.from()), ("TechKraft Tickets".into(), "tickets@localhost".into()));
    assert!(mail.subject().expect("a subject").contains("Midnight Parade"));
    assert_eq!(mail.header_raw("Auto-Submitted").map(str::trim), Some("auto-generated"));
    assert!(mail.message_id().is_some_and(|id| id.ends_with("@localhost") && id.len() > 32));
    assert!(mail.date().is_some_and(|date| date.is_valid()));
    let reference: Vec<Row> = app.database.rows("SELECT reference FROM bookings");
    let facts = [
        &reference[0].reference,
        "VIP",
        "Midnight Parade",
        "The Foundry Hall",
        "8:00\u{a0}PM\u{a0}CDT",
        "$300.00",
    ];
    let (text, html) = (mail.body_text(0).expect("a text"), mail.body_html(0).expect("HTML"));
    for fact in facts.into_iter().chain([url.as_str()]) {
        assert!(text.contains(fact), "{fact:?} is not in the text:\n{text}");
        assert!(html.contains(fact), "{fact:?} is not in the HTML");
    }
    assert!(text.contains("Zoë Müller 李") && html.contains("Zoë Müller 李"));
    // Old mail servers on the way accept only short lines of ASCII (RFC 5322, 2.1.1).
    assert!(bytes.is_ascii() && bytes.split(|byte| *byte == b'\n').all(|line| line.len() <= 999));
    assert_eq!(app.client.get(&url).send().expect("an answer").status(), 200);
}

#[derive(diesel::QueryableByName)]
pub struct Row {
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub reference: String,
}

/// mixed( alternative( text, related( html, pictures ) ), calendar ): a structure that every mail program
/// understands.
#[test]
fn the_tickets_are_shown_in_it_and_the_calendar_file_is_attached() {
    let app = TestApp::spawn();
    book_as(&app, "Ada Lovelace", "ada@example.org");
    let bytes = &mails(&app, 1)[0];
    let mail = parse(bytes);
    let types: Vec<String> = mail.parts.iter().map(content_type).collect();
    let picture = "image/png";
    assert_eq!(
        types,
        [
            "multipart/mixed",
            "multipart/alternative",
            "text/plain",
            "multipart/related",
            "text/html",
            picture,
            picture,
            picture,
            "text/calendar"
        ]
    );
    let html = mail.body_html(0).expect("HTML");
    for part in mail.parts.iter().filter(|part| content_type(part) == picture) {
        let name = part.content_id().expect("a name for the HTML");
        let id = mail.message_id().expect("an id");
        assert!(name.ends_with(&format!(".{id}")) && id.contains('@'), "no other mail has it: {name} {id}");
        assert!(html.contains(&format!("src=\"cid:{name}\"")), "{name}");
        assert!(part.contents().starts_with(b"\x89PNG"));
    }
    let calendar = mail.parts.iter().find(|part| content_type(part) == "text/calendar").expect("it is there");
    assert_eq!(calendar.attachment_name(), Some("midnight-parade.ics"));
    let text = calendar.text_contents().expect("a text");
    assert!(text.starts_with("BEGIN:VCALENDAR") && text.contains("DTSTART:20270620T010000Z"), "{text}");
    let method = calendar.content_type().and_then(|it| it.attribute("method"));
    assert_eq!((method, property(text, "METHOD")), (Some("PUBLISH"), "PUBLISH"), "inside as outside");
    assert_eq!(property(text, "PRODID"), "-//TechKraft//TechKraft Tickets//EN");
    assert!(text.contains("BEGIN:VALARM") && text.contains("TRIGGER:-PT2H"), "{text}");
    assert!(unfolded(text).contains("Due at the venue: $300.00. Nothing was charged online."), "{text}");
}

pub fn content_type(part: &mail_parser::MessagePart<'_>) -> String {
    let content_type = part.content_type().expect("each part says what it is");
    format!("{}/{}", content_type.ctype(), content_type.subtype().unwrap_or_default())
}

/// The test puts names into the database that no form accepts. Whatever they contain, the mail has one recipient and
/// no extra header.
#[test]
fn no_name_adds_a_header_or_a_recipient() {
    let names = [
        "Ada\r\nBcc: eve@example.org",
        "Ada\nSubject: You have won",
        "Ada\" <eve@example.org>, \"Lovelace",
        "Ada <eve@example.org>",
        "eve@example.org, ada",
        "=?utf-8?q?=0D=0ABcc:_eve=40example.org?=",
        "Ada\r\n\r\n<script>alert(1)</script>",
        "Ada\u{2028}Bcc: eve@example.org",
        "Ada (comment) Lovelace; group: eve@example.org;",
        "\u{202e}ecalevoL adA",
    ];
    let app = TestApp::spawn();
    let booked: Vec<(String, &str)> =
        names.iter().enumerate().map(|(number, name)| (format!("ada{number}@example.org"), *name)).collect();
    let pause = Pause::of(&app);
    for (email, name) in &booked {
        book_as(&app, "Ada Lovelace", email);
        app.database.execute(&format!(
            "UPDATE bookings SET buyer_name = '{}' WHERE buyer_email = '{email}'",
            name.replace('\'', "''")
        ));
    }
    drop(pause);
    let mails = mails(&app, names.len());
    for (email, name) in &booked {
        let bytes = mails.iter().find(|bytes| single(parse(bytes).to()).1 == *email);
        let bytes = bytes.unwrap_or_else(|| panic!("{name:?} has no mail to {email} alone"));
        let mail = parse(bytes);
        let headers: Vec<&str> = mail.headers().iter().map(mail_parser::Header::name).collect();
        assert_eq!(
            headers,
            ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"],
            "{name:?}"
        );
        assert!(!mail.body_html(0).expect("HTML").contains("<script"), "{name:?}");
    }
}

/// Holds the mails back until it is dropped.
struct Pause<'a>(&'a TestApp);

impl<'a> Pause<'a> {
    fn of(app: &'a TestApp) -> Self {
        let folder = app.database.folder.path();
        fs::rename(folder.join("mail"), folder.join("elsewhere")).expect("the folder is there");
        Self(app)
    }
}

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        let folder = self.0.database.folder.path();
        fs::rename(folder.join("elsewhere"), folder.join("mail")).expect("the folder is there");
    }
}

/// The mail fails permanently, and the organizer sees this, instead of being retried for a day.
#[test]
fn an_address_that_no_mail_server_takes_fails_at_once() {
    let app = TestApp::spawn();
    let pause = Pause::of(&app);
    book_as(&app, "Ada", "ada@example.org");
    app.database.execute("UPDATE bookings SET buyer_email = 'ada@exa mple.org'");
    drop(pause);
    super::wait_for_states(&app, &[("failed", 1)]);
}

#[test]
fn a_booking_that_was_canceled_first_is_not_confirmed() {
    let app = TestApp::spawn();
    let pause = Pause::of(&app);
    book_as(&app, "Ada", "ada@example.org");
    app.database.execute("UPDATE bookings SET status = 'canceled', canceled_at = CURRENT_TIMESTAMP");
    drop(pause);
    super::wait_for_states(&app, &[("dropped", 1)]);
}

/// The mail whose subject contains `words`, once there are `count` mails: its text, its HTML and its bytes.
pub fn with_subject(app: &TestApp, words: &str, count: usize) -> (String, String, Vec<u8>) {
    let bytes = mails(app, count)
        .into_iter()
        .find(|bytes| parse(bytes).subject().unwrap_or_default().contains(words));
    let bytes = bytes.expect(words);
    let mail = parse(&bytes);
    let text = mail.body_text(0).expect("text").into_owned();
    let html = mail.body_html(0).expect("HTML").into_owned();
    (text, html, bytes)
}

#[test]
fn a_cancellation_says_what_is_over_once() {
    let app = TestApp::spawn();
    let url = book_as(&app, "Zoë Müller", "zoe@example.org");
    mails(&app, 1);
    let path = url.strip_prefix(&app.url("")).expect("a path").to_owned();
    for _ in 0..2 {
        assert_eq!(app.post(&format!("{path}/cancellation"), &[]).status(), 303);
    }
    let (text, html, bytes) = with_subject(&app, "Canceled: TK-", 2);
    assert_eq!(single(parse(&bytes).to()), ("Zoë Müller".into(), "zoe@example.org".into()));
    for words in ["3 × VIP", "Midnight Parade", "no longer valid", "nothing to refund"] {
        assert!(text.contains(words) && html.contains(words), "{words}: {text}");
    }
    assert!(!text.contains(&path), "no way to tickets that are none: {text}");
    thread::sleep(Duration::from_millis(200));
    assert_eq!(mails(&app, 2).len(), 2, "and no third");
}

#[test]
fn the_link_to_ones_bookings_comes_by_mail_and_opens_them() {
    let app = TestApp::spawn();
    let url = book_as(&app, "Zoë Müller", "zoe@example.org");
    mails(&app, 1);
    assert_eq!(app.post("/bookings/find", &[("email", "ZOE@example.org")]).status(), 303);
    let (text, html, bytes) = with_subject(&app, "Your TechKraft tickets: link to your bookings", 2);
    assert_eq!(single(parse(&bytes).to()), (String::new(), "zoe@example.org".into()));
    let link =
        text.lines().find(|line| line.contains("/bookings?link=")).expect("a link on a line of its own");
    assert!(html.contains(&format!("href=\"{link}\"")), "{html}");
    assert!(text.contains("30 minutes") && html.contains("30 minutes"));
    let list = follow(&app, link.strip_prefix(&app.url("")).expect("a path")).text().expect("a page");
    assert!(
        list.contains(url.strip_prefix(&app.url("")).expect("a path")) && list.contains("3 × VIP"),
        "{list}"
    );
}
