//! Each ticket has a link of its own, to give to a friend: it shows that ticket, and nothing else of the booking.

use crate::support::{TestApp, between, header};

/// A booking of three tickets: its path, and the paths of its tickets.
fn booked(app: &TestApp) -> (String, Vec<String>) {
    let booking = app.book_well("VIP", 3);
    let html = app.get(&booking).text().expect("a page");
    let links = html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let links: Vec<String> = links.filter(|link| link.starts_with("/tickets/")).map(str::to_owned).collect();
    assert_eq!(links.len(), 3, "{html}");
    (booking, links)
}

fn codes(html: &str) -> Vec<String> {
    let codes = html.split("data-ticket-code>").skip(1).filter_map(|rest| rest.split('<').next());
    codes.map(str::to_owned).collect()
}

#[test]
fn a_friend_sees_one_ticket_and_nothing_else_of_the_booking() {
    let app = TestApp::spawn();
    let (booking, links) = booked(&app);
    let token = booking.rsplit('/').next().expect("a token");
    let all = codes(&app.get(&booking).text().expect("a page"));
    for (link, code) in links.iter().zip(&all) {
        let response = app.get(link);
        assert_eq!(response.status(), 200);
        assert_eq!(header(&response, "cache-control"), "private, no-store");
        assert_eq!(header(&response, "x-robots-tag"), "noindex, nofollow");
        assert_eq!(header(&response, "referrer-policy"), "no-referrer");
        let html = response.text().expect("a page");
        assert_eq!(codes(&html), std::slice::from_ref(code), "this ticket alone");
        for part in ["Midnight Parade", "The Foundry Hall, Chicago", "VIP"] {
            assert!(html.contains(part), "{part}");
        }
        assert!(html.contains(&format!("href=\"http://{}{link}/calendar.ics\"", app.address)), "{html}");
        for secret in [token, "@example.org", "/cancellation", "/bookings/", "Send to a friend"] {
            let shown = html.replace("/bookings/find", "");
            assert!(!shown.contains(secret), "{secret}: {html}");
        }
        for other in links.iter().filter(|other| *other != link) {
            assert!(!html.contains(other.as_str()));
        }
        let calendar = app.get(&format!("{link}/calendar.ics")).text().expect("a file").replace("\r\n ", "");
        assert!(
            calendar.contains("SUMMARY:Midnight Parade") && calendar.contains(link.as_str()),
            "{calendar}"
        );
        assert!(!calendar.contains(token) && !calendar.contains("@example.org"), "{calendar}");
    }
}

#[test]
fn a_link_that_nobody_made_opens_nothing() {
    let app = TestApp::spawn();
    let (booking, links) = booked(&app);
    let token = booking.rsplit('/').next().expect("a token");
    let link = &links[0];
    let mut forged = link.clone();
    let last = if link.ends_with('A') { "E" } else { "A" };
    forged.replace_range(link.len() - 1.., last);
    for path in [
        format!("/tickets/{token}"),
        forged,
        format!("{link}A"),
        "/tickets/%00".to_owned(),
        format!("/bookings/{}", link.rsplit('/').next().expect("a token")),
    ] {
        assert_eq!(app.get(&path).status(), 404, "{path}");
    }
    for path in
        [format!("{link}/cancellation"), format!("{}/cancellation", link.replace("tickets", "bookings"))]
    {
        assert_eq!(app.get(&path).status(), 404, "{path}");
        assert!(app.post(&path, &[]).status().is_client_error(), "{path}");
    }
    assert_eq!(app.post(link, &[]).status(), 405);
}

#[test]
fn a_ticket_that_is_no_longer_one_says_so() {
    let app = TestApp::spawn();
    let (booking, links) = booked(&app);
    let cancellation = format!("{booking}/cancellation");
    assert_eq!(app.post(&cancellation, &[("choice", "1"), ("seat_2", "on")]).status(), 303);
    let gone = app.get(&links[1]);
    assert_eq!(gone.status(), 410);
    let html = gone.text().expect("a page");
    assert!(html.contains("no longer valid") && html.contains("Ticket 2 was canceled"), "{html}");
    assert_eq!(codes(&html), Vec::<String>::new());
    assert_eq!(app.get(&format!("{}/calendar.ics", links[1])).status(), 404);
    assert_eq!(app.get(&links[0]).status(), 200, "the others stay");

    assert_eq!(app.post(&cancellation, &[]).status(), 303);
    for link in [&links[0], &links[2]] {
        let gone = app.get(link);
        assert_eq!(gone.status(), 410);
        let html = gone.text().expect("a page");
        assert!(html.contains("The booking was canceled") && !html.contains("data-offline"), "{html}");
    }
    let canceled = app.get(&booking).text().expect("a page");
    assert!(!between(&canceled, "data-gone=\"", "\"").is_empty(), "the browser drops its copies");
}
