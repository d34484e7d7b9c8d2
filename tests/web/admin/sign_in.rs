//! Signing in and out.

use std::sync::Barrier;
use std::thread;

use argon2::password_hash::PasswordHasher as _;
use argon2::{Algorithm, Argon2, Params, Version};

use super::{audit, audited};
use crate::support::{TestApp, browser, header};

#[test]
fn signing_in_opens_it_and_signing_out_closes_it_everywhere() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.book_well("Front Row", 3);
    let page = organizer.get(app.url("/admin")).send().expect("an answer");
    assert_eq!(header(&page, "cache-control"), "private, no-store");
    let html = page.text().expect("a page");
    for text in ["Front Row", "$150.00", "ada<wbr>@example.org", "data-label=\"Available\">197</td>"] {
        assert!(html.contains(text), "{text}\n{html}");
    }
    let fragment =
        organizer.get(app.url("/admin/sales")).header("HX-Request", "true").send().expect("an answer");
    let fragment = fragment.text().expect("a fragment");
    assert!(fragment.contains("id=\"sales\"") && !fragment.contains("<html"));

    let response = organizer.post(app.url("/admin/sign-out")).send().expect("an answer");
    assert_eq!(header(&response, "location"), "/admin/sign-in");
    assert_eq!(header(&response, "clear-site-data"), "\"cache\"", "the button back shows no page");
    assert_eq!(organizer.get(app.url("/admin")).send().expect("an answer").status(), 303);
}

#[test]
fn the_session_cookie_is_closed() {
    let app = TestApp::spawn();
    let response = app.sign_in(&browser(), &app.admin_password);
    let cookie = header(&response, "set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && cookie.contains("Path=/"));
}

#[test]
fn strange_names_are_wrong_names() {
    let app = TestApp::spawn();
    for name in ["", "nobody", "a\0b", "' OR 1=1 --", &"x".repeat(5_000)] {
        let response = app.post("/admin/sign-in", &[("username", name), ("password", &app.admin_password)]);
        assert_eq!(response.status(), 422, "{name:?}");
    }
}

#[test]
fn a_name_is_found_however_it_is_typed() {
    let app = TestApp::spawn();
    for name in ["Admin", " admin ", "ADMIN\t"] {
        assert_eq!(app.sign_in_as(&browser(), name, &app.admin_password).status(), 303, "{name:?}");
    }
}

#[test]
fn nobody_learns_which_accounts_there_are() {
    let app = TestApp::spawn();
    let page = |username: &str| {
        let response = app.post("/admin/sign-in", &[("username", username), ("password", "a guess")]);
        let status = response.status().as_u16();
        (status, response.text().expect("a page").replace(&format!("value=\"{username}\""), ""))
    };
    for _ in 0..4 {
        let (known, unknown) = (page("admin"), page("nobody"));
        assert_eq!(known.0, 422);
        assert_eq!(known, unknown);
    }
    let refused = audited(&app, "sign-in failed");
    let actors: Vec<&str> = refused.iter().map(|(actor, ..)| actor.as_str()).collect();
    assert_eq!(actors, ["admin", "unknown account"].repeat(4));
    assert!(audit(&app).iter().all(|entry| !format!("{entry:?}").contains("nobody")), "names are not kept");
}

#[test]
fn an_old_password_hash_is_upgraded_at_the_next_sign_in() {
    let app = TestApp::spawn();
    let weak = Params::new(8 * 1024, 1, 1, None).expect("parameters");
    let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, weak);
    let old = weak.hash_password(app.admin_password.as_bytes()).expect("a hash").to_string();
    app.database.execute(&format!("UPDATE admins SET password_hash = '{old}'"));
    let hash = || app.database.rows::<Hash>("SELECT password_hash FROM admins").remove(0).password_hash;

    assert_eq!(app.sign_in(&browser(), "a guess").status(), 422);
    assert_eq!(hash(), old, "a wrong password changes nothing");
    app.organizer();
    let new = hash();
    assert!(new.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{new}");
    app.organizer();
    assert_eq!(hash(), new, "one of today's is left alone");
}

#[derive(diesel::QueryableByName)]
struct Hash {
    #[diesel(sql_type = diesel::sql_types::Text)]
    password_hash: String,
}

#[test]
fn a_crowd_of_sign_ins_waits_in_a_short_queue() {
    let app = TestApp::spawn();
    let barrier = Barrier::new(24);
    let answers: Vec<(u16, String, String)> = thread::scope(|scope| {
        let guess = || {
            let client = browser();
            barrier.wait();
            let response = app.sign_in(&client, "a guess");
            let retry_after = header(&response, "retry-after").to_owned();
            (response.status().as_u16(), retry_after, response.text().expect("a page"))
        };
        let guesses: Vec<_> = (0..24).map(|_| scope.spawn(guess)).collect();
        guesses.into_iter().map(|guess| guess.join().expect("an answer")).collect()
    });
    let of = |status| answers.iter().filter(move |answer| answer.0 == status);
    assert!(of(503).count() > 0, "{answers:?}");
    assert_eq!(of(422).count() + of(429).count() + of(503).count(), 24);
    for (_, retry_after, html) in of(503) {
        assert_eq!(retry_after, "2");
        assert!(
            html.contains("We couldn’t check your password right now") && html.contains("value=\"admin\""),
            "{html}"
        );
    }
    assert_eq!(
        audited(&app, "sign-in failed").len(),
        of(422).count(),
        "only checked attempts are in the log"
    );
}

#[test]
fn sign_ins_and_sign_outs_are_audited() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    organizer.post(app.url("/admin/sign-out")).send().expect("an answer");
    // A client that is not signed in signs nobody out.
    organizer.post(app.url("/admin/sign-out")).send().expect("an answer");
    let entries: Vec<_> =
        audit(&app).into_iter().map(|it| (it.actor, it.action, it.client_address)).collect();
    let entry = |actor: &str, action: &str, address: &str| (actor.into(), action.into(), address.into());
    assert_eq!(
        entries,
        [
            entry("command line", "account made", ""),
            entry("admin", "signed in", "127.0.0.1"),
            entry("admin", "signed out", "127.0.0.1"),
        ]
    );
}
