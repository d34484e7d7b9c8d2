//! The API: bodies that are not JSON or too large, invalid keys, and requests from other sites' pages with cookies.

use crate::hostile::case::Case;
use crate::hostile::stage::{FORM, Stage};

const JSON: &str = "Content-Type: application/json\r\n";
const KEY: &str = "Idempotency-Key: 8e03978e-40d5-43dd-bc93-6894a57f9324\r\n";
const BOOKINGS: [&str; 2] = ["/api/v1/bookings", "/api/bookings"];

pub fn cases(stage: &Stage) -> Vec<Case> {
    let mut cases = bodies();
    cases.extend(keys(stage));
    cases.extend(cross_site(stage));
    cases.extend(addresses());
    cases
}

fn bodies() -> Vec<Case> {
    let json = format!("{JSON}{KEY}");
    let deep = format!("{{\"name\":{}", "[".repeat(15_000));
    let many = format!("{{{}}}", ["\"a\":1"; 2_000].join(","));
    let mut cases = Vec::new();
    for page in BOOKINGS {
        for (name, body, expected) in [
            ("15,000 deep", deep.as_str(), "400"),
            ("2,000 times one field", &many, "400|422"),
            ("a number of 5,000 digits", &format!("{{\"quantity\":{}}}", "9".repeat(5_000)), "400|422"),
            ("a number beyond all", "{\"quantity\":1e999999}", "400|422"),
            ("not a number", "{\"quantity\":NaN}", "400"),
            ("half a surrogate", "{\"name\":\"\\ud800\",\"userId\":\"\\ud800\"}", "400"),
            ("a script", "{\"name\":\"<script>alert(1)</script>\"}", "400|422"),
            ("a field with a script for its name", "{\"<script>alert(1)</script>\":1}", "400|422"),
            ("a NUL", "{\"name\":\"\\u0000\",\"userId\":\"\\u0000\"}", "400|422"),
            ("a prototype", "{\"__proto__\":{\"quantity\":1}}", "400|422"),
            ("a list", "[]", "400"),
            ("nothing", "", "400|415"),
        ] {
            cases.push(Case::body(format!("{page}: {name}"), page, &json, body, expected));
        }
        cases.push(Case::body(format!("{page}: 17 KiB"), page, &json, " ".repeat(17 * 1024), "413"));
        cases.push(Case::body(format!("{page}: no text"), page, &json, b"\xff\xfe{}", "400"));
        cases.push(Case::body(format!("{page}: a form"), page, FORM, "quantity=1", "415"));
        for kind in ["text/plain", "text/json", "application/jsonx", "application/json, text/plain", "*/*"] {
            let headers = format!("Content-Type: {kind}\r\n{KEY}");
            cases.push(Case::body(format!("{page}: as {kind}"), page, &headers, "{}", "415"));
        }
        let gzip = format!("{json}Content-Encoding: gzip\r\n");
        cases.push(Case::body(format!("{page}: gzip"), page, &gzip, "{}", "415"));
    }
    cases
}

fn keys(stage: &Stage) -> Vec<Case> {
    let body = booking(stage);
    let long = "x".repeat(256);
    let bad = [
        "",
        "\"\"",
        "short",
        &long,
        "\"8e03978e-40d5-43dd",
        "8e03978e-40d5\\43dd",
        "caf\u{e9}-8e03978e-40d5-43dd",
    ];
    let cases = bad.into_iter().map(|key| {
        let headers = format!("{JSON}Idempotency-Key: {key}\r\n");
        Case::body(format!("the key {key:?}"), BOOKINGS[0], &headers, &body, "400")
    });
    let twice = format!("{JSON}{KEY}{KEY}");
    cases.chain([Case::body("a key twice", BOOKINGS[0], &twice, &body, "400")]).collect()
}

fn cross_site(stage: &Stage) -> Vec<Case> {
    let session = &stage.session;
    let mut cases = Vec::new();
    for origin in [
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
        "Origin: https://injected-host.example",
        "Origin: null",
    ] {
        for page in BOOKINGS {
            let headers = format!("{JSON}{KEY}Cookie: {session}\r\n{origin}\r\n");
            let name = format!("{page} with cookies from {origin:?}");
            cases.push(Case::body(name, page, &headers, booking(stage), "403"));
        }
        let line = format!(
            "OPTIONS /api/v1/bookings HTTP/1.1\r\nHost: localhost\r\n{origin}\r\n\
             Access-Control-Request-Method: POST\r\n\r\n"
        );
        cases.push(Case::raw(format!("a preflight from {origin:?}"), line, "405"));
    }
    cases
}

fn addresses() -> Vec<Case> {
    let mut cases = Vec::new();
    for path in [
        "/api",
        "/api/v1/../../admin",
        "/api/v1/events/..%2f..%2fadmin",
        "/api/v1/events/%00",
        "/api/v1/bookings/%27%20OR%201=1--",
        "/%61pi/v1/nowhere",
        "/api/v1/%3Cscript%3Ealert(1)%3C/script%3E",
    ] {
        cases.push(Case::get(format!("the API's {path}"), path, "404"));
    }
    cases.push(Case::get("a cursor of its own", "/api/v1/events?cursor=%3Cscript%3Ealert", "422"));
    cases.push(Case::get("a limit beyond all", "/api/v1/events?limit=99999999999999999999", "422"));
    cases
}

fn booking(stage: &Stage) -> String {
    let tier = &stage.tier;
    format!(
        "{{\"ticketTypeId\":\"{tier}\",\"quantity\":1,\"name\":\"Ada\",\"email\":\"ada@example.org\",\"userId\":\"7\"}}"
    )
}
