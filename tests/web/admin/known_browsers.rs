//! How a browser in which the organizer has signed in before is treated, and for how long.

use reqwest::blocking::{Client, Response};
use reqwest::header::COOKIE;

use super::{count, prolong_waits};
use crate::support::{TestApp, browser};

const NEW: &str = "seven ladders under water";

/// The cookie of a known browser, as a browser sends it.
fn browser_cookie(response: &Response) -> String {
    let cookies = response.headers().get_all("set-cookie").iter();
    let cookie = cookies.map(|cookie| cookie.to_str().expect("text")).find(|it| it.starts_with("browser="));
    cookie.expect("a browser's cookie").split(';').next().expect("a pair").to_owned()
}

/// Whether guesses in a browser with this cookie are counted separately from all other guesses.
fn is_known(app: &TestApp, cookie: &str) -> bool {
    let known = || count(app, "sign_in_brakes WHERE key LIKE 'browser:%'");
    app.database.execute("DELETE FROM sign_in_brakes");
    let form = [("username", "admin"), ("password", "a guess")];
    let guess = browser().post(app.url("/admin/sign-in")).header(COOKIE, cookie).form(&form);
    assert_eq!(guess.send().expect("an answer").status(), 422);
    let is_known = known() == 1;
    app.database.execute("DELETE FROM sign_in_brakes");
    is_known
}

fn post(app: &TestApp, client: &Client, path: &str, form: &[(&str, &str)]) -> Response {
    client.post(app.url(path)).form(form).send().expect("an answer")
}

#[test]
fn a_known_browser_is_one_until_the_password_changes() {
    let app = TestApp::spawn();
    let (thiefs, organizer) = (browser(), browser());
    let stolen = browser_cookie(&app.sign_in(&thiefs, &app.admin_password));
    app.sign_in(&organizer, &app.admin_password);
    assert!(is_known(&app, &stolen));
    let form = [
        ("current_password", app.admin_password.as_str()),
        ("new_password", NEW),
        ("repeated_password", NEW),
    ];
    let changed = post(&app, &organizer, "/admin/password", &form);
    assert_eq!(changed.status(), 303);
    assert!(!is_known(&app, &stolen), "one that was copied before is over");
    assert!(is_known(&app, &browser_cookie(&changed)), "the organizer's own goes on");
}

#[test]
fn signing_out_everywhere_forgets_all_browsers() {
    let app = TestApp::spawn();
    let organizer = browser();
    let cookie = browser_cookie(&app.sign_in(&organizer, &app.admin_password));
    assert!(is_known(&app, &cookie));
    // Signing out in this browser alone does not forget it.
    post(&app, &organizer, "/admin/sign-out", &[]);
    assert!(is_known(&app, &cookie));
    app.sign_in(&organizer, &app.admin_password);
    let form = [("session", "all"), ("password", app.admin_password.as_str())];
    assert_eq!(post(&app, &organizer, "/admin/account", &form).status(), 303);
    assert!(!is_known(&app, &cookie));
    let again = app.sign_in(&organizer, &app.admin_password);
    assert_eq!(again.status(), 303, "the password is the same");
    assert!(is_known(&app, &browser_cookie(&again)));
}

/// Guesses in a browser that is no longer known are slowed like any other guesses, and have no counter of their own.
#[test]
fn a_browser_that_is_over_is_slowed_like_any_other() {
    let app = TestApp::spawn();
    let cookie = browser_cookie(&app.sign_in(&browser(), &app.admin_password));
    app.database.execute("UPDATE admins SET password_hash = password_hash || ' '");
    let guess = || {
        let form = [("username", "admin"), ("password", "a guess")];
        let guess = browser().post(app.url("/admin/sign-in")).header(COOKIE, &cookie).form(&form);
        guess.send().expect("an answer").status().as_u16()
    };
    for _ in 0..4 {
        assert_eq!(guess(), 422);
    }
    prolong_waits(&app);
    assert_eq!(guess(), 429);
    assert_eq!(count(&app, "sign_in_brakes WHERE key LIKE 'browser:%'"), 0);
}
