//! The calendar files of a booking, by mail and from its page.

use mail_parser::MimeHeaders as _;

use super::contents::{book_as, content_type, mails, parse, with_subject};
use crate::support::{TestApp, header};

pub fn unfolded(calendar: &str) -> String {
    calendar.replace("\r\n ", "")
}

/// The value of a calendar's property that has no parameters.
pub fn property<'a>(calendar: &'a str, name: &str) -> &'a str {
    let line = calendar.lines().find(|line| line.strip_prefix(name).is_some_and(|it| it.starts_with(':')));
    line.unwrap_or_else(|| panic!("no {name}: {calendar}")).split_once(':').expect("a value").1
}

/// The text of a mail's calendar file, with the method that its content type names.
pub fn calendar_of(bytes: &[u8]) -> (String, String) {
    let mail = parse(bytes);
    let part = mail.parts.iter().find(|part| content_type(part) == "text/calendar").expect("a calendar file");
    let method = part.content_type().and_then(|it| it.attribute("method")).expect("a method");
    (method.to_owned(), part.text_contents().expect("a text").to_owned())
}

/// One ticket is returned, then the rest: the calendar entry stays the same, and each file is newer than the last.
#[test]
fn a_cancellation_takes_the_concert_out_of_the_calendar() {
    let app = TestApp::spawn();
    let url = book_as(&app, "Ada Lovelace", "ada@example.org");
    let path = url.strip_prefix(&app.url("")).expect("a path").to_owned();
    let mut files = vec![calendar_of(&mails(&app, 1)[0])];
    let cancellation = format!("{path}/cancellation");
    assert_eq!(app.post(&cancellation, &[("choice", "1"), ("seat_2", "on")]).status(), 303);
    let (_, _, bytes) = with_subject(&app, "Tickets returned: TK-", 2);
    files.push(calendar_of(&bytes));
    assert!(
        unfolded(&files[1].1).contains("2 × VIP") && files[1].1.contains("STATUS:CONFIRMED"),
        "{files:?}"
    );
    assert_eq!(app.post(&cancellation, &[]).status(), 303);
    let (_, _, bytes) = with_subject(&app, "Canceled: TK-", 3);
    files.push(calendar_of(&bytes));
    let canceled = app.get(&format!("{path}/calendar.ics"));
    assert_eq!(canceled.status(), 200);
    assert_eq!(header(&canceled, "content-type"), "text/calendar; charset=utf-8");
    let downloaded = canceled.text().expect("a file");
    assert_eq!(downloaded, files[2].1, "the same by mail and from the page");
    assert!(downloaded.contains("STATUS:CANCELLED") && !downloaded.contains("VALARM"), "{downloaded}");
    let sequence =
        |(_, text): &(String, String)| property(text, "SEQUENCE").parse::<u32>().expect("a number");
    assert!(files.windows(2).all(|two| sequence(&two[0]) < sequence(&two[1])), "{files:?}");
    assert!(files.iter().all(|(method, text)| method == property(text, "METHOD")), "{files:?}");
    assert_eq!(
        files.iter().map(|(method, _)| method.as_str()).collect::<Vec<_>>(),
        ["PUBLISH", "PUBLISH", "CANCEL"]
    );
    assert!(files.windows(2).all(|two| property(&two[0].1, "UID") == property(&two[1].1, "UID")));
}

#[test]
fn a_concert_that_is_canceled_leaves_the_calendar() {
    let app = TestApp::spawn();
    let path = app.book_well("VIP", 1);
    let file = |app: &TestApp| app.get(&format!("{path}/calendar.ics")).text().expect("a file");
    assert!(file(&app).contains("METHOD:PUBLISH"));
    let before: u32 = property(&file(&app), "SEQUENCE").parse().expect("a number");
    app.database.execute("UPDATE events SET state = 'canceled'");
    let after = file(&app);
    assert!(after.contains("METHOD:CANCEL") && after.contains("STATUS:CANCELLED"), "{after}");
    assert!(property(&after, "SEQUENCE").parse::<u32>().expect("a number") > before);
}
