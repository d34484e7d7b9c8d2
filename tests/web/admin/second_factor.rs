//! The second factor: set up, asked for at the sign-in, used once, throttled, recovered, required and reset.

use std::thread;

use chrono::Utc;
use reqwest::blocking::{Client, Response};
use techkraft::auth::totp::TotpSecret;

use super::{audited, prolong_waits};
use crate::command_line::techkraft;
use crate::support::{TestApp, between, browser, header};

const URL: &str = "/admin/second-factor";

/// The code that an authenticator app shows `apart` steps from now.
fn code(secret: &TotpSecret, apart: i64) -> String {
    code_at(secret, Utc::now().timestamp() / 30 + apart)
}

fn code_at(secret: &TotpSecret, step: i64) -> String {
    format!("{:06}", secret.code(step))
}

fn get(app: &TestApp, client: &Client, path: &str) -> Response {
    client.get(app.url(path)).send().expect("an answer")
}

fn page(app: &TestApp, client: &Client, path: &str) -> String {
    get(app, client, path).text().expect("a page")
}

fn post(app: &TestApp, client: &Client, path: &str, form: &[(&str, &str)]) -> Response {
    client.post(app.url(path)).form(form).send().expect("an answer")
}

/// The secret that the page offers to an app, and the sealed field that the form sends back with the first code.
fn offered(html: &str) -> (TotpSecret, String) {
    let shown = between(html, "<p class=\"secret\"><code>", "</code>").replace(' ', "");
    let sealed = between(html, "name=\"secret\" value=\"", "\"").replace("&#43;", "+").replace("&#x2B;", "+");
    (TotpSecret::from_base32(&shown).expect("a secret"), sealed)
}

/// Sets up the second factor in this browser. Returns the app's secret, the recovery codes, and the step of the code.
fn set_up(app: &TestApp, client: &Client) -> (TotpSecret, Vec<String>, i64) {
    let (secret, sealed) = offered(&page(app, client, URL));
    let step = Utc::now().timestamp() / 30;
    let now = code_at(&secret, step);
    let form =
        [("act", "set-up"), ("secret", &sealed), ("code", &now), ("password", app.admin_password.as_str())];
    let done = post(app, client, URL, &form);
    assert_eq!(done.status(), 200);
    let html = done.text().expect("a page");
    let list = between(&html, "class=\"recovery-codes\"", "</ol>");
    let codes = list.split("<code>").skip(1).map(|it| it.split('<').next().expect("a code").to_owned());
    (secret, codes.collect(), step)
}

fn send_code(app: &TestApp, client: &Client, code: &str) -> Response {
    post(app, client, "/admin/sign-in/code", &[("code", code)])
}

/// A new browser that has sent the password, and not yet a code.
fn with_password(app: &TestApp) -> Client {
    let client = browser();
    let asked = app.sign_in(&client, &app.admin_password);
    assert_eq!((asked.status().as_u16(), header(&asked, "location")), (303, "/admin/sign-in/code"));
    client
}

#[test]
fn it_is_set_up_with_the_password_and_a_code() {
    let app = TestApp::spawn();
    let (owner, phone) = (app.organizer(), app.organizer());
    let html = page(&app, &owner, URL);
    assert!(html.contains("<svg viewBox"), "a QR code: {html}");
    let (secret, sealed) = offered(&html);
    let right = code(&secret, 0);
    let wrong = code(&secret, 5);
    for (code, password, words) in [
        (&wrong, app.admin_password.as_str(), "not the current code"),
        (&right, "not the password", "Wrong password. Nothing was changed."),
    ] {
        let form = [("act", "set-up"), ("secret", sealed.as_str()), ("code", code), ("password", password)];
        let refused = post(&app, &owner, URL, &form);
        assert_eq!(refused.status(), 422, "{words}");
        let html = refused.text().expect("a page");
        assert!(html.contains(words) && offered(&html).0 == secret, "the app keeps its secret: {html}");
    }
    assert_eq!(app.count("second_factors"), 0);
    app.add_account("other", "owner");
    let other = browser();
    assert_eq!(app.sign_in_as(&other, "other", &app.admin_password).status(), 303);
    let theirs =
        [("act", "set-up"), ("secret", sealed.as_str()), ("code", &right), ("password", &app.admin_password)];
    assert_eq!(post(&app, &other, URL, &theirs).status(), 422);

    let (secret, codes, _) = set_up(&app, &owner);
    assert_eq!(codes.len(), 10);
    assert_eq!(get(&app, &owner, "/admin/account").status(), 200, "this browser stays signed in");
    assert_eq!(get(&app, &phone, "/admin/account").status(), 303, "the others do not");
    assert!(page(&app, &owner, URL).contains("10 recovery codes left"));
    assert!(!page(&app, &owner, URL).contains(&codes[0]), "they are shown once");
    assert_eq!(app.count(&format!("second_factors WHERE secret LIKE '%{}%'", secret.base32())), 0);
    assert_eq!(app.count(&format!("recovery_codes WHERE code_hash LIKE '%{}%'", &codes[0][..5])), 0);
    let entry = ("admin".into(), "admin".into(), 1, "127.0.0.1".into());
    assert_eq!(audited(&app, "second factor set up"), [entry]);
}

#[test]
fn the_password_alone_opens_nothing_and_each_code_counts_once() {
    let app = TestApp::spawn();
    let (secret, codes, step) = set_up(&app, &app.organizer());
    let client = with_password(&app);
    assert_eq!(get(&app, &client, "/admin/account").status(), 303);
    assert_eq!(app.count("admin_sessions"), 1, "the one that has set it up");
    assert!(page(&app, &client, "/admin/sign-in/code").contains("Code from your app"));
    assert_eq!(header(&get(&app, &browser(), "/admin/sign-in/code"), "location"), "/admin/sign-in");
    assert_eq!(header(&send_code(&app, &browser(), &code(&secret, 1)), "location"), "/admin/sign-in");

    let refused = send_code(&app, &client, &code(&secret, 5));
    assert_eq!(refused.status(), 422);
    assert!(refused.text().expect("a page").contains("Wrong code"));
    assert_eq!(audited(&app, "code refused").len(), 1);
    // The setup's code and older codes are used up. The next code is valid.
    for used in [step, step - 1] {
        assert_eq!(send_code(&app, &client, &code_at(&secret, used)).status(), 422);
    }
    app.database.execute("DELETE FROM sign_in_brakes");
    let next = code(&secret, 1);
    let accepted = send_code(&app, &client, &next);
    assert_eq!((accepted.status().as_u16(), header(&accepted, "location")), (303, "/admin"));
    assert_eq!(get(&app, &client, "/admin/account").status(), 200);
    assert_eq!(send_code(&app, &with_password(&app), &next).status(), 422, "once");

    let recovered = with_password(&app);
    assert_eq!(send_code(&app, &recovered, &codes[3].to_uppercase()).status(), 303);
    assert_eq!(send_code(&app, &with_password(&app), &codes[3]).status(), 422, "once");
    assert!(page(&app, &recovered, URL).contains("9 recovery codes left"));
    assert_eq!(audited(&app, "recovery code used").len(), 1);
    // New recovery codes replace the old ones.
    let form = [("act", "new-codes"), ("code", codes[4].as_str()), ("password", &app.admin_password)];
    let renewed = post(&app, &recovered, URL, &form);
    assert_eq!(renewed.status(), 200);
    assert!(!renewed.text().expect("a page").contains(&codes[5]));
    assert_eq!(send_code(&app, &with_password(&app), &codes[5]).status(), 422);
    assert_eq!(app.count("recovery_codes"), 10);
}

#[test]
fn a_code_that_is_sent_from_everywhere_together_opens_one_session() {
    let app = TestApp::spawn();
    let (secret, codes, _) = set_up(&app, &app.organizer());
    for used in [code(&secret, 1), codes[0].clone()] {
        let clients: Vec<Client> = (0..4).map(|_| with_password(&app)).collect();
        let before = app.count("admin_sessions");
        let statuses: Vec<u16> = thread::scope(|scope| {
            let tries: Vec<_> = clients
                .iter()
                .map(|client| scope.spawn(|| send_code(&app, client, &used).status().as_u16()))
                .collect();
            tries.into_iter().map(|it| it.join().expect("an answer")).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
        assert_eq!(app.count("admin_sessions"), before + 1);
        app.database.execute("DELETE FROM sign_in_brakes");
    }
}

#[test]
fn guessing_codes_gets_slow_wherever_it_comes_from() {
    let app = TestApp::spawn();
    let owner = app.organizer();
    let (secret, codes, _) = set_up(&app, &owner);
    for _ in 0..4 {
        assert_eq!(send_code(&app, &with_password(&app), "abcdef").status(), 422);
    }
    prolong_waits(&app);
    let another = app.another_server();
    let thief = with_password(&app);
    for address in [app.address, another.address] {
        let right = [("code", code(&secret, 1))];
        let post = thief.post(format!("http://{address}/admin/sign-in/code")).form(&right);
        let refused = post.send().expect("an answer");
        assert_eq!(refused.status(), 429);
        assert!(!header(&refused, "retry-after").is_empty());
        assert!(refused.text().expect("a page").contains("Too many wrong codes"));
    }
    assert_eq!(send_code(&app, &thief, &codes[0]).status(), 429, "recovery codes too");
    assert_eq!(app.count("recovery_codes"), 10);
    // A browser in which the account has signed in before is not slowed down.
    assert_eq!(app.sign_in(&owner, &app.admin_password).status(), 303);
    // As if the last code had been used long ago.
    app.database.execute("UPDATE second_factors SET last_step = 0");
    assert_eq!(send_code(&app, &owner, &code(&secret, 0)).status(), 303);
}

#[test]
fn owners_may_require_it_of_everybody() {
    let app = TestApp::spawn();
    let (owner, grace) = (app.organizer(), app.member("organizer"));
    let rule = |client: &Client, required: &str, password: &str| {
        post(&app, client, "/admin/team/second-factor", &[("required", required), ("password", password)])
    };
    assert_eq!(rule(&grace, "on", &app.admin_password).status(), 403);
    let refused = rule(&owner, "on", "not the password");
    assert_eq!(refused.status(), 422);
    assert!(refused.text().expect("a page").contains("Wrong password. Nothing was changed."));
    assert_eq!(get(&app, &grace, "/admin/events").status(), 200);
    assert_eq!(rule(&owner, "on", &app.admin_password).status(), 303);
    // The rule also covers existing sessions. The second factor's own page, the password and signing out stay open.
    for path in ["/admin/events", "/admin", "/admin/account", "/admin/check-in"] {
        let led = get(&app, &grace, path);
        assert_eq!((led.status().as_u16(), header(&led, "location")), (303, URL), "{path}");
    }
    let poll = grace.get(app.url("/admin/sales")).header("HX-Request", "true").send().expect("an answer");
    assert_eq!((poll.status().as_u16(), header(&poll, "hx-redirect")), (403, URL));
    assert_eq!(get(&app, &grace, "/admin/password").status(), 200);
    assert!(page(&app, &grace, URL).contains("An owner of this site requires one"));
    let (_, codes, _) = set_up(&app, &grace);
    assert_eq!(get(&app, &grace, "/admin/events").status(), 200);
    let off = |act: &str, code: &str| {
        post(&app, &grace, URL, &[("act", act), ("code", code), ("password", &app.admin_password)])
    };
    assert_eq!(off("turn-off", &codes[0]).status(), 303);
    assert!(page(&app, &grace, URL).contains("It stays on"));
    assert_eq!((app.count("second_factors"), app.count("recovery_codes")), (1, 10));
    set_up(&app, &owner);
    assert_eq!(rule(&owner, "", &app.admin_password).status(), 303);
    assert_eq!(off("turn-off", "abcdef").status(), 422);
    assert_eq!(off("turn-off", &codes[0]).status(), 303);
    assert_eq!(app.count("second_factors"), 1);
    assert!(page(&app, &grace, "/admin/account").contains("<p>Off. Turn it on"));
    for action in ["second factor required", "second factor optional", "second factor turned off"] {
        assert_eq!(audited(&app, action).len(), 1, "{action}");
    }
}

#[test]
fn it_is_reset_by_another_owner_or_from_the_command_line() {
    let app = TestApp::spawn();
    let (owner, grace) = (app.organizer(), app.member("gate"));
    set_up(&app, &grace);
    let html = page(&app, &owner, "/admin/team");
    let row = html.split("team__name").find(|row| row.contains(">gate</a>")).expect("a row");
    assert!(row.contains("second factor on"), "{row}");
    let url = between(row, "href=\"", "\"").to_owned();
    let reset = [("change", "second-factor"), ("password", app.admin_password.as_str())];
    assert_eq!(post(&app, &grace, &url, &reset).status(), 403);
    assert_eq!(post(&app, &owner, &url, &reset).status(), 303);
    assert_eq!((app.count("second_factors"), app.count("recovery_codes")), (0, 0));
    assert_eq!(get(&app, &grace, "/admin/account").status(), 303, "its sessions end");
    let in_again = app.sign_in_as(&browser(), "gate", &app.admin_password);
    assert_eq!(header(&in_again, "location"), "/admin");
    // Owners cannot reset their own second factor this way.
    set_up(&app, &owner);
    let html = page(&app, &owner, "/admin/team");
    let row = html.split("team__name").find(|row| row.contains(">admin</a>")).expect("a row");
    let own = between(row, "href=\"", "\"").to_owned();
    assert_eq!(post(&app, &owner, &own, &reset).status(), 409);
    assert_eq!(app.count("second_factors"), 1);
    let run = |arguments: &[&str]| {
        let output = techkraft(&app.database).args(arguments).output().expect("it runs");
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert!(!run(&["reset-second-factor", "nobody"]).0);
    let (is_done, said) = run(&["reset-second-factor"]);
    assert!(is_done && said.contains("admin signs in with the password alone now"), "{said}");
    assert!(run(&["reset-second-factor"]).1.contains("Nothing was changed"));
    assert_eq!(get(&app, &owner, "/admin/account").status(), 303);
    drop(app.organizer());
    let who: Vec<String> = audited(&app, "second factor reset").into_iter().map(|it| it.0).collect();
    assert_eq!(who, ["admin", "command line"]);
}

#[test]
fn what_was_typed_before_the_session_ended_comes_through_both_steps() {
    let app = TestApp::spawn();
    let (_, codes, _) = set_up(&app, &app.organizer());
    let client = browser();
    let form = [
        ("username", "admin"),
        ("password", app.admin_password.as_str()),
        ("next", "/admin/events"),
        ("typed.gate", "North <gate>"),
    ];
    let asked = post(&app, &client, "/admin/sign-in", &form);
    assert_eq!(asked.status(), 200);
    let html = asked.text().expect("a page");
    assert!(html.contains("name=\"typed.gate\" value=\"North &#60;gate&#62;\""), "{html}");
    assert!(html.contains("name=\"next\" value=\"/admin/events\""), "{html}");
    let wrong = [("code", "123"), ("next", "/admin/events"), ("typed.gate", "North <gate>")];
    let again = post(&app, &client, "/admin/sign-in/code", &wrong).text().expect("a page");
    assert!(again.contains("name=\"typed.gate\""), "{again}");
    let right = [("code", codes[0].as_str()), ("next", "/admin/events"), ("typed.gate", "North <gate>")];
    let back = post(&app, &client, "/admin/sign-in/code", &right);
    assert_eq!(back.status(), 200);
    let html = back.text().expect("a page");
    assert!(
        html.contains("action=\"/admin/events?resumed=1\"") && html.contains("North &#60;gate&#62;"),
        "{html}"
    );
    // Without typed text to keep, the sign-in continues with redirects.
    let asked = post(&app, &browser(), "/admin/sign-in", &form[..3]);
    assert_eq!(header(&asked, "location"), "/admin/sign-in/code?next=/admin/events");
}

#[test]
fn a_session_that_a_server_of_the_release_before_started_is_not_enough() {
    let app = TestApp::spawn();
    let owner = app.organizer();
    set_up(&app, &owner);
    app.database.execute("UPDATE admin_sessions SET second_factor = false");
    assert_eq!(get(&app, &owner, "/admin/account").status(), 303);
    app.database.execute("UPDATE admin_sessions SET second_factor = true");
    assert_eq!(get(&app, &owner, "/admin/account").status(), 200);
    // The code is not accepted either if the password was changed between the two steps.
    let client = with_password(&app);
    app.database.execute("UPDATE admins SET password_hash = password_hash || ' '");
    assert_eq!(header(&send_code(&app, &client, "abcdef"), "location"), "/admin/sign-in");
}
