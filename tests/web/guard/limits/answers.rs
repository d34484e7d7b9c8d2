//! The answers to clients that send too many requests.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use super::{limited, send};
use crate::support::header;

#[test]
fn a_person_reads_a_page_that_says_how_long_it_takes() {
    let app = limited(|rates| rates.pages = "2/minute burst 1".parse().expect("a rate"));
    assert_eq!(app.get("/").status(), 200);
    let answer = app.get("/");
    assert_eq!(answer.status(), 429);
    assert_eq!(header(&answer, "retry-after"), "30");
    assert_eq!(header(&answer, "cache-control"), "no-store");
    assert_eq!(header(&answer, "content-type"), "text/html; charset=utf-8");
    assert_eq!(header(&answer, "ratelimit-policy"), "\"pages\";q=1;w=30");
    assert_eq!(header(&answer, "ratelimit"), "\"pages\";r=0;t=30");
    for name in ["content-security-policy", "x-content-type-options", "referrer-policy"] {
        assert!(!header(&answer, name).is_empty(), "{name}");
    }
    let html = answer.text().expect("a page");
    assert!(html.contains("Try again in 30 seconds."), "{html}");
    assert!(html.contains("booked twice"));
}

#[test]
fn the_wait_is_true() {
    let app = limited(|rates| rates.pages = "1/second".parse().expect("a rate"));
    assert_eq!(app.get("/").status(), 200);
    let answer = app.get("/");
    assert_eq!((answer.status().as_u16(), header(&answer, "retry-after")), (429, "1"));
    thread::sleep(Duration::from_secs(1));
    assert_eq!(app.get("/").status(), 200);
}

#[test]
fn what_is_no_page_is_refused_in_a_line() {
    let app = limited(|rates| {
        rates.polls = "1/hour".parse().expect("a rate");
        rates.static_files = "1/hour".parse().expect("a rate");
    });
    for path in ["/events/midnight-parade/availability", "/robots.txt"] {
        assert_eq!(app.get(path).status(), 200);
        let answer = app.get(path);
        assert_eq!((answer.status().as_u16(), header(&answer, "cache-control")), (429, "no-store"));
        assert_eq!(header(&answer, "content-type"), "text/plain; charset=utf-8");
        assert_eq!(answer.text().expect("a line"), "Too many requests. Try again in 3600 seconds.\n");
    }
}

/// A refused form does nothing and loses nothing: sent again after the wait, the same form books once.
#[test]
fn a_refused_booking_is_sent_again_and_books_once() {
    let app = limited(|rates| rates.bookings = "1/second".parse().expect("a rate"));
    let (first, second) = (app.open_checkout("VIP", 1), app.open_checkout("VIP", 2));
    assert_eq!(app.confirm(&first, 1).status(), 303);
    let refused = app.confirm(&second, 2);
    assert_eq!((refused.status().as_u16(), header(&refused, "retry-after")), (429, "1"));
    assert_eq!(app.database.tier("VIP").sold, 1);
    thread::sleep(Duration::from_secs(1));
    let booked = app.confirm(&second, 2);
    assert_eq!(booked.status(), 303);
    let place = header(&booked, "location").to_owned();
    thread::sleep(Duration::from_secs(1));
    let again = app.confirm(&second, 2);
    assert_eq!((again.status().as_u16(), header(&again, "location")), (303, place.as_str()));
    assert_eq!(app.database.tier("VIP").sold, 3);
    app.database.assert_books_balance();
}

/// Other sites cannot use up a visitor's limit: their forms are refused before they are counted.
#[test]
fn forms_of_other_sites_use_up_nothing() {
    let app = limited(|rates| rates.bookings = "1/hour".parse().expect("a rate"));
    for _ in 0..5 {
        let forged = app.client.post(app.url("/bookings")).header("sec-fetch-site", "cross-site");
        assert_eq!(send(forged.form(&[("a", "b")])).status(), 403);
    }
    let checkout = app.open_checkout("VIP", 1);
    assert_eq!(app.confirm(&checkout, 1).status(), 303);
}

#[test]
fn nobody_waits_for_the_body_of_a_refused_form() {
    let app = limited(|rates| rates.bookings = "1/hour".parse().expect("a rate"));
    assert_eq!(app.post("/bookings", &[("a", "b")]).status(), 404);
    let mut socket = TcpStream::connect(app.address).expect("it listens");
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket");
    let head = "POST /bookings HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n\
        Content-Length: 9000\r\n\r\na=";
    socket.write_all(head.as_bytes()).expect("it reads");
    let mut bytes = [0; 12];
    socket.read_exact(&mut bytes).expect("an answer, long before the body");
    assert_eq!(String::from_utf8_lossy(&bytes), "HTTP/1.1 429");
}
