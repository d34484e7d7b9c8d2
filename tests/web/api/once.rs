//! `Idempotency-Key`: the same order sent again returns the same booking.

use std::collections::HashSet;
use std::sync::Barrier;
use std::thread;

use serde_json::{Value, json};
use techkraft::guard::api_tokens::ApiTokens;

use crate::support::{TestApp, browser};

const KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";
const TOKEN: &str = "3f0c4b1d9a7e46c2b85d0e1f2a3b4c5d";

#[test]
fn the_same_key_is_answered_with_the_same_booking() {
    let app = TestApp::spawn();
    let booking = app.book_by_program(KEY, "VIP", 2);
    assert_eq!(app.book_by_program(KEY, "VIP", 2), booking);
    assert_eq!(app.book_by_program(&format!("\"{KEY}\""), "VIP", 2), booking, "as the draft writes it");
    let other = app.post_booking(KEY, &app.new_booking("VIP", 3));
    assert_eq!(other.status(), 422);
    let problem: Value = other.json().expect("JSON");
    assert_eq!(problem["type"], "/api/docs#problem-idempotency-key-reused");
    assert!(!problem.to_string().contains(booking["token"].as_str().expect("a text")), "it may be anybody's");
    assert_eq!(app.database.tier("VIP").sold, 2);
}

#[test]
fn a_key_must_be_there_and_be_a_good_one() {
    let app = TestApp::spawn();
    let body = app.new_booking("VIP", 1);
    let post = || browser().post(app.url("/api/v1/bookings")).json(&body);
    let twice = post().header("idempotency-key", KEY).header("idempotency-key", KEY);
    for (request, kind) in [
        (post(), "missing"),
        (post().header("idempotency-key", ""), "invalid"),
        (post().header("idempotency-key", "short"), "invalid"),
        (post().header("idempotency-key", "x".repeat(256)), "invalid"),
        (post().header("idempotency-key", format!("\"{KEY}")), "invalid"),
        (twice, "invalid"),
    ] {
        let response = request.send().expect("an answer");
        assert_eq!(response.status(), 400);
        let problem: Value = response.json().expect("JSON");
        assert_eq!(problem["type"], format!("/api/docs#problem-idempotency-key-{kind}"));
    }
    assert_eq!(app.count("bookings"), 0);
}

#[test]
fn each_token_has_its_keys_to_itself() {
    let mut tokens = ApiTokens::default();
    tokens.add("shop", TOKEN).expect("a token");
    let app = TestApp::spawn_with(|config| config.api_tokens = tokens);
    app.book_by_program(KEY, "VIP", 1);
    let post = browser().post(app.url("/api/v1/bookings")).bearer_auth(TOKEN).header("idempotency-key", KEY);
    let response = post.json(&app.new_booking("VIP", 2)).send().expect("an answer");
    assert_eq!((response.status().as_u16(), app.count("bookings")), (201, 2));
}

/// Ten orders, each sent by eight clients at once, to two servers. Seen to fail with a new request key for each call
/// instead of the header's: 80 bookings were made.
#[test]
fn eighty_calls_with_ten_keys_are_ten_bookings() {
    let public_url = || Some("http://tickets.example.org".to_owned());
    let app = TestApp::spawn_with(|config| config.public_url = public_url());
    let other = app.another_server_with(|config| config.public_url = public_url());
    let id = app.tier_id("General Admission");
    let barrier = Barrier::new(80);
    let answers: Vec<(usize, u16, Value)> = thread::scope(|scope| {
        let calls: Vec<_> = (0..80_usize)
            .map(|call| {
                let (barrier, id) = (&barrier, &id);
                let server = if call % 2 == 0 { app.address } else { other.address };
                scope.spawn(move || {
                    let number = call / 8;
                    let body = json!({ "ticketTypeId": id, "quantity": 1 + number % 3, "name": "Ada Lovelace",
                        "email": format!("ada-{number}@example.org") });
                    let post = browser().post(format!("http://{server}/api/v1/bookings"));
                    let post =
                        post.header("idempotency-key", format!("booking-number-{number:03}")).json(&body);
                    barrier.wait();
                    let response = post.send().expect("an answer");
                    (number, response.status().as_u16(), response.json().expect("JSON"))
                })
            })
            .collect();
        calls.into_iter().map(|call| call.join().expect("a call")).collect()
    });
    assert!(answers.iter().all(|(_, status, _)| *status == 201), "{answers:?}");
    let distinct: HashSet<String> = answers.iter().map(|(number, _, it)| format!("{number} {it}")).collect();
    assert_eq!((distinct.len(), app.count("bookings")), (10, 10), "the same answer to each");
    assert_eq!(
        app.database.tier("General Admission").sold,
        (0..10).map(|number| 1 + number % 3).sum::<i64>()
    );
    app.database.assert_books_balance();
}
