//! One visitor's data is never shown to another.

use std::thread;
use std::time::Duration;

use testkit::wait::eventually;

use crate::nginx::front::{FRAGMENT, Front, header};

/// One visitor requests each personal page twice, and another one once: the server answers all three times, and the
/// other visitor sees no data of the first.
///
/// `proxy_cache` in `location /` alone would cache nothing, because the pages forbid it. Seen to fail when nginx also
/// ignores their `Cache-Control`: the server answered only once.
#[test]
fn personal_pages_come_from_the_server_every_time() {
    let front = Front::open();
    let (ada, bob) = (Front::browser(), Front::browser());
    let booking = front.book(&ada, "Ada Lovelace");
    front.leave_a_toast(&ada, "Ada Lovelace");
    let home = front.get(&ada, "/").text().expect("a page");
    assert!(
        home.contains("Welcome back, Ada") && home.contains("Canceled: ticket 1"),
        "her page greets her, and her toast"
    );
    let ticket_type = crate::nginx::front::between(&home, "name=\"ticket_type\" value=\"", "\"").to_owned();
    let checkout = format!("/bookings/new?ticket_type={ticket_type}");
    let token = booking.trim_start_matches("/bookings/");
    let as_if_static = format!("/static/..%2fbookings%2f{token}");
    let as_if_fragment = format!("{booking}/availability");
    let paths = [
        "/",
        "/events/midnight-parade",
        &checkout,
        "/admin",
        "/admin/sign-in",
        &as_if_static,
        &as_if_fragment,
    ];
    for path in paths {
        let before: usize = front.origin_requests().values().sum();
        let hers = [front.get(&ada, path), front.get(&ada, path)];
        let his = front.get(&bob, path);
        assert_eq!(front.origin_requests().values().sum::<usize>(), before + 3, "{path}");
        for answer in hers.iter().chain([&his]) {
            assert_eq!(header(answer, "x-cache-status"), "", "{path}");
            let control = header(answer, "cache-control");
            assert!(control.contains("no-store") || control == "private, no-cache", "{path}: {control}");
        }
        assert_eq!(header(&his, "set-cookie"), "", "{path}");
        let read = his.text().expect("a page");
        for secret in ["Ada", "ada+", "Canceled: ticket", token] {
            assert!(!read.contains(secret), "{path} told him {secret}");
        }
    }
    for path in [&booking, &format!("{booking}/calendar.ics")] {
        let before: usize = front.origin_requests().values().sum();
        for browser in [&ada, &ada, &bob] {
            assert_eq!(
                header(&front.get(browser, path), "cache-control"),
                "private, no-store",
                "whose link it is"
            );
        }
        assert_eq!(front.origin_requests().values().sum::<usize>(), before + 3, "{path}");
    }
}

/// The visitor whose request fills the cache has a booking, a session and a waiting toast message.
#[test]
fn what_is_kept_holds_nothing_of_the_visitor_who_asked_first() {
    let front = Front::open();
    let (ada, bob) = (Front::browser(), Front::browser());
    // A copy lives for a second, which may pass on a busy machine before he asks.
    eventually("he gets the copy that her request made", || {
        // The new numbers make nginx fetch a whole new copy.
        front.leave_a_toast(&ada, "Ada Lovelace");
        let asked = ada.get(front.url(FRAGMENT)).header("authorization", "Basic YWRhOnNlY3JldA==");
        let hers = asked.send().expect("an answer");
        assert_eq!((hers.status().as_u16(), header(&hers, "set-cookie")), (200, ""));
        let his = front.get(&bob, FRAGMENT);
        assert_eq!((his.status().as_u16(), header(&his, "set-cookie")), (200, ""));
        let is_fetched = ["MISS", "EXPIRED"].contains(&header(&hers, "x-cache-status"));
        let is_copied = is_fetched && header(&his, "x-cache-status") == "HIT";
        let (hers, his) = (hers.text().expect("a fragment"), his.text().expect("a fragment"));
        assert!(!is_copied || hers == his, "{hers}\nand {his}");
        assert!(!his.contains("Ada") && !his.contains("ada+"));
        if !is_copied {
            // Until the copy has expired.
            thread::sleep(Duration::from_millis(2100));
        }
        is_copied
    });
    // The poll did not use up the toast that waits for her next page.
    assert!(front.get(&ada, "/").text().expect("a page").contains("Canceled: ticket 1"));
}

/// Errors are temporary, so nobody may get a cached one.
#[test]
fn errors_are_not_kept() {
    let front = Front::open();
    let path = "/events/not-yet-announced/availability";
    for asked in 1..=3 {
        let answer = front.get(&Front::browser(), path);
        assert_eq!((answer.status().as_u16(), header(&answer, "cache-control")), (404, "no-store"));
        assert_eq!(front.origin_requests_of(path), asked);
    }
}

/// nginx does not even ask the server, which may show them to the machine that it runs on.
#[test]
fn metrics_are_not_for_visitors() {
    let front = Front::open();
    let browser = Front::browser();
    for path in ["/metrics", "/metrics?a=b"] {
        assert_eq!(front.get(&browser, path).status(), 404, "{path}");
    }
    assert_eq!(front.origin_requests_of("/metrics"), 0);
    assert_eq!(front.get(&browser, "/metric").status(), 404);
    assert_eq!(front.origin_requests_of("/metric"), 1);
}

/// The server's own check against other sites' forms also works through nginx, with the public host name.
#[test]
fn a_form_of_another_site_is_refused_through_nginx_too() {
    let front = Front::open();
    for (origin, status) in [("https://evil.example", 403), ("null", 403)] {
        let form = Front::browser().post(front.url("/buyer/forget")).header("origin", origin);
        assert_eq!(form.form(&[("a", "b")]).send().expect("an answer").status(), status, "{origin}");
    }
}
