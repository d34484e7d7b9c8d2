//! A booking as its organizer sees it: its tickets, who is in, and what happened to it.

use super::book_as;
use crate::check_in::{answer, codes, scan};
use crate::mail::wait_for_states;
use crate::support::orders::BoxOffice;
use crate::support::{TestApp, between, header};
use testkit::wait::eventually;

fn reference(app: &TestApp, location: &str) -> String {
    let page = app.get(location).text().expect("a page");
    between(&page, "<span>Reference</span><strong>", "</strong>").to_owned()
}

/// The words of a page, or of a part of it.
fn words(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, text)| text));
        text.push(' ');
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_booking_shows_its_tickets_who_is_in_and_what_happened() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let location = book_as(&app, "zoe@example.org", "VIP", 4, "Zoe Ångström");
    wait_for_states(&app, &[("sent", 1)]);
    let reference = reference(&app, &location);
    let path = format!("/admin/bookings/{reference}");
    let codes = codes(&app, &location);
    let returned = app.post(&format!("{location}/cancellation"), &[("choice", "1"), ("seat_4", "on")]);
    assert_eq!(returned.status(), 303);
    let corrected = [("name", "Zoë Ångström"), ("email", "zoe@example.org")];
    let post = |what: &str, form: &[(&str, &str)]| {
        organizer.post(app.url(&format!("{path}/{what}"))).form(form).send().expect("an answer")
    };
    assert_eq!(post("buyer", &corrected).status(), 303);
    let sorry = [("choice", "1"), ("seat_3", "on"), ("message", "The balcony is closed.")];
    assert_eq!(post("cancellation", &sorry).status(), 303);
    app.open_doors();
    assert_eq!(answer(scan(&app, &organizer, "North gate", &codes[0])).0, 201);
    assert_eq!(answer(scan(&app, &organizer, "South gate", &codes[0])).0, 409);
    wait_for_states(&app, &[("sent", 3)]);
    // Set the two scans one second apart, so that their order does not depend on the machine's clock.
    app.database.execute("UPDATE scans SET scanned_at = '2039-01-01 00:00:00' WHERE outcome = 'admitted'");
    app.database.execute("UPDATE scans SET scanned_at = '2039-01-01 00:00:01' WHERE outcome = 'used'");

    let page = organizer.get(app.url(&path)).send().expect("an answer").text().expect("a page");
    let ticket = |seat: u32| words(between(&page, &format!("<tr id=\"ticket-{seat}\">"), "</tr>"));
    assert!(ticket(1).contains("Checked in") && ticket(1).contains("North gate"), "{}", ticket(1));
    assert_eq!(ticket(2), format!("2 of 4 VIP Valid {}", codes[1]));
    for seat in [3, 4] {
        assert!(ticket(seat).contains("Canceled") && !ticket(seat).contains(&codes[seat as usize - 1]));
    }
    let shown = words(&page);
    for text in [
        "2 × VIP · $200.00 · 1 of 4 checked in",
        "Zoë Ångström",
        "2 of 4 canceled",
        "$400.00 when booked",
        "Ticket 4 canceled by the buyer",
        "Ticket 3 canceled The balcony is closed. by admin",
        "Buyer’s name changed by admin",
        "Ticket 1 checked in at North gate by admin",
        "Ticket 1 refused at South gate: it had been used",
        "Email sent to zoe@example.org: Confirmation",
    ] {
        assert!(shown.contains(text), "{text}\n{shown}");
    }
    let order = ["refused at South", "checked in at North", "Booked"].map(|what| shown.rfind(what));
    assert!(order.is_sorted(), "the newest first: {order:?}");
    assert!(!page.contains(location.trim_start_matches("/bookings/")), "the buyer's link is the buyer's");

    // The list and the CSV file account for the canceled tickets.
    let list = organizer.get(app.url("/admin/bookings")).send().expect("an answer").text().expect("a page");
    let row = words(between(&list, &format!("<tr id=\"booking-{reference}\">"), "</tr>"));
    assert!(row.contains("2 × VIP $200.00 Confirmed 2 canceled"), "{row}");
    let csv = organizer.get(app.url("/admin/events/midnight-parade/bookings.csv")).send().expect("an answer");
    let csv = csv.text().expect("a file");
    assert!(csv.contains("VIP,4,2,100.00,200.00,USD"), "{csv}");

    // A mail that is resent from this page leads back to this page, which reports it.
    let attempt = between(&page, "<form action=\"/admin/mails/", "\"");
    let form = [("booking", reference.as_str())];
    let again =
        organizer.post(app.url(&format!("/admin/mails/{attempt}"))).form(&form).send().expect("an answer");
    assert_eq!(header(&again, "location"), path);
    let page = organizer.get(app.url(&path)).send().expect("an answer").text().expect("a page");
    assert!(words(&page).contains("Email queued again:"), "{page}");
}

#[test]
fn a_token_leads_to_its_booking_and_a_strangers_to_none() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let location = book_as(&app, "zoe@example.org", "VIP", 1, "Zoe");
    let path = format!("/admin/bookings/{}", reference(&app, &location));
    let get = |path: &str| organizer.get(app.url(path)).send().expect("an answer");
    let found = get(&format!("/admin{location}"));
    assert_eq!((found.status().as_u16(), header(&found, "location")), (303, path.as_str()));
    assert_eq!(get("/admin/bookings/AAAAAAAAAAAAAAAAAAAAAAAA").status(), 404);
}

#[test]
fn a_hold_that_has_ended_was_no_booking() {
    let app = TestApp::spawn();
    let (organizer, office) = (app.organizer(), BoxOffice::open(&app.database));
    let booking = office.hold("one", &[(app.database.ticket_type_id("VIP"), 2)]);
    let path = format!("/admin/bookings/{}", booking.reference);
    let shows = |what: &str| {
        let page = organizer.get(app.url(&path)).send().expect("an answer").text().expect("a page");
        words(between(&page, "id=\"history-heading\"", "</section>")).contains(what)
    };
    assert!(shows("Held") && !shows("Held, and"), "it is held");
    office.ends_in(&booking, 0);
    eventually("the hold has ended", || shows("Held, and the hold has ended"));
    assert!(!shows("Booked"));
}
