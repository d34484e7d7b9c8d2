//! Every error under `/api` is reported in JSON.

use reqwest::Method;
use reqwest::blocking::{Body, RequestBuilder};
use serde_json::Value;

use crate::support::{TestApp, header};

#[track_caller]
fn assert_problem(request: RequestBuilder, status: u16, kind: &str) {
    let response = request.send().expect("an answer");
    assert_eq!(
        (response.status().as_u16(), header(&response, "content-type")),
        (status, "application/problem+json")
    );
    for protection in ["content-security-policy", "x-content-type-options", "cache-control"] {
        assert!(!header(&response, protection).is_empty(), "{protection}");
    }
    let problem: Value = response.json().expect("JSON");
    assert_eq!(
        (&problem["type"], &problem["status"]),
        (&format!("/api/docs#problem-{kind}").into(), &status.into())
    );
    assert!(problem["title"].is_string() && problem["detail"].is_string());
}

#[test]
fn unknown_addresses_and_wrong_methods_are_problems() {
    let app = TestApp::spawn();
    for path in ["/api", "/api/v1", "/api/v2/events", "/api/v1/bookings/a/b/c", "/%61pi/nowhere"] {
        assert_problem(app.client.get(app.url(path)), 404, "not-found");
    }
    for (method, path, allow) in [
        (Method::PUT, "/api/v1/events", "GET, HEAD, POST"),
        (Method::POST, "/api/v1/events/x", "GET, HEAD, PATCH"),
        (Method::DELETE, "/api/v1/bookings/AAAAAAAAAAAAAAAAAAAAAAAA", "GET, HEAD"),
        (Method::GET, "/api/v1/bookings", "POST"),
        (Method::PUT, "/api/v1/bookings", "POST"),
        (Method::OPTIONS, "/api/v1/events", "GET, HEAD, POST"),
    ] {
        let request = || app.client.request(method.clone(), app.url(path));
        assert_problem(request(), 405, "method-not-allowed");
        assert_eq!(header(&request().send().expect("an answer"), "allow"), allow, "{method} {path}");
    }
    let html = app.get("/nowhere");
    assert_eq!(header(&html, "content-type"), "text/html; charset=utf-8", "the site's pages stay pages");
}

#[test]
fn bodies_that_are_not_json_are_problems() {
    let app = TestApp::spawn();
    let post =
        || app.client.post(app.url("/api/v1/bookings")).header("idempotency-key", "8e03978e-40d5-43dd-bc93");
    let json = || post().header("content-type", "application/json");
    assert_problem(post().form(&[("quantity", "1")]), 415, "unsupported-media-type");
    assert_problem(post().header("content-type", "text/plain").body("{}"), 415, "unsupported-media-type");
    assert_problem(post(), 415, "unsupported-media-type");
    assert_problem(json().header("content-encoding", "gzip").body("{}"), 415, "unsupported-media-type");
    for bad in ["", "{", "[]", "null", "\"x\"", "{\"x\":1}", "\u{feff}{}"] {
        assert_problem(json().body(bad), 400, "malformed-request");
    }
    assert_problem(json().body(vec![0xff, 0xfe]), 400, "malformed-request");
    // Nested deeper than any parser should go, as the whole body and inside a field.
    assert_problem(json().body("[".repeat(15_000)), 400, "malformed-request");
    let deep = format!("{{\"name\":{}1{}}}", "[".repeat(7_000), "]".repeat(7_000));
    assert_problem(json().body(deep), 400, "malformed-request");
    assert_problem(json().body("x".repeat(20_000)), 413, "body-too-large");
    // The request states no length, so the body is counted while it arrives.
    let endless = std::io::Read::take(std::io::repeat(b' '), 200_000);
    assert_problem(json().body(Body::new(endless)), 413, "body-too-large");
    assert_problem(app.client.get(app.url(&format!("/api/{}", "x".repeat(8_100)))), 414, "address-too-long");
    let long = app.client.get(app.url("/api/v1/events")).header("x-long", "x".repeat(17_000));
    assert_problem(long, 431, "headers-too-large");
    assert_problem(app.client.get(app.url("/api/v1/bookings")).json(&1), 405, "method-not-allowed");
}

/// A parser in front of the site may keep the first of two equal fields, where ours would keep the last.
#[test]
fn a_repeated_field_is_refused_wherever_it_stands() {
    let app = TestApp::spawn();
    let post = |path: &str, body: String| {
        let request = app.client.post(app.url(path)).header("content-type", "application/json").body(body);
        request.header("idempotency-key", "8e03978e-40d5-43dd-bc93").send().expect("an answer")
    };
    let id = app.tier_id("VIP");
    let buyer = "\"name\": \"Ada\", \"email\": \"ada@example.org\"";
    let line = format!("\"ticketTypeId\": \"{id}\", \"quantity\": 1");
    for body in [
        format!("{{{buyer}, {line}, \"quantity\": 2}}"),
        format!("{{{buyer}, {line}, \"quanti\\u0074y\": 2}}"),
        format!("{{{buyer}, \"lines\": [{{{line}, \"quantity\": 2}}]}}"),
        format!("{{{buyer}, \"lines\": [{{{line}}}, {{{line}, \"ticketTypeId\": \"{id}\"}}]}}"),
        format!("{{{buyer}, {line}, \"x\": {{\"y\": [{{\"z\": 1, \"z\": 1}}]}}}}"),
    ] {
        let answer = post("/api/v1/bookings", body.clone());
        assert_eq!(answer.status(), 400, "{body}");
        let problem = answer.text().expect("a problem");
        assert!(problem.contains("repeats a field, at line 1, column"), "{problem}");
    }
    let compat = format!("{{{line}, \"userId\": \"7\", \"userId\": \"8\"}}");
    let answer = post("/api/bookings", compat);
    assert_eq!(answer.status(), 400);
    assert!(answer.text().expect("JSON").contains("repeats a field"));
    assert_eq!(app.count("bookings"), 0);
    assert_eq!(post("/api/v1/bookings", format!("{{{buyer}, \"lines\": [{{{line}}}]}}")).status(), 201);
}
