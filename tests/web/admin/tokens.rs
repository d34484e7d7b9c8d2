//! The API tokens that the owner creates.

use std::sync::Barrier;
use std::thread;

use chrono::Utc;
use reqwest::blocking::Client;
use techkraft::audit::Actor;
use techkraft::auth::api_token::{NewSiteToken, TOKENS_MAX};
use techkraft::auth::store::api_tokens;
use techkraft::db::{Database, DatabaseUrl};
use techkraft::guard::api_tokens::scopes::Scopes;
use testkit::wait::eventually;

use super::audited;
use super::concerts::post;
use crate::support::orders::retry_while_busy;
use crate::support::{TestApp, between, header};

/// Makes a token on the page, and returns it.
pub(crate) fn make_token(app: &TestApp, organizer: &Client, name: &str, scopes: &[&str]) -> String {
    let mut form = vec![("name", name), ("expires", "90"), ("password", &app.admin_password)];
    form.extend(scopes.iter().map(|scope| (*scope, "true")));
    let made = post(app, organizer, "/admin/tokens", &form);
    assert_eq!((made.status().as_u16(), header(&made, "location")), (303, "/admin/tokens"));
    between(&tokens_page(app, organizer), "api-token__secret\"><code>", "</code>").to_owned()
}

fn tokens_page(app: &TestApp, organizer: &Client) -> String {
    organizer.get(app.url("/admin/tokens")).send().expect("an answer").text().expect("a page")
}

fn status_with(app: &TestApp, token: &str, path: &str) -> u16 {
    app.client.get(app.url(path)).bearer_auth(token).send().expect("an answer").status().as_u16()
}

#[test]
fn a_token_is_shown_once_and_kept_as_a_hash() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let token = make_token(&app, &organizer, "Website", &["events:read", "bookings:write"]);
    assert!(token.starts_with("tk_") && token.len() == 46, "{token}");
    let later = tokens_page(&app, &organizer);
    assert!(!later.contains(&token) && later.contains("Website"), "{later}");
    assert!(later.contains("events:read bookings:write") && later.contains("Never used."), "{later}");
    assert_eq!(app.count(&format!("api_tokens WHERE token_hash = '{token}'")), 0);
    assert_eq!(app.count("api_tokens WHERE length(token_hash) = 64 AND created_by = 'admin'"), 1);
    assert_eq!(audited(&app, "API token made").len(), 1);

    // The use of a token is recorded a moment later.
    assert_eq!(status_with(&app, &token, "/api/v1/events"), 200);
    eventually("the use is noted", || app.count("api_tokens WHERE last_used_at IS NOT NULL") == 1);
    assert!(tokens_page(&app, &organizer).contains("Last used "));

    let id = between(&later, "action=\"/admin/tokens/", "/revocation").to_owned();
    let path = format!("/admin/tokens/{id}/revocation");
    assert_eq!(post(&app, &organizer, &path, &[]).status(), 303);
    // A revoked token is an error even where no token is needed: it is not treated like a missing one.
    for path in ["/api/v1/events", "/api/tickets"] {
        assert_eq!(status_with(&app, &token, path), 401, "{path}");
    }
    assert_eq!(post(&app, &organizer, &path, &[]).status(), 303);
    assert_eq!(audited(&app, "API token revoked").len(), 1, "once");
    assert!(tokens_page(&app, &organizer).contains("Revoked "));
}

#[test]
fn what_is_wrong_with_a_token_is_said_beside_its_field() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let long = "x".repeat(61);
    for (form, words) in [
        (vec![("name", ""), ("events:read", "true"), ("expires", "30")], "Name the program"),
        (vec![("name", long.as_str()), ("events:read", "true"), ("expires", "30")], "60 characters or fewer"),
        (vec![("name", "a\u{202e}b"), ("events:read", "true"), ("expires", "30")], "invisible"),
        (vec![("name", "Shop"), ("expires", "30")], "Choose what it may do."),
        (vec![("name", "Shop"), ("events:read", "true"), ("expires", "31")], "Choose one from the list."),
    ] {
        let refused = post(&app, &organizer, "/admin/tokens", &form);
        assert_eq!(refused.status(), 422, "{form:?}");
        let page = refused.text().expect("a page");
        assert!(page.contains(words) && page.contains(&format!("value=\"{}\"", form[0].1)), "{page}");
    }
    // Seen to fail without the check of the password: 303.
    let form = [("name", "Shop"), ("events:read", "true"), ("expires", "30"), ("password", "a guess")];
    let refused = post(&app, &organizer, "/admin/tokens", &form);
    assert_eq!(refused.status(), 422);
    let page = refused.text().expect("a page");
    assert!(page.contains("Wrong password. No token was made.") && page.contains("value=\"Shop\""), "{page}");
    assert!(
        page.contains("name=\"events:read\" value=\"true\" checked") && !page.contains("a guess"),
        "{page}"
    );
    assert_eq!(audited(&app, "password refused").len(), 1);
    assert_eq!(app.count("api_tokens"), 0);
    let stranger =
        app.client.post(app.url("/admin/tokens")).form(&[("name", "x")]).send().expect("an answer");
    assert!(stranger.status() != 200 && app.count("api_tokens") == 0);
}

#[test]
fn a_token_ends_when_it_expires() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let token = make_token(&app, &organizer, "Website", &["events:read"]);
    assert_eq!(app.count("api_tokens WHERE expires_at IS NOT NULL"), 1);
    app.database.execute("UPDATE api_tokens SET expires_at = created_at");
    // The server has read the token a moment ago, and reads it again within a second.
    eventually("it is expired", || status_with(&app, &token, "/api/v1/events") == 401);
    assert!(tokens_page(&app, &organizer).contains("Expired "));
}

#[test]
fn of_tokens_that_are_made_at_once_none_is_one_too_many() {
    let app = TestApp::spawn();
    let row = |number: i64| format!("('Old', 'old {number}', '', 'admin', CURRENT_TIMESTAMP)");
    let rows: Vec<String> = (1..TOKENS_MAX).map(row).collect();
    let columns = "name, token_hash, scopes, created_by, created_at";
    app.database.execute(&format!("INSERT INTO api_tokens ({columns}) VALUES {}", rows.join(", ")));
    let url = DatabaseUrl::parse(&app.database.url).expect("a URL");
    let (database, start) = (&Database::open(&url, 4).expect("it opens"), &Barrier::new(4));
    thread::scope(|scope| {
        for number in 0..4 {
            scope.spawn(move || {
                let (hash, owner) = (format!("new {number}"), Actor::command_line());
                let scopes = Scopes::parse("events:read");
                let new = NewSiteToken { name: "New".into(), scopes, expires_at: None };
                let now = Utc::now().naive_utc();
                start.wait();
                retry_while_busy(|| {
                    database.write_blocking(|db| api_tokens::create(db, &new, &hash, &owner, now))
                });
            });
        }
    });
    assert_eq!((app.count("api_tokens"), audited(&app, "API token made").len()), (TOKENS_MAX, 1));
}
