//! Tokens do only what they were made for, and simultaneous changes lose nothing.

use std::thread;

use reqwest::blocking::Response;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::Program;
use crate::support::{TestApp, header};

/// Each of several simultaneous changes sets one field. Seen to fail without the version: each change wrote all
/// fields, and overwrote what others had changed.
#[test]
fn changes_at_the_same_time_lose_nothing() {
    let app = TestApp::spawn();
    let program = Program::new(&app, &["events:write"]);
    let slug = program.draft("Night");
    let path = format!("/{slug}");
    let fields = ["tagline", "venue", "address", "city"];
    thread::scope(|scope| {
        for field in fields {
            let (program, path) = (&program, &path);
            scope.spawn(move || {
                loop {
                    let (status, event) = program.send(Method::PATCH, path, &json!({ field: field }));
                    if status != 412 {
                        assert_eq!(status, 200, "{event}");
                        break;
                    }
                }
            });
        }
    });
    let event = program.get(&path);
    for field in fields {
        assert_eq!(event[field], field, "{event}");
    }
    assert_eq!(event["name"], "Night");

    // A change that names a version applies to that version only.
    let shown = program.request(Method::GET, &path).send().expect("an answer");
    let tag = header(&shown, "etag").to_owned();
    let change = |tag: &str, city: &str| {
        program.request(Method::PATCH, &path).header("if-match", tag).json(&json!({ "city": city })).send()
    };
    let changed = |answer: Result<Response, _>| -> (u16, String) {
        let answer: Response = answer.map_err(|e: reqwest::Error| e).expect("an answer");
        (answer.status().as_u16(), header(&answer, "etag").to_owned())
    };
    let (status, newer) = changed(change(&tag, "Bergen"));
    assert!(status == 200 && newer != tag);
    assert_eq!(changed(change(&tag, "Oslo")).0, 412);
    assert_eq!(changed(change("W/nonsense", "Oslo")).0, 422);
    assert_eq!(program.get(&path)["city"], "Bergen");
    assert_eq!(changed(change(&newer, "Oslo")).0, 200);
}

#[test]
fn each_token_does_what_it_was_made_for_and_no_more() {
    let app = TestApp::spawn();
    let writer = Program::new(&app, &["events:write"]);
    let slug = writer.draft("Owls");
    let reader = Program::new(&app, &["events:read"]);
    let booker = Program::new(&app, &["bookings:write"]);
    assert_eq!(reader.act(Method::GET, &format!("/{slug}")).0, 200);
    assert_eq!(booker.act(Method::GET, &format!("/{slug}")).0, 404);
    assert!(!booker.get("").to_string().contains(&slug));
    let (_, ticket_type) = writer.send(
        Method::POST,
        &format!("/{slug}/ticket-types"),
        &json!({ "name": "Pit", "price": { "cents": 900 }, "capacity": 9 }),
    );
    let ticket_type = format!("/{slug}/ticket-types/{}", ticket_type["id"].as_str().expect("an id"));
    assert_eq!(reader.act(Method::GET, &ticket_type).0, 200);
    assert_eq!(booker.act(Method::GET, &ticket_type).0, 403);
    let path = format!("/{slug}");
    for (method, path) in [
        (Method::POST, ""),
        (Method::PATCH, path.as_str()),
        (Method::POST, &format!("{path}/publication")),
        (Method::DELETE, &format!("{path}/publication")),
        (Method::POST, &format!("{path}/pause")),
        (Method::DELETE, &format!("{path}/pause")),
        (Method::POST, &format!("{path}/archive")),
        (Method::DELETE, &format!("{path}/archive")),
        (Method::POST, &format!("{path}/ticket-types")),
        (Method::PATCH, &format!("{path}/ticket-types/1")),
    ] {
        for program in [&reader, &booker] {
            let refused = program.request(method.clone(), path).json(&json!({})).send().expect("an answer");
            assert_eq!(refused.status(), 403, "{method} {path}");
            let wanted = "Bearer error=\"insufficient_scope\", scope=\"events:write\"";
            assert_eq!(header(&refused, "www-authenticate"), wanted);
        }
        let url = app.url(&format!("/api/v1/events{path}"));
        let none = app.client.request(method.clone(), url).json(&json!({})).send().expect("an answer");
        assert_eq!(
            (none.status().as_u16(), header(&none, "www-authenticate")),
            (401, "Bearer"),
            "{method} {path}"
        );
    }
    assert_eq!(writer.get(&path)["state"], "draft");

    let book = |program: &Program, key: &str| {
        let post = app.client.post(app.url("/api/v1/bookings")).header("idempotency-key", key);
        post.bearer_auth(&program.token).json(&app.new_booking("VIP", 1)).send().expect("an answer").status()
    };
    let key = "8e03978e-40d5-43dd-bc93-6894a57f9324";
    assert_eq!(
        (book(&reader, key), book(&writer, key), book(&booker, key)),
        (StatusCode::FORBIDDEN, StatusCode::FORBIDDEN, StatusCode::CREATED)
    );
}
