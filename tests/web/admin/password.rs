//! Changing the password.

use reqwest::blocking::{Client, Response};

use super::{audited, count, prolong_waits};
use crate::support::{TestApp, browser, header};

const NEW: &str = "seven ladders under water";

fn change(app: &TestApp, client: &Client, current: &str, new: &str, repeated: &str) -> Response {
    let form = [("current_password", current), ("new_password", new), ("repeated_password", repeated)];
    client.post(app.url("/admin/password")).form(&form).send().expect("an answer")
}

#[test]
fn a_new_password_ends_all_other_sessions_and_the_old_password() {
    let app = TestApp::spawn();
    let (organizer, other) = (app.organizer(), app.organizer());
    let old_cookie = {
        let response = app.sign_in(&organizer, &app.admin_password);
        let cookies = response.headers().get_all("set-cookie").iter().map(|it| it.to_str().expect("text"));
        let session = cookies.into_iter().find(|it| it.starts_with("session=")).expect("a session");
        session.split(';').next().expect("a pair").to_owned()
    };
    let response = change(&app, &organizer, &app.admin_password, NEW, NEW);
    assert_eq!((response.status().as_u16(), header(&response, "location")), (303, "/admin/account"));
    let page = organizer.get(app.url("/admin/account")).send().expect("an answer");
    assert_eq!(page.status(), 200, "this browser stays in");
    assert!(page.text().expect("a page").contains("Your other session was ended"));
    assert_eq!(other.get(app.url("/admin")).send().expect("an answer").status(), 303);
    let with_old = browser().get(app.url("/admin")).header("cookie", old_cookie).send().expect("an answer");
    assert_eq!(with_old.status(), 303, "its token is a new one");
    assert_eq!(count(&app, "admin_sessions"), 1);

    assert_eq!(app.sign_in(&browser(), &app.admin_password).status(), 422);
    assert_eq!(app.sign_in(&browser(), NEW).status(), 303);
    let changed = ("admin".into(), "admin".into(), 1, "127.0.0.1".into());
    assert_eq!(audited(&app, "password changed"), [changed]);
}

#[test]
fn what_is_wrong_stands_beside_its_field_and_changes_nothing() {
    let app = TestApp::spawn();
    let (organizer, other) = (app.organizer(), app.organizer());
    let right = app.admin_password.as_str();
    for (current, new, repeated, field, says) in [
        ("", NEW, NEW, "current-password", "Enter your current password"),
        ("not the password", NEW, NEW, "current-password", "Wrong password"),
        (right, "short", "short", "new-password", "at least 15 characters"),
        (right, &"x".repeat(129), "", "new-password", "128 characters or fewer"),
        (right, "passwordpassword", "passwordpassword", "new-password", "easy to guess"),
        (right, right, right, "new-password", "s your current password"),
        (right, NEW, "seven ladders under Water", "repeated-password", "t match"),
        (right, NEW, "", "repeated-password", "t match"),
    ] {
        let response = change(&app, &organizer, current, new, repeated);
        assert_eq!(response.status(), 422, "{new}");
        let html = response.text().expect("a page");
        let error = format!("id=\"{field}-error\">");
        let message = html.split(&error).nth(1).and_then(|rest| rest.split('<').next());
        assert!(message.is_some_and(|message| message.contains(says)), "{field}, {says}: {html}");
        assert_eq!(html.matches("field__error").count(), 1, "{html}");
        for typed in [current, new, repeated] {
            assert!(typed.len() < 6 || !html.contains(typed), "what was typed is not sent back: {html}");
        }
    }
    assert_eq!(other.get(app.url("/admin")).send().expect("an answer").status(), 200);
    assert_eq!(app.sign_in(&browser(), right).status(), 303);
    assert_eq!(audited(&app, "password changed"), []);
    assert_eq!(audited(&app, "password refused").len(), 1, "only what was looked at");
}

#[test]
fn password_guesses_in_an_open_session_are_throttled() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    for _ in 0..4 {
        assert_eq!(change(&app, &organizer, "a guess", NEW, NEW).status(), 422);
    }
    prolong_waits(&app);
    let response = change(&app, &organizer, &app.admin_password, NEW, NEW);
    assert_eq!(response.status(), 429);
    assert!(header(&response, "retry-after").parse::<u32>().is_ok_and(|seconds| seconds >= 1));
    assert!(response.text().expect("a page").contains("Too many wrong passwords"));
    assert_eq!(audited(&app, "password changed"), []);
}
