//! Behind nginx each visitor has a separate limit, and what nginx caches for all has none.

use reqwest::blocking::{Client, RequestBuilder};

use testkit::wait::eventually;

use crate::nginx::front::{FRAGMENT, Front};

const LIMITS: [(&str, &str); 2] = [("RATE_LIMITS", "on"), ("RATE_LIMIT_PAGES", "4/hour")];

/// How many polls the limit allows: 10 times as many as pages, which these tests limit to one.
const POLLS: usize = 10;
/// How many static files the limit allows: 20 times as many as pages.
const FILES: usize = 20;

/// A visitor who connects to nginx from a separate address.
fn visitor(last: u8) -> Client {
    let client = Client::builder().local_address(std::net::IpAddr::from([127, 0, 0, last]));
    client.build().expect("a client")
}

fn passes(mut request: impl FnMut() -> RequestBuilder) -> usize {
    (0..20).take_while(|_| request().send().expect("an answer").status() != 429).count()
}

/// Seen to fail without TRUSTED_PROXIES: the first visitor had used up the second one's limit.
#[test]
fn visitors_are_told_apart_whatever_they_say_of_themselves() {
    let front = Front::open_with(&LIMITS);
    let (ada, bob) = (visitor(2), visitor(3));
    let mut number = 0;
    let lie = || {
        number += 1;
        let address = format!("203.0.113.{number}");
        let request = ada.get(front.url("/")).header("forwarded", format!("for={address}"));
        request.header("x-forwarded-for", format!("{address}, {address}"))
    };
    assert_eq!(passes(lie), 4);
    assert_eq!(passes(|| bob.get(front.url("/"))), 4);
}

/// Seen to fail when nginx's own requests are counted: everybody got 429 once the copy was a second old.
#[test]
fn the_copies_that_nginx_keeps_are_fetched_without_limit() {
    let front = Front::open_with(&[("RATE_LIMITS", "on"), ("RATE_LIMIT_PAGES", "1/hour")]);
    let ada = visitor(2);
    eventually("nginx has fetched more copies than a visitor may poll", || {
        assert_eq!(ada.get(front.url(FRAGMENT)).send().expect("an answer").status(), 200);
        front.origin_requests_of(FRAGMENT) > POLLS
    });
}

/// Seen to fail when these requests are not counted: they got 404 without limit.
#[test]
fn what_is_not_there_is_counted_for_the_visitor_who_asks() {
    let front = Front::open_with(&[("RATE_LIMITS", "on"), ("RATE_LIMIT_PAGES", "1/hour")]);
    let (ada, bob) = (visitor(2), visitor(3));
    let missing = [("/static/", ".css", FILES), ("/events/", "/availability", POLLS)];
    for (before, after, most) in missing {
        let mut number = 0;
        let mut asks = || {
            number += 1;
            // A forged address does not count against its owner.
            let request = ada.get(front.url(&format!("{before}x{number}{after}")));
            request.header("x-forwarded-for", "127.0.0.3").header("x-cached-for", "127.0.0.3")
        };
        let statuses: Vec<u16> =
            (0..most + 3).map(|_| asks().send().expect("an answer").status().as_u16()).collect();
        assert_eq!(statuses, [vec![404; most], vec![429; 3]].concat(), "{before}");
        let his = bob.get(front.url(&format!("{before}y{after}"))).send().expect("an answer");
        assert_eq!(his.status(), 404, "{before}");
    }
    // An existing fragment is available to everybody.
    let fragment = ada.get(front.url(FRAGMENT)).send().expect("an answer");
    assert_eq!(
        (fragment.status().as_u16(), crate::nginx::front::header(&fragment, "x-cache-status")),
        (200, "MISS")
    );
    assert!(
        front.server.logged().contains("rate limited 127.0.0.2 (static): 429"),
        "{}",
        front.server.logged()
    );
}
