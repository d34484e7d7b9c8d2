//! A link in each mail stops further mails to its address, and allows them again.

use super::contents::{book_as, mails, parse};
use super::wait_for_states;
use crate::support::{TestApp, header};

const EMAIL: &str = "victim@example.org";

/// The link of the newest mail.
fn stop_link(app: &TestApp, count: usize) -> String {
    let newest = mails(app, count).pop().expect("a mail");
    let mail = parse(&newest);
    let (text, html) = (mail.body_text(0).expect("text"), mail.body_html(0).expect("HTML"));
    let link = text.lines().find(|line| line.contains("/emails?link=")).expect("a link").to_owned();
    assert!(html.contains(&format!("href=\"{link}\"")), "{html}");
    link.strip_prefix(&app.url("")).expect("a path").to_owned()
}

fn choose(app: &TestApp, link: &str, choice: &str) {
    let sealed = link.split_once('=').expect("a link").1;
    let done = app.post("/emails", &[("link", sealed), ("choice", choice)]);
    assert_eq!((done.status().as_u16(), header(&done, "location")), (303, link));
}

#[test]
fn a_stranger_whose_address_was_used_gets_no_more_mails_until_they_are_allowed_again() {
    let app = TestApp::spawn();
    book_as(&app, "Somebody", "Victim@Example.ORG");
    let link = stop_link(&app, 1);
    let page = app.get(&link);
    assert_eq!(header(&page, "referrer-policy"), "no-referrer");
    let page = page.text().expect("a page");
    assert!(page.contains("Stop emails to me") && page.to_lowercase().contains(EMAIL), "{page}");

    // Opening the link, as mail programs do, stops nothing.
    book_as(&app, "Somebody", EMAIL);
    wait_for_states(&app, &[("sent", 2)]);
    choose(&app, &link, "stop");
    assert!(app.get(&link).text().expect("a page").contains("Allow emails again"));
    let other = book_as(&app, "Somebody", EMAIL);
    assert_eq!(app.post(&format!("{other}/cancellation").replace(&app.url(""), ""), &[]).status(), 303);
    wait_for_states(&app, &[("dropped", 2), ("sent", 2)]);
    book_as(&app, "Ada", "ada@example.org");
    wait_for_states(&app, &[("dropped", 2), ("sent", 3)]);

    choose(&app, &link, "");
    book_as(&app, "Somebody", EMAIL);
    wait_for_states(&app, &[("dropped", 2), ("sent", 4)]);
}

#[test]
fn what_protects_a_booking_and_what_was_asked_for_still_come() {
    let app = TestApp::spawn();
    let first = book_as(&app, "Somebody", EMAIL);
    book_as(&app, "Somebody", EMAIL);
    let link = stop_link(&app, 2);
    choose(&app, &link, "stop");
    let path = first.replace(&app.url(""), "");
    let changed = app.post(&format!("{path}/buyer"), &[("name", "Eve"), ("email", "eve@example.org")]);
    assert_eq!(changed.status(), 303);
    assert_eq!(app.post("/bookings/find", &[("email", EMAIL)]).status(), 303);
    wait_for_states(&app, &[("sent", 5)]);
    let mails = mails(&app, 5);
    for subject in ["New email address for", "link to your bookings"] {
        let to_owner = |bytes: &Vec<u8>| {
            let mail = parse(bytes);
            mail.subject().is_some_and(|it| it.contains(subject))
                && super::contents::single(mail.to()).1 == EMAIL
        };
        assert_eq!(mails.iter().filter(|it| to_owner(it)).count(), 1, "{subject}");
    }
}

#[test]
fn a_stop_ends_and_only_links_of_this_site_stop_anything() {
    let app = TestApp::spawn();
    book_as(&app, "Somebody", EMAIL);
    let link = stop_link(&app, 1);
    choose(&app, &link, "stop");
    choose(&app, &link, "stop");
    assert_eq!(app.count("suppressed_addresses"), 1);
    app.database.execute("UPDATE suppressed_addresses SET until = '2020-01-01 00:00:00'");
    assert!(app.get(&link).text().expect("a page").contains("Stop emails to me"));
    book_as(&app, "Somebody", EMAIL);
    wait_for_states(&app, &[("sent", 2)]);
    for wrong in ["", "x", "ada@example.org", &"A".repeat(2_000)] {
        assert_eq!(app.get(&format!("/emails?link={wrong}")).status(), 404, "{wrong}");
        assert_eq!(app.post("/emails", &[("link", wrong), ("choice", "stop")]).status(), 404, "{wrong}");
    }
}
