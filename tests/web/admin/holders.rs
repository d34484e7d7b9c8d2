//! What happens to people who hold tickets: they are told about a new time or place, and a concert can be postponed
//! or canceled.

use std::thread;
use std::time::{Duration, Instant};

use reqwest::blocking::Client;

use super::concerts::post;
use super::{assert_stale, audited, book_as, hidden_field};
use crate::mail::calendar::{calendar_of, property};
use crate::mail::contents::{mails, parse, with_subject};
use crate::support::{TestApp, header};
use testkit::wait::within;

const EVENT: &str = "/admin/events/midnight-parade";

fn page(app: &TestApp, organizer: &Client, path: &str) -> String {
    organizer.get(app.url(path)).send().expect("an answer").text().expect("a page")
}

fn wait_until_finished(app: &TestApp, count: u64) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while app.database.count("event_jobs WHERE finished_at IS NOT NULL") < count {
        assert!(Instant::now() < deadline, "the job never ends");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The text of the mail with that subject, and its bytes.
fn mail_about(app: &TestApp, words: &str, count: usize) -> (String, Vec<u8>) {
    let (_, _, bytes) = with_subject(app, words, count);
    let text = parse(&bytes).body_text(0).expect("a text").replace("\r\n", "\n").replace('\u{a0}', " ");
    (text, bytes)
}

#[test]
fn a_change_of_place_shows_whom_it_touches_and_offers_to_mail_them() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let edit = format!("{EVENT}/edit");
    book_as(&app, "ada@example.org", "VIP", 1, "Ada");
    book_as(&app, "ada@example.org", "Front Row", 2, "Ada");
    book_as(&app, "zoe@example.org", "VIP", 1, "Zoë");
    mails(&app, 3);
    let changed = [("venue", "The Cellar"), ("address", "12 Forge Street")];
    let asked = post(&app, &organizer, &edit, &changed);
    assert_eq!(asked.status(), 200);
    let asked = asked.text().expect("a page");
    for text in [
        "2 people hold tickets",
        "where it takes place",
        "name=\"notify\" value=\"yes\"",
        "value=\"The Cellar\"",
    ] {
        assert!(asked.contains(text), "{text}\n{asked}");
    }
    assert!(
        app.get("/events/midnight-parade").text().expect("a page").contains("The Foundry Hall"),
        "not yet"
    );

    // A new tagline affects nobody, and a change can also be saved without a mail.
    assert_eq!(post(&app, &organizer, &edit, &[("tagline", "Louder.")]).status(), 303);
    let silent = [("doors_at", "2027-06-19T19:00"), ("notify", "no")];
    assert_eq!(post(&app, &organizer, &edit, &silent).status(), 303);
    assert_eq!(app.database.count("event_jobs"), 0);

    let told = [
        ("venue", "The Cellar"),
        ("address", "12 Forge Street"),
        ("notify", "yes"),
        ("message", "Same street."),
    ];
    assert_eq!(post(&app, &organizer, &edit, &told).status(), 303);
    wait_until_finished(&app, 1);
    let (text, _) = mail_about(&app, "Changed: Midnight Parade", 6);
    for words in ["The Cellar, 12 Forge Street, Chicago", "(was The Foundry Hall, Chicago)", "Same street."] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    assert!(!text.contains("(was Saturday"), "{text}");
    assert!(
        page(&app, &organizer, EVENT)
            .contains("Emails about the change were queued for the holders of 3 bookings.")
    );
}

#[test]
fn a_postponed_concert_shows_both_dates_and_takes_tickets_back() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let postponement = format!("{EVENT}/postponement");
    // Under the concert's terms nobody may cancel.
    assert_eq!(
        post(&app, &organizer, &format!("{EVENT}/terms"), &[("cancellation_deadline_hours", "")]).status(),
        303
    );
    let location = book_as(&app, "ada@example.org", "VIP", 2, "Ada");
    assert_eq!(app.post(&format!("{location}/cancellation"), &[]).status(), 409);
    let (_, before) = mail_about(&app, "Your tickets for", 1);

    assert!(page(&app, &organizer, &postponement).contains("1 person holds tickets."));
    for (form, text) in [
        (&[][..], "Enter the new date and time."),
        (&[("starts_at", "2020-01-01T20:00")], "This is in the past."),
        (&[("starts_at", "2027-06-19T20:00")], "That is already its date."),
        (&[("starts_at", "2027-10-02T20:00"), ("returns_until", "2027-11-01T00:00")], "until the new start"),
    ] {
        let refused = post(&app, &organizer, &postponement, form);
        assert_eq!(refused.status(), 422, "{form:?}");
        assert!(refused.text().expect("a page").contains(text), "{text}");
    }
    let form = [
        ("starts_at", "2027-10-02T20:00"),
        ("returns_until", "2027-07-01T23:59"),
        ("message", "The singer is ill."),
    ];
    let postponed = post(&app, &organizer, &postponement, &form);
    assert_eq!((postponed.status().as_u16(), header(&postponed, "location")), (303, EVENT));
    let shown = app.get("/events/midnight-parade").text().expect("a page");
    for text in [
        "Saturday, October 2, 2027",
        "Postponed from Saturday, June 19, 2027",
        "EventRescheduled",
        "2027-06-19T20:00:00-05:00",
    ] {
        assert!(shown.contains(text), "{text}\n{shown}");
    }
    wait_until_finished(&app, 1);
    let (text, after) = mail_about(&app, "Postponed: Midnight Parade", 2);
    for words in [
        "Saturday, October 2, 2027",
        "(was Saturday, June 19, 2027, 8:00 PM CDT)",
        "The singer is ill.",
        "You can give tickets back until\nThursday, July 1, 2027, 11:59 PM CDT.",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    let [before, after] = [before, after].map(|bytes| calendar_of(&bytes).1);
    let sequence = |file: &str| property(file, "SEQUENCE").parse::<u32>().expect("a number");
    assert!(sequence(&after) > sequence(&before), "{before}\n{after}");
    assert_eq!(property(&before, "UID"), property(&after, "UID"));
    assert!(after.contains("DTSTART:20271003T010000Z"), "{after}");
    assert_eq!(audited(&app, "event postponed").len(), 1);
    // Ticket holders may cancel now, whatever the terms say.
    assert!(app.get(&location).text().expect("a page").contains("Postponed from Saturday, June 19, 2027"));
    assert_eq!(app.post(&format!("{location}/cancellation"), &[]).status(), 303);
    app.database.assert_books_balance();
}

#[test]
fn sales_that_were_to_end_at_the_old_start_go_on_until_the_new_one() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.database.execute(
        "UPDATE ticket_types SET sales_end_at = (SELECT starts_at FROM events) WHERE name = 'VIP';
         UPDATE ticket_types SET sales_end_at = '2027-06-01 00:00:00' WHERE name = 'Front Row';
         UPDATE ticket_types SET sales_start_at = (SELECT starts_at FROM events),
             sales_end_at = (SELECT ends_at FROM events) WHERE name = 'General Admission'",
    );
    let form = [("starts_at", "2027-10-02T20:00")];
    assert_eq!(post(&app, &organizer, &format!("{EVENT}/postponement"), &form).status(), 303);
    assert_eq!(app.count("ticket_types WHERE name = 'VIP' AND sales_end_at IS NULL"), 1);
    assert_eq!(app.count("ticket_types WHERE sales_end_at = '2027-06-01 00:00:00'"), 1);
    // What is sold at the entrance is sold at the entrance on the new date.
    let at_the_entrance =
        "ticket_types t JOIN events e ON e.id = t.event_id WHERE t.name = 'General Admission'
                       AND t.sales_start_at = e.starts_at AND t.sales_end_at > e.starts_at";
    assert_eq!(app.count(at_the_entrance), 1);
}

/// A and B open the forms, and A postpones the concert. B's forms are then refused, and nobody is mailed a second
/// time.
#[test]
fn forms_that_were_opened_before_a_postponement_change_nothing() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    book_as(&app, "ada@example.org", "VIP", 2, "Ada");
    let paths = ["postponement", "cancellation"].map(|it| format!("{EVENT}/{it}"));
    let [postponement, cancellation] = paths.each_ref();
    let hidden = paths.each_ref().map(|path| hidden_field(&page(&app, &organizer, path), "facts_version"));
    let [with_date, with_name] =
        hidden.each_ref().map(|it| it.as_ref().map(|(name, value)| (*name, value.as_str())));
    let to =
        |date| [("starts_at", date), ("message", "Ill.")].into_iter().chain(with_date).collect::<Vec<_>>();
    assert_eq!(post(&app, &organizer, postponement, &to("2027-10-02T20:00")).status(), 303);
    wait_until_finished(&app, 1);
    let refused = assert_stale(post(&app, &organizer, postponement, &to("2027-11-06T20:00")));
    for typed in ["value=\"2027-11-06T20:00\"", "Ill."] {
        assert!(refused.contains(typed), "what was typed is kept: {refused}");
    }
    let name = [("event_name", "Midnight Parade"), ("message", "So sorry.")].into_iter();
    let refused =
        assert_stale(post(&app, &organizer, cancellation, &name.chain(with_name).collect::<Vec<_>>()));
    assert!(refused.contains("So sorry.") && refused.contains("value=\"Midnight Parade\""), "{refused}");
    assert_eq!(app.database.count("events WHERE state = 'published' AND starts_at >= '2027-11-01'"), 0);
    assert_eq!(app.database.count("event_jobs"), 1);
    assert_eq!(audited(&app, "event postponed").len(), 1);
    assert_eq!(app.database.count("events WHERE slug = 'midnight-parade' AND state = 'published'"), 1);
}

#[test]
fn a_canceled_concert_sells_nothing_and_ends_every_booking() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let cancellation = format!("{EVENT}/cancellation");
    let locations: Vec<String> = (0..60)
        .map(|n| book_as(&app, &format!("buyer{n}@example.org"), "General Admission", 2, "Ada"))
        .collect();
    let checkout = app.open_checkout("VIP", 1);
    let wrong = post(&app, &organizer, &cancellation, &[("event_name", "Parade"), ("message", "So sorry.")]);
    assert_eq!(wrong.status(), 422);
    assert!(wrong.text().expect("a page").contains("That’s not the concert’s name."));
    assert_eq!(app.database.count("event_jobs"), 0);

    let form = [("event_name", "Midnight Parade"), ("message", "So sorry.")];
    let canceled = post(&app, &organizer, &cancellation, &form);
    assert_eq!((canceled.status().as_u16(), header(&canceled, "location")), (303, EVENT));
    assert_eq!(app.confirm(&checkout, 1).status(), 409);
    assert!(
        app.get("/events/midnight-parade").text().expect("a page").contains("This concert won’t take place")
    );
    assert_eq!(post(&app, &organizer, &cancellation, &form).status(), 410, "once is enough");
    assert_eq!(post(&app, &organizer, &format!("{EVENT}/pause"), &[("paused", "true")]).status(), 409);
    wait_until_finished(&app, 1);
    assert!(page(&app, &organizer, EVENT).contains("Done: 60 bookings canceled, and their buyers emailed."));
    assert_eq!(app.database.count("bookings WHERE status = 'canceled'"), 60);
    assert_eq!(app.database.count("mails WHERE kind = 'cancellation'"), 60);
    let own = app.get(&locations[59]).text().expect("a page");
    for text in ["this concert won’t take place", "So sorry."] {
        assert!(own.contains(text), "{text}\n{own}");
    }
    assert!(!own.contains("back on sale"), "{own}");
    app.database.wait_until_mails_are_written();
    // The confirmations are in the same folder.
    within(Duration::from_secs(30), "all mails are sent", || {
        app.database.count("mails WHERE state = 'queued'") == 0
    });
    let (text, bytes) = mail_about(&app, "Canceled: TK-", 60);
    assert!(text.contains("Midnight Parade is canceled") && text.contains("So sorry."), "{text}");
    assert_eq!(calendar_of(&bytes).0, "CANCEL");
    assert_eq!(post(&app, &organizer, &format!("{EVENT}/archive"), &[("archived", "true")]).status(), 303);
    app.database.assert_books_balance();
}

#[test]
fn an_admitted_ticket_stays_valid_when_the_concert_is_canceled() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    book_as(&app, "ada@example.org", "VIP", 2, "Ada");
    app.database.execute(
        "INSERT INTO used_tickets (booking_id, seat, ticket_type_id, state, used_at)
         SELECT booking_id, 1, ticket_type_id, 'admitted', CURRENT_TIMESTAMP FROM booking_lines",
    );
    let form = [("event_name", "Midnight Parade")];
    assert_eq!(post(&app, &organizer, &format!("{EVENT}/cancellation"), &form).status(), 303);
    wait_until_finished(&app, 1);
    assert!(page(&app, &organizer, EVENT).contains("In 1 of them someone had been admitted"));
    assert_eq!(app.database.count("used_tickets WHERE state = 'returned' AND seat = 2"), 1);
    app.database.assert_books_balance();
}
