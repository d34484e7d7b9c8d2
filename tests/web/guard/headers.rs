//! The headers of every response.

use reqwest::blocking::Response;
use techkraft::config::Config;

use super::addresses;
use crate::support::{TestApp, browser, header};

fn https(config: &mut Config) {
    config.public_url = Some("https://tickets.example.org".into());
}

fn assert_protected(response: &Response, what: &str) {
    let policy = header(response, "content-security-policy");
    for part in [
        "default-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    ] {
        assert!(policy.split("; ").any(|it| it == part), "{what}: {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("data:"), "{policy}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("server", ""),
        ("x-powered-by", ""),
    ] {
        assert_eq!(header(response, name), value, "{what}: {name}");
    }
    let referrer = header(response, "referrer-policy");
    let is_key = response.url().path().starts_with("/bookings/") && !response.url().path().ends_with("/new");
    assert_eq!(referrer, if is_key { "no-referrer" } else { "same-origin" }, "{what}");
    let permissions = header(response, "permissions-policy");
    assert!(permissions.contains("camera=()") && permissions.contains("geolocation=()"), "{what}");
    assert_ne!(header(response, "cache-control"), "", "{what} says what caches may do");
}

/// One response of every kind that the program makes.
fn responses(app: &TestApp) -> Vec<(u16, Response)> {
    let get = |path: &str| app.get(path);
    let html = get("/").text().expect("a page");
    let stylesheet = crate::support::between(&html, "rel=\"stylesheet\" href=\"", "\"");
    let poll = "/events/midnight-parade/availability";
    let tag = header(&get(poll), "etag").to_owned();
    let client = &app.client;
    let send = |request: reqwest::blocking::RequestBuilder| request.send().expect("an answer");
    vec![
        (200, get("/")),
        (200, send(client.head(app.url("/")))),
        (200, get(stylesheet)),
        (200, get(poll)),
        (304, send(client.get(app.url(poll)).header("if-none-match", tag))),
        (200, get("/robots.txt")),
        (301, get("/favicon.ico")),
        (308, get("/events/midnight-parade/")),
        (404, get("/nowhere")),
        (404, get("/static/nothing.css")),
        (404, get("/bookings/%ff%00")),
        (405, send(client.delete(app.url("/bookings")))),
        (405, send(client.request(reqwest::Method::from_bytes(b"BREW").expect("a method"), app.url("/")))),
        (303, get("/admin")),
        (401, send(client.get(app.url("/admin/sales")).header("hx-request", "true"))),
        (403, send(client.post(app.url("/bookings")).header("origin", "https://evil.example"))),
        (413, send(client.post(app.url("/bookings")).body(vec![b'a'; 100_000]))),
        (414, get(&format!("/?{}", "x".repeat(9_000)))),
        (415, send(client.post(app.url("/bookings")).json(&[1]))),
        (422, app.post("/bookings", &[("ticket_type", app.tier_id("VIP").as_str())])),
        (422, get("/bookings/new?ticket_type=1&ticket_type=2")),
        (200, get("/admin/sign-in")),
        (303, app.book("VIP", 1)),
    ]
}

#[test]
fn every_response_carries_the_headers_that_protect() {
    let app = TestApp::spawn();
    for (status, response) in responses(&app) {
        let what = format!("{status} {}", response.url().path());
        assert_eq!(response.status(), status, "{what}");
        assert_protected(&response, &what);
        assert_eq!(header(&response, "strict-transport-security"), "", "{what}: not without TLS");
    }
}

#[test]
fn behind_tls_browsers_are_told_to_stay_there() {
    let app = TestApp::spawn_with(https);
    for (_, response) in responses(&app) {
        let value = header(&response, "strict-transport-security");
        assert_eq!(value, "max-age=31536000; includeSubDomains", "{}", response.url());
    }
}

/// Paths whose responses contain nothing personal.
const PUBLIC: [&str; 8] = [
    "/events/midnight-parade/availability",
    "/events/midnight-parade/preview.png",
    "/static/css/app.css",
    "/favicon.ico",
    "/offline.js",
    "/robots.txt",
    "/site.webmanifest",
    "/sitemap.xml",
];

/// Only the checkout is cached, by its own browser, because the back button must bring back the same form: a fresh
/// form would book a second time.
#[test]
fn what_is_personal_is_kept_by_no_cache() {
    let app = TestApp::spawn();
    let booking = app.book_well("VIP", 1);
    let organizer = app.organizer();
    let ticket_type = app.tier_id("VIP");
    for client in [&app.client, &organizer, &browser()] {
        for path in addresses::of_every_route(&booking) {
            let url = app.url(&format!("{path}?ticket_type={ticket_type}"));
            let response = client.get(url).send().expect("an answer");
            let cache = header(&response, "cache-control");
            match path.as_str() {
                "/bookings/new" => {
                    assert_eq!((response.status().as_u16(), cache), (200, "private, no-cache"))
                }
                path if PUBLIC.contains(&path) => {}
                // The body is the same for everybody, but the RateLimit fields beside it are not.
                path if path.starts_with("/api/v1/events") || path == "/api/v1/openapi.json" => {
                    // A request that is refused because it has no token leaves nothing to cache.
                    let is_kept_by_none = cache.starts_with("private, ") || cache == "no-store";
                    assert!(is_kept_by_none, "{path}: {cache:?}");
                }
                path => assert!(cache.contains("no-store"), "{path}: {cache:?}"),
            }
        }
    }
    let booked = app.book("VIP", 1);
    assert_eq!(header(&booked, "cache-control"), "no-store");
}
