//! Some tickets of a booking are given back; the others stay good.

use std::sync::Barrier;
use std::thread;

use reqwest::blocking::Response;
use serde_json::{Value, json};

use crate::check_in::{answer, codes, scan};
use crate::mail::contents::parse;
use crate::support::acts::NO_FIELDS;
use crate::support::audit::audited;
use crate::support::{TestApp, browser};
use testkit::outbox::OUTBOX;
use testkit::server::assert_verified;
use testkit::wait::eventually;

/// Gives these seats of a booking back, as the page's form does it.
fn give_back(app: &TestApp, location: &str, seats: &[i32]) -> Response {
    app.client
        .post(app.url(&format!("{location}/cancellation")))
        .form(&form(seats))
        .send()
        .expect("an answer")
}

fn form(seats: &[i32]) -> Vec<(String, String)> {
    let seats = seats.iter().map(|seat| (format!("seat_{seat}"), "on".to_owned()));
    [("choice".to_owned(), "1".to_owned())].into_iter().chain(seats).collect()
}

fn sold(app: &TestApp) -> [i64; 2] {
    ["VIP", "Front Row"].map(|name| app.database.tier(name).sold)
}

/// The body texts of the sent mails whose subject begins with `subject`.
fn texts_of_mails(app: &TestApp, subject: &str, count: usize) -> Vec<String> {
    let mut found = Vec::new();
    eventually("the mails are sent", || {
        let folder = std::fs::read_dir(app.database.folder.path().join("mail"));
        let mut files: Vec<_> = folder.into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        files.retain(|path| path.extension() == Some("eml".as_ref()));
        files.sort();
        let bytes: Vec<Vec<u8>> = files.iter().map(|path| std::fs::read(path).expect("a mail")).collect();
        let of_kind =
            bytes.iter().filter(|bytes| parse(bytes).subject().unwrap_or_default().starts_with(subject));
        found = of_kind.map(|bytes| parse(bytes).body_text(0).expect("text").into_owned()).collect();
        found.len() >= count
    });
    assert_eq!(found.len(), count, "{found:?}");
    found
}

#[test]
fn some_tickets_are_given_back_and_the_others_stay_good() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let location = app.book_order(&[("VIP", 2), ("Front Row", 2)]);
    let all = codes(&app, &location);
    assert_eq!((all.len(), sold(&app)), (4, [2, 2]));

    let response = give_back(&app, &location, &[2, 3]);
    assert_eq!(response.status(), 303, "{}", response.text().unwrap_or_default());
    assert_eq!(sold(&app), [1, 1]);
    let page = app.get(&location).text().expect("a page");
    assert!(page.contains("Canceled: 2 tickets") && page.contains("(1 canceled)"), "{page}");
    let shown = app.get("/").text().expect("a page");
    assert!(shown.contains("<strong>99</strong> of 100") && shown.contains("<strong>199</strong> of 200"));
    assert_eq!(codes(&app, &location), [all[0].clone(), all[3].clone()], "the same codes as before");
    let token = location.trim_start_matches("/bookings/");
    let said: Value = app.get(&format!("/api/v1/bookings/{token}")).json().expect("JSON");
    let seats: Vec<&Value> =
        said["tickets"].as_array().expect("tickets").iter().map(|it| &it["seat"]).collect();
    assert_eq!((&said["status"], seats), (&json!("confirmed"), vec![&json!(1), &json!(4)]));
    assert!(said["lines"].as_array().expect("lines").iter().all(|line| line["returned"] == 1), "{said}");
    assert_eq!(said["quantity"], 4, "what was ordered");

    // The gate refuses the returned tickets.
    app.open_doors();
    for code in &all[1..=2] {
        let (status, words) = answer(scan(&app, &organizer, "North", code));
        assert!(status == 409 && words.contains("answer--refused"), "{words}");
    }
    assert_eq!(app.count("refusals WHERE reason = 'returned'"), 2);
    let (status, words) = answer(scan(&app, &organizer, "North", &all[0]));
    assert!(status == 201 && words.contains("ticket 1 of 4"), "{words}");

    let text = texts_of_mails(&app, "Tickets returned: TK-", 1).remove(0);
    assert!(text.contains("Ticket 2 (VIP)") && text.contains("Ticket 3 (Front Row)"), "{text}");
    assert!(text.contains(&location) && !text.contains("Ticket 1"), "{text}");
    app.database.assert_books_balance();
    assert_verified(&app.database);
}

#[test]
fn a_second_return_works_and_the_last_one_cancels() {
    let app = TestApp::spawn();
    let location = app.book_order(&[("VIP", 2), ("Front Row", 2)]);
    assert_eq!(give_back(&app, &location, &[1]).status(), 303);
    assert_eq!(give_back(&app, &location, &[4]).status(), 303);
    assert_eq!((sold(&app), app.count("bookings WHERE status = 'confirmed'")), ([1, 1], 1));
    let found = texts_of_mails(&app, "Tickets returned: TK-", 2);
    assert!(found.iter().any(|it| it.contains("Ticket 1 (VIP)")), "{found:?}");
    assert!(found.iter().any(|it| it.contains("Ticket 4 (Front Row)")), "{found:?}");
    assert_verified(&app.database);

    assert_eq!(give_back(&app, &location, &[1]).status(), 303, "the same form sent twice");
    assert_eq!(sold(&app), [1, 1], "nothing was changed");
    for seats in [&[1, 2][..], &[9]] {
        let refused = give_back(&app, &location, seats);
        assert_eq!(refused.status(), 409, "{seats:?}");
        assert!(refused.text().expect("a page").contains("already canceled"), "{seats:?}");
    }
    let none = give_back(&app, &location, &[]);
    assert_eq!(none.status(), 422);
    assert!(none.text().expect("a page").contains("Choose at least one ticket"));
    assert_eq!(sold(&app), [1, 1], "nothing was changed");

    assert_eq!(give_back(&app, &location, &[2, 3]).status(), 303);
    assert_eq!((sold(&app), app.count("bookings WHERE status = 'canceled'")), ([0, 0], 1));
    assert!(app.get(&location).text().expect("a page").contains("Booking canceled"));
    texts_of_mails(&app, "Canceled: TK-", 1);
    assert_eq!(app.count(&format!("{OUTBOX} WHERE kind = 'return'")), 2);
    app.database.assert_books_balance();
    assert_verified(&app.database);
}

#[test]
fn a_ticket_that_is_in_is_not_given_back_but_the_others_are() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let location = app.book_order(&[("VIP", 3)]);
    let all = codes(&app, &location);
    app.open_doors();
    assert_eq!(scan(&app, &organizer, "North", &all[1]).status(), 201);
    for seats in [&[2][..], &[1, 2]] {
        let refused = give_back(&app, &location, seats);
        assert_eq!(refused.status(), 409);
        assert!(refused.text().expect("a page").contains("scanned"));
    }
    assert_eq!(sold(&app), [3, 0]);
    assert_eq!(give_back(&app, &location, &[1, 3]).status(), 303);
    assert_eq!(sold(&app), [1, 0]);
    assert_eq!(app.post(&format!("{location}/cancellation"), &[]).status(), 409, "the rest is in");
    assert_eq!(app.count("bookings WHERE status = 'confirmed'"), 1);
    assert_verified(&app.database);
}

#[test]
fn the_organizer_gives_back_too_and_it_is_written_down() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let location = app.book_order(&[("VIP", 3)]);
    app.database.execute("UPDATE events SET cancellation_deadline_minutes = NULL");
    assert_eq!(give_back(&app, &location, &[1]).status(), 409, "the buyer may not any more");
    let said: Value = app.get(&location.replace("/bookings", "/api/v1/bookings")).json().expect("JSON");
    let reference = said["reference"].as_str().expect("a text");
    let path = app.url(&format!("/admin/bookings/{reference}/cancellation"));
    let post = |seats: &[i32]| organizer.post(&path).form(&form(seats)).send().expect("an answer").status();
    assert_eq!(post(&[1, 3]), 303);
    assert_eq!(sold(&app), [1, 0]);
    assert_eq!(organizer.post(&path).form(&NO_FIELDS).send().expect("an answer").status(), 303);
    assert_eq!((sold(&app), app.count("bookings WHERE status = 'canceled'")), ([0, 0], 1));
    let entries =
        audited(&app, "booking canceled").into_iter().map(|(actor, _, affected, _)| (actor, affected));
    assert_eq!(entries.collect::<Vec<_>>(), [("admin".to_owned(), 2), ("admin".to_owned(), 1)]);
    assert_verified(&app.database);
}

#[test]
fn what_a_person_has_given_back_counts_no_more() {
    let app = TestApp::spawn();
    let location = app.book_well("VIP", 10);
    assert_eq!(app.book("VIP", 1).status(), 409);
    assert_eq!(give_back(&app, &location, &[2, 4, 6]).status(), 303);
    assert_eq!(app.book("VIP", 4).status(), 409);
    app.book_well("VIP", 3);
    assert_eq!(sold(&app), [10, 0]);
}

#[test]
fn one_ticket_given_back_at_twenty_windows_of_two_servers_comes_back_once() {
    let app = TestApp::spawn();
    let other = app.another_server();
    for _ in 0..5 {
        let location = app.book_order(&[("Front Row", 2), ("General Admission", 2)]);
        let before = app.database.tier("Front Row").available;
        let barrier = Barrier::new(20);
        let statuses: Vec<u16> = thread::scope(|scope| {
            let windows: Vec<_> = (0..20)
                .map(|window| {
                    let server = if window % 2 == 0 { app.address } else { other.address };
                    let (barrier, location) = (&barrier, &location);
                    scope.spawn(move || {
                        let post = browser().post(format!("http://{server}{location}/cancellation"));
                        barrier.wait();
                        post.form(&form(&[2])).send().expect("an answer").status().as_u16()
                    })
                })
                .collect();
            windows.into_iter().map(|window| window.join().expect("a window")).collect()
        });
        assert!(statuses.iter().all(|status| *status == 303), "{statuses:?}");
        assert_eq!(app.database.tier("Front Row").available, before + 1);
    }
    app.database.assert_books_balance();
    assert_verified(&app.database);
}
