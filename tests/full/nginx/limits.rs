//! Behind nginx each visitor has a separate limit, and what nginx caches for all has none.

use reqwest::blocking::{Client, RequestBuilder};

use testkit::wait::eventually;

use crate::nginx::front::{FRAGMENT, Front};

const LIMITS: [(&str, &str); 2] = [("RATE_LIMITS", "on"), ("RATE_LIMIT_PAGES", "4/hour")];

/// Polls of nginx's own address until a limit would refuse the next one: 10 times the pages.
const POLLS: usize = 10;
/// Static files: 20 times the pages.
const FILES: usize = 20;

/// A visitor who connects to nginx from a separate address.
fn visitor(last: u8) -> Client {
    let client = Client::builder().local_address(std::net::IpAddr::from([127, 0, 0, last]));
    client.build().expect("a client")
}

fn passes(mut request: impl FnMut() -> RequestBuilder) -> usize {
    (0..20).take_while(|_| request().send().expect("an answer").status() != 429).count()
}

/// Tried: without TRUSTED_PROXIES the second visitor had nothing left.
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

/// Tried: with the proxy's own requests counted, everybody heard 429 when the copy was a second old.
#[test]
fn the_copies_that_nginx_keeps_are_fetched_without_limit() {
    let front = Front::open_with(&[("RATE_LIMITS", "on"), ("RATE_LIMIT_PAGES", "1/hour")]);
    let ada = visitor(2);
    eventually("nginx has fetched more copies than a visitor may poll", || {
        assert_eq!(ada.get(front.url(FRAGMENT)).send().expect("an answer").status(), 200);
        front.origin_requests_of(FRAGMENT) > POLLS
    });
}

/// Tried without counting them: 404 as often as one asked.
#[test]
fn what_is_not_there_is_counted_for_the_visitor_who_asks() {
    let front = Front::open_with(&[("RATE_LIMITS", "on"), ("RATE_LIMIT_PAGES", "1/hour")]);
    let (ada, bob) = (visitor(2), visitor(3));
    let missing = [("/static/", ".css", FILES), ("/events/", "/availability", POLLS)];
    for (before, after, most) in missing {
        let mut number = 0;
        let mut asks = || {
            number += 1;
            // Naming somebody else does not count for them.
            let request = ada.get(front.url(&format!("{before}x{number}{after}")));
            request.header("x-forwarded-for", "127.0.0.3").header("x-cached-for", "127.0.0.3")
        };
        let statuses: Vec<u16> =
            (0..most + 3).map(|_| asks().send().expect("an answer").status().as_u16()).collect();
        assert_eq!(statuses, [vec![404; most], vec![429; 3]].concat(), "{before}");
        let his = bob.get(front.url(&format!("{before}y{after}"))).send().expect("an answer");
        assert_eq!(his.status(), 404, "{before}");
    }
    // What is there is for everybody.
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
