//! The organizer finds a booking and cancels it.

use reqwest::blocking::Client;

use crate::mail::wait_for_states;
use crate::support::acts::NO_FIELDS;
use crate::support::audit::audited;
use crate::support::{TestApp, between, header};

fn reference(app: &TestApp, location: &str) -> String {
    let page = app.get(location).text().expect("a page");
    between(&page, "<span>Reference</span><strong>", "</strong>").to_owned()
}

fn page(app: &TestApp, organizer: &Client, path: &str) -> (u16, String) {
    let response = organizer.get(app.url(path)).send().expect("an answer");
    (response.status().as_u16(), response.text().expect("a page"))
}

fn cancellations(app: &TestApp) -> Vec<(String, String, i64)> {
    let entries = audited(app, "booking canceled").into_iter();
    entries.map(|(actor, subject, affected, _)| (actor, subject, affected)).collect()
}

#[test]
fn the_organizer_cancels_at_any_time_once_and_it_is_written_down() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let location = app.book_well("VIP", 3);
    let reference = reference(&app, &location);
    app.database.execute("UPDATE events SET cancellation_deadline_minutes = NULL");

    let (_, desk) = page(&app, &organizer, "/admin");
    let path = format!("/admin/bookings/{reference}");
    assert!(desk.contains(&format!("href=\"{path}\"")), "{desk}");
    let (status, shown) = page(&app, &organizer, &path);
    assert_eq!(status, 200);
    for text in ["Confirmed</span>", "Ada Lovelace", "ada<wbr>@example.org", &format!("{path}/cancellation")]
    {
        assert!(shown.contains(text), "{text}\n{shown}");
    }
    let cancellation = format!("{path}/cancellation");
    let (status, asked) = page(&app, &organizer, &cancellation);
    assert!(status == 200 && asked.contains("3 × VIP") && asked.contains("Ticket 3 · VIP"), "{asked}");
    assert_eq!(app.database.tier("VIP").sold, 3, "asking changes nothing");

    for _ in 0..2 {
        let response = organizer.post(app.url(&cancellation)).form(&NO_FIELDS).send().expect("an answer");
        assert_eq!((response.status().as_u16(), header(&response, "location")), (303, path.as_str()));
    }
    let vip = app.database.tier("VIP");
    assert_eq!((vip.available, vip.sold), (100, 0));
    assert_eq!(cancellations(&app), [("admin".into(), reference, 3)]);
    let (_, shown) = page(&app, &organizer, &path);
    assert!(shown.contains("Canceled on") && !shown.contains("/cancellation"), "{shown}");
    assert!(page(&app, &organizer, "/admin").1.contains("badge--canceled"));
    assert!(app.get(&location).text().expect("a page").contains("Booking canceled"));
    let csv = page(&app, &organizer, "/admin/events/midnight-parade/bookings.csv").1;
    assert!(csv.contains("VIP,3,3,100.00,0.00,USD,Ada Lovelace,ada@example.org,,canceled"), "{csv}");
}

#[test]
fn a_scanned_ticket_cannot_be_canceled() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let location = app.book_well("VIP", 2);
    let reference = reference(&app, &location);
    app.database.execute(
        "INSERT INTO used_tickets (booking_id, seat, ticket_type_id, state, gate, actor, used_at)
         SELECT booking_id, 1, ticket_type_id, 'admitted', 'North', 'a test', CURRENT_TIMESTAMP FROM booking_lines",
    );
    let path = format!("/admin/bookings/{reference}/cancellation");
    for response in
        [organizer.post(app.url(&path)), organizer.post(app.url(&format!("{location}/cancellation")))]
    {
        let response = response.form(&NO_FIELDS).send().expect("an answer");
        assert_eq!(response.status(), 409);
        let page = response.text().expect("a page");
        assert!(page.contains("A ticket was scanned at the entrance"), "{page}");
        assert!(page.contains("Ticket 1 was scanned") && page.contains("name=\"seat_2\""), "{page}");
        assert!(!page.contains("name=\"seat_1\""), "it cannot be chosen: {page}");
    }
    assert_eq!(app.database.tier("VIP").sold, 2);
    assert!(cancellations(&app).is_empty());
    let form = [("choice", "1"), ("seat_2", "on"), ("message", "")];
    let done = organizer.post(app.url(&path)).form(&form).send().expect("an answer");
    assert_eq!(done.status(), 303, "the other ticket goes back");
    assert_eq!(app.database.tier("VIP").sold, 1);
    let page = organizer.get(app.url(&path)).send().expect("an answer");
    assert_eq!(page.status(), 409);
    assert!(page.text().expect("a page").contains("All tickets were scanned"));
}

#[test]
fn a_booking_is_found_as_it_is_read_out() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let reference = reference(&app, &app.book_well("VIP", 1));
    let search = |typed: &str| {
        let typed = typed.replace(' ', "+").replace('\0', "%00");
        organizer.get(app.url(&format!("/admin/bookings?q={typed}"))).send().expect("an answer")
    };
    for typed in
        [reference.clone(), reference.to_lowercase(), reference.replace('-', " "), reference[3..].into()]
    {
        let found = search(&typed);
        let path = format!("/admin/bookings/{reference}");
        assert_eq!((found.status().as_u16(), header(&found, "location")), (303, path.as_str()), "{typed}");
    }
    assert_eq!(search("").status(), 200);
    assert_eq!(search("TK-\0").status(), 200);
    for typed in ["TK-2222-2222", "nobody", "\0"] {
        let response = search(typed);
        assert_eq!(response.status(), 200, "{typed}");
        assert!(response.text().expect("a page").contains("No bookings found."), "{typed}");
    }
    for path in ["/admin/bookings/TK-2222-2222", "/admin/bookings/x/cancellation"] {
        assert_eq!(page(&app, &organizer, path).0, 404, "{path}");
    }
}

#[test]
fn nobody_else_finds_or_cancels_a_booking_there() {
    let app = TestApp::spawn();
    let location = app.book_well("VIP", 1);
    let path = format!("/admin/bookings/{}", reference(&app, &location));
    let cancellation = format!("{path}/cancellation");
    for path in ["/admin/bookings", &path, &cancellation] {
        let sign_in = format!("/admin/sign-in?next={path}");
        assert_eq!(header(&app.get(path), "location"), sign_in, "{path}");
    }
    let sign_in = format!("/admin/sign-in?next={cancellation}");
    assert_eq!(header(&app.post(&cancellation, &[]), "location"), sign_in);
    assert_eq!(app.database.tier("VIP").sold, 1);
}

/// The organizer cancels all tickets or some: the mail and the page tell the buyer that it was the organizer, and
/// why.
#[test]
fn the_buyer_reads_that_it_was_the_organizer_and_why() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.database
        .execute("UPDATE events SET organizer_name = 'The Foundry', organizer_contact = 'box@example.org'");
    let location = app.book_well("VIP", 3);
    wait_for_states(&app, &[("sent", 1)]);
    let path = app.url(&format!("/admin/bookings/{}/cancellation", reference(&app, &location)));
    let asked = organizer.get(&path).send().expect("an answer").text().expect("a page");
    assert!(asked.contains("Message to the buyer (optional)"), "{asked}");
    let long = "x".repeat(1001);
    let send = |fields: &[(&str, &str)]| organizer.post(&path).form(fields).send().expect("an answer");
    let refused = send(&[("message", &long), ("choice", "1"), ("seat_2", "on")]);
    assert_eq!(refused.status(), 422);
    let refused = refused.text().expect("a page");
    assert!(refused.contains("Use 1000 characters or fewer.") && refused.contains(&long), "{refused}");
    assert_eq!(refused.matches(" checked").count(), 1, "the choice is kept: {refused}");

    let sorry = "The balcony is closed.\r\nYour <other> seats are fine.";
    assert_eq!(send(&[("message", sorry), ("choice", "1"), ("seat_2", "on")]).status(), 303);
    let page = app.get(&location).text().expect("a page");
    for text in [
        "The organizer canceled ticket 2 of this booking.",
        "The balcony is closed.\nYour &#60;other&#62; seats",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    wait_for_states(&app, &[("sent", 2)]);
    assert_eq!(send(&[("message", "The band is ill.")]).status(), 303);
    let page = app.get(&location).text().expect("a page");
    for text in
        ["Booking canceled by the organizer", "We’re sorry", "The band is ill.", "mailto:box@example.org"]
    {
        assert!(page.contains(text), "{text}: {page}");
    }
    let mails = crate::mail::contents::mails(&app, 3);
    let texts = |subject: &str| {
        let mails = mails.iter().map(|bytes| crate::mail::contents::parse(bytes));
        let mail = mails.into_iter().find(|mail| mail.subject().is_some_and(|it| it.contains(subject)));
        let mail = mail.expect("a mail");
        [mail.body_text(0).expect("text").into_owned(), mail.body_html(0).expect("HTML").into_owned()]
    };
    for text in texts("Tickets returned: TK-") {
        let text = text.replace("\r\n", "\n");
        assert!(text.contains("The organizer has canceled some of your tickets"), "{text}");
        assert!(text.contains("The balcony is closed.\nYour "), "{text}");
    }
    for text in texts("Canceled: TK-") {
        assert!(
            text.contains("The organizer has canceled your booking") && text.contains("The band is ill."),
            "{text}"
        );
    }
    // A buyer's own cancellation does not mention the organizer.
    let own = app.book_well("VIP", 1);
    assert_eq!(app.post(&format!("{own}/cancellation"), &[("message", "x")]).status(), 303);
    let page = app.get(&own).text().expect("a page");
    assert!(!page.contains("by the organizer") && !page.contains("We’re sorry"), "{page}");
}
