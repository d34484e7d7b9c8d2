//! Programs are counted by their token or their address. Nothing exists at `/api/events`, so a request that is let
//! through gets 404.

use techkraft::guard::api_tokens::ApiTokens;

use super::{client_at, passes, rates, send};
use crate::support::{TestApp, header};

const ADA: &str = "3f0c4b1d9a7e46c2b85d0e1f2a3b4c5d";
const BOB: &str = "b61d2e8f0c3a4f5e97a8b9cadbecfd0e";

fn app() -> TestApp {
    let mut tokens = ApiTokens::default();
    tokens.add("ada", ADA).expect("a token");
    tokens.add("bob", BOB).expect("a token");
    let rates = techkraft::guard::limits::Rates {
        api: "3/hour".parse().expect("a rate"),
        api_token: "5/hour".parse().expect("a rate"),
        ..rates()
    };
    TestApp::spawn_with(|config| {
        config.rate_limits = Some(rates);
        config.api_tokens = tokens;
    })
}

#[test]
fn each_token_has_its_own_count_wherever_it_comes_from() {
    let app = app();
    let ask = |from: &str, token: &str| client_at(from).get(app.url("/api/events")).bearer_auth(token);
    let mut from = ["127.0.0.1", "127.0.0.2", "127.0.0.3"].iter().cycle();
    assert_eq!(passes(|| ask(from.next().expect("a cycle"), ADA)), 5);
    assert_eq!(passes(|| ask("127.0.0.1", BOB)), 5);
    assert_eq!(passes(|| app.client.get(app.url("/api/events"))), 3, "no token: the address counts");
    let refused = send(ask("127.0.0.1", ADA));
    assert_eq!(header(&refused, "content-type"), "application/problem+json");
    assert_eq!(header(&refused, "retry-after"), "720");
    let problem: serde_json::Value = refused.json().expect("JSON");
    assert_eq!((&problem["status"], &problem["title"]), (&429.into(), &"Too Many Requests".into()));
}

#[test]
fn a_token_that_nobody_knows_is_refused_and_counted_by_address() {
    let app = app();
    let mut number = 0;
    let mut guess = || {
        number += 1;
        app.client.get(app.url("/api/events")).bearer_auth(format!("{number:032x}"))
    };
    let answer = send(guess());
    assert_eq!(answer.status(), 401);
    assert_eq!(header(&answer, "www-authenticate"), "Bearer error=\"invalid_token\"");
    assert_eq!(header(&answer, "content-type"), "application/problem+json");
    assert!(!header(&answer, "content-security-policy").is_empty());
    assert_eq!(passes(&mut guess), 2);
    assert_eq!(send(app.client.get(app.url("/api/events"))).status(), 429, "the same address");
    // A client with a valid token is still served, also from that address.
    assert_eq!(send(app.client.get(app.url("/api/events")).bearer_auth(ADA)).status(), 404);
    // Outside the API, a token is ignored.
    assert_eq!(send(app.client.get(app.url("/")).bearer_auth("unknown")).status(), 200);
}

#[test]
fn a_program_is_told_how_much_is_left() {
    let app = app();
    for left in ["r=4;t=720", "r=3;t=1440", "r=2;t=2160"] {
        let answer = send(app.client.get(app.url("/api/events")).bearer_auth(ADA));
        assert_eq!(header(&answer, "ratelimit-policy"), "\"api-token\";q=5;w=3600");
        assert_eq!(header(&answer, "ratelimit"), format!("\"api-token\";{left}"));
    }
    let answer = send(app.client.get(app.url("/api/events")));
    assert_eq!(header(&answer, "ratelimit"), "\"api\";r=2;t=1200");
    assert_eq!(header(&send(app.client.get(app.url("/"))), "ratelimit"), "", "pages need no such thing");
}

#[test]
fn unknown_tokens_are_refused_also_without_limits() {
    let app = TestApp::spawn();
    for _ in 0..20 {
        assert_eq!(send(app.client.get(app.url("/api/events")).bearer_auth(ADA)).status(), 401);
        assert_eq!(send(app.client.get(app.url("/api/events"))).status(), 404);
    }
}

#[test]
fn api_bookings_without_a_token_share_the_sites_limits() {
    let mut tokens = ApiTokens::default();
    tokens.add("ada", ADA).expect("a token");
    let app = TestApp::spawn_with(|config| {
        config.rate_limits =
            Some(techkraft::guard::limits::Rates { bookings: "2/hour".parse().expect("a rate"), ..rates() });
        config.api_tokens = tokens;
    });
    let v1 = || app.client.post(app.url("/api/v1/bookings")).json(&serde_json::json!({}));
    assert_eq!(send(v1()).status(), 400);
    assert_eq!(app.post("/bookings", &[("ticket_type", "0")]).status(), 404);
    let refused = send(v1());
    assert_eq!((refused.status().as_u16(), header(&refused, "retry-after")), (429, "1800"));
    assert_eq!(header(&refused, "content-type"), "application/problem+json");
    let first = send(app.client.post(app.url("/api/bookings")).json(&serde_json::json!({})));
    assert_eq!(first.status(), 429);
    assert!(first.json::<serde_json::Value>().expect("JSON")["error"].is_string());
    assert_eq!(send(app.client.get(app.url("/api/tickets"))).status(), 200, "looking is not booking");
    assert_eq!(send(v1().bearer_auth(ADA)).status(), 400, "a token has a count of its own");
}
