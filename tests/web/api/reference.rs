//! The OpenAPI document, and the page that is generated from it.

use serde_json::{Value, json};
use techkraft::resource::urls;

use crate::support::{TestApp, between, header};

#[test]
fn the_document_describes_every_address() {
    let app = TestApp::spawn();
    let response = app.get("/api/v1/openapi.json");
    assert_eq!((response.status().as_u16(), header(&response, "content-type")), (200, "application/json"));
    let document: Value = response.json().expect("JSON");
    assert_eq!(document["openapi"], "3.1.0");
    let paths = urls::ALL.iter().map(|endpoint| endpoint.pattern).filter(|path| path.starts_with("/api/"));
    let not_described = ["/api/docs", "/api/v1/openapi.json"];
    for path in paths.filter(|path| !not_described.contains(path)) {
        assert!(document["paths"][path].is_object(), "{path}");
    }
    assert_eq!(document["paths"].as_object().map(|paths| paths.len()), Some(14));
    let removal = &document["paths"]["/api/v1/events/{slug}/image"]["delete"]["responses"];
    assert!(removal["412"].is_object(), "{removal}");
    // Every reference points to an existing schema.
    let text = document.to_string();
    for name in text.split("#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
    }
}

/// The document describes each method that the router accepts, and no other.
#[test]
fn the_document_names_the_methods_that_the_server_takes() {
    let app = TestApp::spawn();
    let document: Value = app.get("/api/v1/openapi.json").json().expect("JSON");
    for (path, item) in document["paths"].as_object().expect("paths") {
        let mut described: Vec<String> =
            item.as_object().expect("an item").keys().map(|method| method.to_uppercase()).collect();
        let url = app.url(&path.replace(['{', '}'], "x"));
        let refused = app.client.request(reqwest::Method::TRACE, url).send().expect("an answer");
        let mut allowed: Vec<String> =
            header(&refused, "allow").split(", ").filter(|it| *it != "HEAD").map(str::to_owned).collect();
        described.sort();
        allowed.sort();
        assert_eq!(described, allowed, "{path}");
    }
}

#[test]
fn the_document_says_which_operations_need_a_token() {
    let app = TestApp::spawn();
    let document: Value = app.get("/api/v1/openapi.json").json().expect("JSON");
    for (path, item) in document["paths"].as_object().expect("paths") {
        let url = app.url(&path.replace(['{', '}'], "x"));
        for (method, operation) in item.as_object().expect("an item") {
            let needs_token = operation["security"] == json!([{ "bearer": [] }]);
            let method: reqwest::Method = method.to_uppercase().parse().expect("a method");
            let answer = app.client.request(method.clone(), &url).json(&json!({})).send().expect("an answer");
            assert_eq!(answer.status() == 401, needs_token, "{method} {path}: {}", answer.status());
        }
    }
    assert_eq!(document["security"], json!([{}, { "bearer": [] }]), "the others take one");
}

#[test]
fn the_page_says_the_same_without_a_script() {
    let app = TestApp::spawn();
    let response = app.get("/api/docs");
    assert_eq!(response.status(), 200);
    let html = response.text().expect("a page");
    for part in [
        "API reference",
        "id=\"createBooking\"",
        "<code>/api/v1/events/{slug}/availability</code>",
        "id=\"type-NewBooking\"",
        "id=\"problem-not-enough-tickets\"",
        "Idempotency-Key",
        "<code>/api/tickets</code>",
        "<span class=\"muted\">POST, PUT, PATCH, DELETE</span>",
    ] {
        assert!(html.contains(part), "{part}");
    }
    // A type that is composed of others has all of their fields, and examples are complete.
    let ticket_type = between(&html, "id=\"type-TicketType\"", "</article>");
    for field in ["<code>maxPerPerson</code>", "<code>salesEndAt</code><br><span class=\"muted\">optional"] {
        assert!(ticket_type.contains(field), "{field}\n{ticket_type}");
    }
    let concerts = between(&html, "id=\"listEvents\"", "</article>");
    for part in ["&#34;maxPerBooking&#34;: 10", "&#34;state&#34;: &#34;published&#34;"] {
        assert!(concerts.contains(part), "{part}\n{concerts}");
    }
    assert!(!concerts.contains("&#34;ticketTypes&#34;: [\n        null"), "{concerts}");
    // The example of a concert is not repeated for each operation that returns it.
    assert_eq!(html.matches("&#34;accessibility&#34;:").count(), 4, "in a list, alone, and in two requests");
    assert!(html.len() < 125_000, "{}", html.len());
    // Every link to an anchor on the page has a target.
    for id in html.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(html.contains(&format!("id=\"{id}\"")), "{id}");
    }
    assert!(!html.contains("<style") && !html.contains(" style="));
}
