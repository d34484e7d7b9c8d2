//! Where the sign-in leads, and what happens to a form that was filled in while the session ended.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::blocking::{Client, Response};

use crate::support::acts::NO_FIELDS;
use crate::support::{TestApp, between, browser, header};

const TERMS: &str = "/admin/events/midnight-parade/terms";

/// Sends the sign-in form, with all hidden fields of its page.
fn sign_in_on(app: &TestApp, client: &Client, page: &str, password: &str) -> Response {
    let mut form = hidden_fields(page);
    form.extend([("username".into(), "admin".into()), ("password".into(), password.into())]);
    client.post(app.url("/admin/sign-in")).form(&form).send().expect("an answer")
}

fn hidden_fields(page: &str) -> Vec<(String, String)> {
    let unescaped = |text: &str| {
        let text =
            text.replace("&#34;", "\"").replace("&#39;", "'").replace("&#60;", "<").replace("&#62;", ">");
        text.replace("&#38;", "&")
    };
    let fields = page.split("<input type=\"hidden\" ").skip(1);
    fields
        .map(|it| (unescaped(between(it, "name=\"", "\"")), unescaped(between(it, "value=\"", "\""))))
        .collect()
}

/// Ends every session, as after half an hour without activity.
fn end_sessions(app: &TestApp) {
    app.database.execute(
        "UPDATE admin_sessions SET last_seen_at = '2026-01-01 00:00:00', expires_at = '2026-01-01 00:00:00'",
    );
}

fn get(app: &TestApp, client: &Client, path: &str) -> Response {
    client.get(app.url(path)).send().expect("an answer")
}

#[test]
fn the_sign_in_leads_to_where_one_was_going() {
    let app = TestApp::spawn();
    for path in [
        "/admin/bookings/TK-7F3K-9QXM",
        "/admin/bookings?q=zo%C3%AB&status=confirmed",
        "/admin/audit-log?action=signed+in",
        "/admin/mails?state=failed",
        "/admin/check-in",
        "/admin/reseed",
        TERMS,
    ] {
        let client = browser();
        let asked = get(&app, &client, path);
        let sign_in = header(&asked, "location").to_owned();
        assert!(asked.status() == 303 && sign_in.starts_with("/admin/sign-in?next=/admin/"), "{sign_in}");
        let page = get(&app, &client, &sign_in).text().expect("a page");
        // After a wrong password, the sign-in still leads to the same page.
        let again = sign_in_on(&app, &client, &page, "a guess");
        assert_eq!(again.status(), 422);
        let signed_in = sign_in_on(&app, &client, &again.text().expect("a page"), &app.admin_password);
        assert_eq!((signed_in.status().as_u16(), header(&signed_in, "location")), (303, path));
    }
}

#[test]
fn no_link_leads_through_the_sign_in_to_another_site() {
    let app = TestApp::spawn();
    for next in [
        "https://elsewhere.example/admin",
        "//elsewhere.example/admin",
        "/\\elsewhere.example",
        "/admin/..//elsewhere.example",
        "/admin\\@elsewhere.example",
        "javascript:alert(1)",
        "/admin/sign-out",
        "/admin/sign-in?next=/admin/sign-in",
        "/admin\r\nSet-Cookie: a=b",
        "",
    ] {
        let client = browser();
        let asked = format!("/admin/sign-in?next={}", utf8_percent_encode(next, NON_ALPHANUMERIC));
        let shown = client.get(app.url(&asked)).send().expect("an answer");
        let page = shown.text().expect("a page");
        assert!(!page.contains("name=\"next\""), "{next}: {page}");
        let form = [("username", "admin"), ("password", &app.admin_password), ("next", next)];
        let signed_in = client.post(app.url("/admin/sign-in")).form(&form).send().expect("an answer");
        assert_eq!((signed_in.status().as_u16(), header(&signed_in, "location")), (303, "/admin"), "{next}");
    }
}

#[test]
fn a_link_in_a_mail_finds_the_session_that_the_browser_kept_back() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    // A browser that comes from another site does not send SameSite=Strict cookies, so the test uses a browser that
    // has no cookie.
    let from_mail = |client: &Client, path: &str| {
        client.get(app.url(path)).header("Sec-Fetch-Site", "cross-site").send().expect("an answer")
    };
    let asked = from_mail(&browser(), "/admin/mails?state=failed");
    let sign_in = header(&asked, "location").to_owned();
    let bounce = from_mail(&browser(), &sign_in);
    assert_eq!(bounce.status(), 200);
    let bounce = bounce.text().expect("a page");
    let own = between(&bounce, "http-equiv=\"refresh\" content=\"0; url=", "\"").replace("&#38;", "&");
    assert_eq!(own, sign_in);
    assert!(!bounce.contains("name=\"password\""), "{bounce}");
    // The next request comes from our own page, with the cookie.
    let next =
        organizer.get(app.url(&own)).header("Sec-Fetch-Site", "same-origin").send().expect("an answer");
    assert_eq!((next.status().as_u16(), header(&next, "location")), (303, "/admin/mails?state=failed"));
    let stranger =
        browser().get(app.url(&own)).header("Sec-Fetch-Site", "same-origin").send().expect("an answer");
    assert!(stranger.text().expect("a page").contains("name=\"password\""));
}

#[test]
fn a_poll_and_an_action_lead_back_to_their_page() {
    let app = TestApp::spawn();
    let poll = app.client.get(app.url("/admin/sales")).header("HX-Request", "true");
    let poll = poll.header("HX-Current-URL", app.url("/admin/mails?state=failed")).send().expect("an answer");
    let expected = "/admin/sign-in?next=/admin/mails%3Fstate%3Dfailed";
    assert_eq!((poll.status().as_u16(), header(&poll, "hx-redirect")), (401, expected));
    let action = app.client.post(app.url("/admin/mails/4/attempts")).form(&NO_FIELDS);
    let action = action.header("Referer", app.url("/admin/mails?state=failed")).send().expect("an answer");
    assert_eq!((action.status().as_u16(), header(&action, "location")), (303, expected));
    // A download leads back to the page that offers it.
    let file = app.get("/admin/events/midnight-parade/bookings.csv?rows=tickets");
    assert_eq!(header(&file, "location"), "/admin/sign-in?next=/admin/events/midnight-parade/export");
}

/// Sends a form after the session has ended, signs in, and returns the form's page as it is shown again.
fn resume(app: &TestApp, path: &str, form: &[(&str, &str)]) -> String {
    let organizer = app.organizer();
    end_sessions(app);
    let post = organizer.post(app.url(path)).form(form).send().expect("an answer");
    assert_eq!(post.status(), 401, "{path}");
    assert!(header(&post, "cache-control").contains("no-store"));
    let page = post.text().expect("a page");
    assert!(page.contains("what you typed is kept"), "{page}");
    let again = sign_in_on(app, &organizer, &page, "a guess");
    assert_eq!(again.status(), 422);
    let back = sign_in_on(app, &organizer, &again.text().expect("a page"), &app.admin_password);
    assert_eq!(back.status(), 200);
    let back = back.text().expect("a page");
    assert!(!back.contains(&app.admin_password));
    let action = between(&back, "<form action=\"", "\"").replace("&#38;", "&");
    assert_eq!(action, format!("{path}?resumed=1"));
    let shown = organizer.post(app.url(&action)).form(&hidden_fields(&back)).send().expect("an answer");
    assert_eq!(shown.status(), 200, "{path}");
    shown.text().expect("a page")
}

#[test]
fn what_was_typed_while_the_session_ended_is_there_again() {
    let app = TestApp::spawn();
    let location = app.book_well("VIP", 3);
    let booking = app.get(&location).text().expect("a page");
    let reference = between(&booking, "<span>Reference</span><strong>", "</strong>").to_owned();

    let vip = format!("max_per_person_{}", app.tier_id("VIP"));
    let terms = resume(&app, TERMS, &[("cancellation_deadline_hours", "1,5 \"<&"), (&vip, "７")]);
    assert!(terms.contains("name=\"cancellation_deadline_hours\" value=\"1,5 &#34;&#60;&#38;\""), "{terms}");
    assert!(terms.contains(&format!("name=\"{vip}\" value=\"７\"")), "{terms}");
    assert!(!terms.contains("aria-invalid"), "it was not sent, so nothing is wrong yet: {terms}");

    let path = format!("/admin/bookings/{reference}/cancellation");
    let cancellation = resume(&app, &path, &[("choice", "1"), ("seat_2", "on")]);
    assert!(cancellation.contains("name=\"seat_2\" checked"), "{cancellation}");
    assert_eq!(cancellation.matches(" checked").count(), 1, "{cancellation}");
    let gate = resume(&app, "/admin/check-in/gate", &[("event", "midnight-parade"), ("gate", "Nord & Süd")]);
    assert!(gate.contains("name=\"gate\" value=\"Nord &#38; Süd\""), "{gate}");

    let path = format!("/admin/bookings/{reference}/buyer");
    let buyer = resume(&app, &path, &[("name", "Zoë \"<&"), ("email", "zoë@")]);
    assert!(buyer.contains("value=\"Zoë &#34;&#60;&#38;\"") && buyer.contains("value=\"zoë@\""), "{buyer}");
    assert!(!buyer.contains("aria-invalid"), "{buyer}");
    let scan = [("event", "midnight-parade"), ("gate", "North"), ("code", "Lovelace \"<&")];
    let scanned = resume(&app, "/admin/check-in", &scan);
    assert!(scanned.contains("name=\"code\" value=\"Lovelace &#34;&#60;&#38;\""), "{scanned}");
    assert!(scanned.contains("Ready"), "nothing was looked for: {scanned}");

    // None of the forms was carried out.
    assert_eq!((app.database.tier("VIP").sold, app.count("bookings")), (3, 1));
    assert_eq!(
        app.count(
            "audit_log WHERE action IN ('terms changed', 'reseeded', 'booking canceled', 'buyer corrected')"
        ),
        0
    );
}

#[test]
fn passwords_are_not_kept_and_strangers_are_led_to_the_sign_in() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    end_sessions(&app);
    let paths = ["/admin/account", "/admin/password", "/admin/reseed", "/admin/gates"];
    for (path, field) in paths.into_iter().zip(["password", "new_password", "password", "password"]) {
        let post = organizer.post(app.url(path)).form(&[(field, "a secret")]).send().expect("an answer");
        let expected = format!("/admin/sign-in?next={path}");
        assert_eq!((post.status().as_u16(), header(&post, "location")), (303, expected.as_str()));
    }
    let stranger = browser().post(app.url(TERMS)).form(&[("cancellation_deadline_hours", "1")]).send();
    let stranger = stranger.expect("an answer");
    let expected = format!("/admin/sign-in?next={TERMS}");
    assert_eq!((stranger.status().as_u16(), header(&stranger, "location")), (303, expected.as_str()));
    // Another site's page cannot fill in our forms this way.
    let forged = organizer.post(app.url(TERMS)).header("Sec-Fetch-Site", "cross-site");
    assert_eq!(forged.form(&[("cancellation_deadline_hours", "1")]).send().expect("an answer").status(), 403);
    let forged = organizer.post(app.url("/admin/sign-in")).header("Origin", "https://elsewhere.example");
    assert_eq!(forged.form(&[("typed.event_name", "x")]).send().expect("an answer").status(), 403);
}
