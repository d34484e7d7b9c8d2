//! Which client a request counts for, and in which class.

use reqwest::blocking::RequestBuilder;

use super::{client_at, limited, limited_behind_proxies, passes, send};
use crate::support::{TestApp, header};

/// Seen to fail without the middleware in app.rs: nothing was refused. Seen to fail with one counter for all classes:
/// the second class had nothing left.
#[test]
fn each_class_counts_on_its_own() {
    let app = limited(|rates| {
        rates.pages = "3/hour".parse().expect("a rate");
        rates.polls = "4/hour".parse().expect("a rate");
        rates.static_files = "5/hour".parse().expect("a rate");
        rates.bookings = "2/hour".parse().expect("a rate");
        rates.sign_in = "1/hour".parse().expect("a rate");
        rates.api = "6/hour".parse().expect("a rate");
    });
    let get = |path: &str| app.client.get(app.url(path));
    let post = |path: &str| app.client.post(app.url(path)).form(&[("a", "b")]);
    assert_eq!(passes(|| get("/")), 3);
    assert_eq!(passes(|| get("/events/midnight-parade/availability")), 4);
    assert_eq!(passes(|| get("/static/nothing.css")), 5);
    assert_eq!(passes(|| post("/bookings")), 2);
    assert_eq!(passes(|| post("/admin/sign-in")), 1);
    assert_eq!(passes(|| get("/api/events")), 6);
    // Requests of one class share one count.
    for path in ["/", "/nowhere", "/bookings/new", "/bookings/abc"] {
        assert_eq!(send(get(path)).status(), 429, "{path}");
    }
    assert_eq!(send(get("/robots.txt")).status(), 429);
    assert_eq!(send(post("/buyer/forget")).status(), 429);
    // Another client starts at zero.
    let other = client_at("127.0.0.2");
    assert_eq!(passes(|| other.get(app.url("/"))), 3);
}

#[test]
fn a_path_in_disguise_is_counted_as_what_it_is() {
    let app = limited(|rates| {
        rates.bookings = "3/hour".parse().expect("a rate");
        rates.sign_in = "2/hour".parse().expect("a rate");
    });
    let client = client_at("127.0.0.1");
    let mut bookings = ["/bookings", "/%62ookings", "/bookings?a=b", "/bookin%67s"].iter();
    let post = |path: &str| client.post(app.url(path)).form(&[("username", "x"), ("password", "y")]);
    assert_eq!(passes(|| post(bookings.next().expect("three go through"))), 3);
    let mut sign_ins = ["/admin/sign%2Din", "/admin/sign-in", "/%61dmin/sign-in"].iter();
    assert_eq!(passes(|| post(sign_ins.next().expect("two go through"))), 2);
}

#[test]
fn forwarding_headers_of_untrusted_clients_are_ignored() {
    let app = limited(|rates| rates.pages = "4/hour".parse().expect("a rate"));
    let mut number = 0;
    let mut lie = || -> RequestBuilder {
        number += 1;
        let address = format!("203.0.113.{number}");
        app.client
            .get(app.url("/"))
            .header("x-forwarded-for", &address)
            .header("forwarded", format!("for={address}"))
            .header("x-real-ip", &address)
            .header("true-client-ip", &address)
            .header("cf-connecting-ip", &address)
            .header("x-client-ip", &address)
    };
    assert_eq!(passes(&mut lie), 4);
}

#[test]
fn a_trusted_proxy_is_believed_for_the_address_that_it_has_seen() {
    let app = limited_behind_proxies(|rates| rates.pages = "4/hour".parse().expect("a rate"));
    let from = |header: &str, value: &str| app.client.get(app.url("/")).header(header, value);
    assert_eq!(passes(|| from("x-forwarded-for", "198.51.100.1")), 4);
    assert_eq!(passes(|| from("x-forwarded-for", "198.51.100.2")), 4, "another visitor");
    // In the header, text from the visitor is to the left of what the proxy has added.
    let mut number = 0;
    let mut lie = || {
        number += 1;
        from("x-forwarded-for", &format!("203.0.113.{number}, 198.51.100.3"))
    };
    assert_eq!(passes(&mut lie), 4);
    let forwarded = || from("forwarded", "for=198.51.100.4");
    assert_eq!(passes(forwarded), 4, "not read: this is the proxy itself");
    assert_eq!(send(from("x-forwarded-for", "198.51.100.4")).status(), 200, "a visitor of its own");
    // The headers of a visitor who bypasses the proxy are not trusted.
    let app = TestApp::spawn_with(|config| {
        config.rate_limits =
            Some(super::Rates { pages: "4/hour".parse().expect("a rate"), ..super::rates() });
        config.trusted_proxies = crate::guard::proxies(&["127.0.0.2/32"]);
    });
    let (proxy, direct) = (client_at("127.0.0.2"), client_at("127.0.0.3"));
    let mut number = 0;
    let mut ask = |client: &reqwest::blocking::Client| {
        number += 1;
        client.get(app.url("/")).header("x-forwarded-for", format!("203.0.113.{number}"))
    };
    assert_eq!(passes(|| ask(&proxy)), 50);
    assert_eq!(passes(|| ask(&direct)), 4);
}

#[test]
fn a_home_with_ipv6_counts_once() {
    let app = limited_behind_proxies(|rates| rates.pages = "4/hour".parse().expect("a rate"));
    let from = |address: &str| app.client.get(app.url("/")).header("x-forwarded-for", address);
    let mut number = 0;
    let mut hop = || {
        number += 1;
        from(&format!("2001:db8:1:2:{number:x}::{number:x}"))
    };
    assert_eq!(passes(&mut hop), 4, "as often as it changes its address");
    assert_eq!(passes(|| from("2001:db8:1:3::1")), 4, "the neighbor's");
    assert_eq!(passes(|| from("::ffff:198.51.100.9")), 4);
    assert_eq!(send(from("198.51.100.9")).status(), 429, "the same, as IPv4");
}

/// When nginx fetches a shared copy for everybody, it names no visitor.
#[test]
fn a_proxy_that_keeps_copies_is_never_refused_them() {
    let app = limited_behind_proxies(|rates| {
        rates.polls = "4/hour".parse().expect("a rate");
        rates.static_files = "4/hour".parse().expect("a rate");
        rates.pages = "4/hour".parse().expect("a rate");
    });
    let availability = app.url("/events/midnight-parade/availability");
    assert_eq!(passes(|| app.client.get(&availability)), 50);
    assert_eq!(passes(|| app.client.get(app.url("/robots.txt"))), 50);
    assert_eq!(passes(|| app.client.get(app.url("/"))), 4, "a page is somebody's");
    let visitor = || app.client.get(&availability).header("x-forwarded-for", "198.51.100.1");
    assert_eq!(passes(visitor), 4, "so is what is asked for somebody");
}

#[test]
fn without_limits_nobody_is_refused() {
    let app = TestApp::spawn();
    for _ in 0..20 {
        let answer = app.post("/bookings", &[("a", "b")]);
        assert_eq!(answer.status(), 404, "there is no such tier");
        assert_eq!(header(&answer, "ratelimit"), "");
    }
}

/// The organizer's pages cost more as more is sold, and visitors do not use them.
#[test]
fn the_organizers_pages_have_a_class_of_their_own() {
    let app = limited(|rates| {
        rates.admin = "3/hour".parse().expect("a rate");
        rates.pages = "4/hour".parse().expect("a rate");
    });
    let get = |path: &str| app.client.get(app.url(path));
    let mut pages = ["/admin", "/admin/sales", "/admin/events/midnight-parade/bookings.csv"].iter();
    assert_eq!(passes(|| get(pages.next().unwrap_or(&"/admin/bookings"))), 3);
    assert_eq!(passes(|| get("/")), 4, "pages are counted apart");
    assert_eq!(send(get("/admin/check-in")).status(), 303, "and so are gates");
}
