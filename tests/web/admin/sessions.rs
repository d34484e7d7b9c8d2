//! How sessions begin and end.

use std::thread;
use std::time::Duration;

use reqwest::blocking::{Client, Response};
use reqwest::header::COOKIE;

use super::{audited, count, minutes_ago};
use crate::support::{TestApp, between, browser, header};
use testkit::wait::eventually;

fn get(app: &TestApp, client: &Client, path: &str) -> Response {
    client.get(app.url(path)).send().expect("an answer")
}

fn is_in(app: &TestApp, client: &Client) -> bool {
    get(app, client, "/admin").status() == 200
}

/// The cookie of a session, as a browser sends it.
fn session_cookie(response: &Response) -> String {
    let cookies = response.headers().get_all("set-cookie").iter();
    let cookie = cookies.map(|cookie| cookie.to_str().expect("text")).find(|it| it.starts_with("session="));
    cookie.expect("a session").split(';').next().expect("a pair").to_owned()
}

fn opens(app: &TestApp, cookie: &str) -> bool {
    let request = browser().get(app.url("/admin")).header(COOKIE, cookie);
    request.send().expect("an answer").status() == 200
}

fn end(app: &TestApp, client: &Client, session: &str, password: &str) -> Response {
    let form = [("session", session), ("password", password)];
    client.post(app.url("/admin/account")).form(&form).send().expect("an answer")
}

/// The answer leads to the sign-in, and the browser forgets the session and the pages that it has shown.
fn assert_signed_out(response: &Response) {
    assert_eq!(header(response, "location"), "/admin/sign-in");
    assert_eq!(header(response, "clear-site-data"), "\"cache\"");
    assert_eq!(session_cookie(response), "session=");
}

#[test]
fn each_sign_in_makes_a_new_session_and_ends_the_one_it_finds() {
    let app = TestApp::spawn();
    let client = browser();
    let first = session_cookie(&app.sign_in(&client, &app.admin_password));
    assert!(opens(&app, &first));
    let second = session_cookie(&app.sign_in(&client, &app.admin_password));
    assert_ne!(first, second);
    assert!(opens(&app, &second) && !opens(&app, &first), "the one of before is over");

    // The organizer does not get a session that an attacker has planted in the browser.
    let attackers = session_cookie(&app.sign_in(&browser(), &app.admin_password));
    let form = [("username", "admin"), ("password", app.admin_password.as_str())];
    let planted = browser().post(app.url("/admin/sign-in")).header(COOKIE, &attackers).form(&form);
    let theirs = session_cookie(&planted.send().expect("an answer"));
    assert_ne!(theirs, attackers);
    assert!(opens(&app, &theirs) && !opens(&app, &attackers));
}

#[test]
fn a_session_in_which_nothing_is_done_ends() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let idle_since = |minutes| {
        app.database.execute(&format!("UPDATE admin_sessions SET last_seen_at = {}", minutes_ago(minutes)));
    };
    idle_since(29);
    assert!(is_in(&app, &organizer));
    // Opening the page counted as activity: the session now has another 30 minutes.
    let seen_lately = format!("admin_sessions WHERE last_seen_at > {}", minutes_ago(1));
    eventually("it is noted", || count(&app, &seen_lately) > 0);
    idle_since(31);
    let poll = organizer.get(app.url("/admin/sales")).header("HX-Request", "true").send().expect("an answer");
    assert_eq!((poll.status().as_u16(), header(&poll, "hx-redirect")), (401, "/admin/sign-in"));
    assert!(!is_in(&app, &organizer));
    let told = get(&app, &organizer, "/admin/sign-in").text().expect("a page");
    assert!(told.contains("Your session has ended"), "{told}");
    let told = get(&app, &organizer, "/admin/sign-in").text().expect("a page");
    assert!(!told.contains("Your session has ended"), "once is enough");
}

#[test]
fn a_page_that_refreshes_itself_does_nothing() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let at = minutes_ago(20);
    app.database.execute(&format!("UPDATE admin_sessions SET last_seen_at = {at}"));
    for _ in 0..3 {
        let poll = organizer.get(app.url("/admin/sales")).header("HX-Request", "true").send();
        assert_eq!(poll.expect("an answer").status(), 200);
    }
    thread::sleep(Duration::from_millis(300));
    assert_eq!(count(&app, &format!("admin_sessions WHERE last_seen_at = {at}")), 1);
}

#[test]
fn a_session_ends_whatever_is_done() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let hours = |from: &str| count(&app, &format!("admin_sessions WHERE expires_at > {from}"));
    assert_eq!((hours(&minutes_ago(-11 * 60)), hours(&minutes_ago(-13 * 60))), (1, 0), "12 hours");
    app.database.execute(&format!("UPDATE admin_sessions SET expires_at = {}", minutes_ago(0)));
    assert!(!is_in(&app, &organizer));
    let page = get(&app, &app.organizer(), "/admin/account").text().expect("a page");
    assert_eq!(page.matches("Another browser").count(), 0, "what is over is not listed: {page}");
}

#[test]
fn sessions_of_the_release_before_go_on() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.database.execute("UPDATE admin_sessions SET last_seen_at = NULL, client_address = ''");
    assert!(is_in(&app, &organizer));
    assert!(get(&app, &organizer, "/admin/account").text().expect("a page").contains("This browser"));
    app.database
        .execute(&format!("UPDATE admin_sessions SET last_seen_at = NULL, created_at = {}", minutes_ago(31)));
    assert!(!is_in(&app, &organizer));
}

#[test]
fn the_account_lists_its_sessions_and_ends_one_or_all() {
    let app = TestApp::spawn();
    let (organizer, phone, laptop) = (app.organizer(), app.organizer(), app.organizer());
    let page = get(&app, &organizer, "/admin/account").text().expect("a page");
    assert_eq!((page.matches("This browser").count(), page.matches("Another browser").count()), (1, 2));
    assert_eq!(page.matches(" from 127.0.0.1").count(), 3, "{page}");
    let own = between(&page, "value=\"", "\"").len();
    assert_eq!(own, 16, "forms name sessions by what opens none");

    let phones = get(&app, &phone, "/admin/account").text().expect("a page");
    let its_row = phones.split("class=\"session\"").find(|row| row.contains("This browser")).expect("a row");
    let its_id = between(its_row, "value=\"", "\"").to_owned();
    let wrong = end(&app, &organizer, &its_id, "not the password");
    assert_eq!(wrong.status(), 422);
    let html = wrong.text().expect("a page");
    assert!(html.contains("No session was ended") && html.contains(&format!("value=\"{its_id}\" checked")));
    assert!(is_in(&app, &phone));
    assert_eq!(audited(&app, "password refused").len(), 1);

    assert_eq!(header(&end(&app, &organizer, &its_id, &app.admin_password), "location"), "/admin/account");
    assert!(is_in(&app, &organizer) && is_in(&app, &laptop) && !is_in(&app, &phone));
    assert_eq!(end(&app, &organizer, "0123456789abcdef", &app.admin_password).status(), 303);
    assert!(get(&app, &organizer, "/admin/account").text().expect("a page").contains("had already ended"));

    assert_signed_out(&end(&app, &organizer, "all", &app.admin_password));
    assert!(!is_in(&app, &organizer) && !is_in(&app, &laptop));
    assert_eq!(count(&app, "admin_sessions"), 0);
    assert_eq!(audited(&app, "session ended").len(), 1);
    let everywhere = ("admin".into(), String::new(), 2, "127.0.0.1".into());
    assert_eq!(audited(&app, "signed out everywhere"), [everywhere]);
}

#[test]
fn an_account_has_twenty_sessions_at_most() {
    let app = TestApp::spawn();
    let first = app.organizer();
    app.database.execute(&format!("UPDATE admin_sessions SET created_at = {}", minutes_ago(5)));
    let mut last = first.clone();
    for _ in 0..20 {
        last = app.organizer();
    }
    assert_eq!(count(&app, "admin_sessions"), 20);
    assert!(!is_in(&app, &first) && is_in(&app, &last), "the oldest goes");
}

/// Seen to fail without the renewal: the token stayed the same.
#[test]
fn the_password_again_renews_the_sessions_token() {
    let app = TestApp::spawn();
    let client = browser();
    let before = session_cookie(&app.sign_in(&client, &app.admin_password));
    let phone = app.organizer();
    let nothing = "0123456789abcdef";
    let wrong = end(&app, &client, nothing, "not the password");
    assert_eq!(wrong.status(), 422);
    assert!(opens(&app, &before), "a wrong password changes nothing");

    let after = session_cookie(&end(&app, &client, nothing, &app.admin_password));
    assert_ne!(before, after);
    assert!(opens(&app, &after) && !opens(&app, &before), "a token that was stolen before is over");
    assert!(is_in(&app, &client) && is_in(&app, &phone), "and nobody else is signed out");

    // The token is renewed on each page that asks for the password, whether or not the form is accepted.
    let password = app.admin_password.as_str();
    let mut last = after;
    for (path, form, status) in [
        ("/admin/gates", vec![("event", "midnight-parade"), ("gate", "North gate")], 303),
        ("/admin/gates", vec![("event", "midnight-parade"), ("gate", "north gate")], 409),
        ("/admin/tokens", vec![("name", "Shop"), ("events:read", "true"), ("expires", "30")], 303),
        ("/admin/team/second-factor", vec![], 303),
        ("/admin/team", vec![("email", "grace@example.org"), ("role", "gate")], 303),
        ("/admin/second-factor", vec![("act", "set-up"), ("code", "1")], 422),
        ("/admin/reseed", vec![("event_name", "Midnight Parade")], 303),
    ] {
        let mut form = form;
        form.push(("password", password));
        let response = client.post(app.url(path)).form(&form).send().expect("an answer");
        assert_eq!(response.status(), status, "{path}");
        let next = session_cookie(&response);
        assert!(opens(&app, &next) && !opens(&app, &last), "{path}");
        last = next;
    }
    // A session can end itself with the id that the page has shown.
    let page = get(&app, &client, "/admin/account").text().expect("a page");
    let row = page.split("class=\"session\"").find(|row| row.contains("This browser")).expect("a row");
    let own = between(row, "value=\"", "\"").to_owned();
    assert_signed_out(&end(&app, &client, &own, password));
    assert!(!is_in(&app, &client) && is_in(&app, &phone));
}
