//! Invitations to the team: a link creates one account, once, or sets a new password after the old one was forgotten.

use std::thread;

use reqwest::blocking::{Client, Response};

use super::{audited, minutes_ago};
use crate::mail::contents::{parse, single, with_subject};
use crate::support::acts::NO_FIELDS;
use crate::support::{TestApp, between, browser, header};
use techkraft::mail::transport::{Destination, SmtpUrl};
use testkit::smtp_server::SmtpServer;
use testkit::wait::eventually;

const OWN: &str = "seven ladders under water";

pub fn get(app: &TestApp, client: &Client, path: &str) -> Response {
    client.get(app.url(path)).send().expect("an answer")
}

pub fn page(app: &TestApp, client: &Client, path: &str) -> String {
    get(app, client, path).text().expect("a page")
}

pub fn post(app: &TestApp, client: &Client, path: &str, form: &[(&str, &str)]) -> Response {
    client.post(app.url(path)).form(form).send().expect("an answer")
}

fn invite(app: &TestApp, owner: &Client, email: &str, role: &str) -> Response {
    let form = [("email", email), ("role", role), ("password", app.admin_password.as_str())];
    post(app, owner, "/admin/team", &form)
}

/// Invites, and returns the path of the link that the page shows once.
pub fn invited(app: &TestApp, owner: &Client, email: &str, role: &str) -> String {
    let response = invite(app, owner, email, role);
    assert_eq!((response.status().as_u16(), header(&response, "location")), (303, "/admin/team"));
    let html = page(app, owner, "/admin/team");
    format!("/invitations/{}", between(&html, &app.url("/invitations/"), "\""))
}

pub fn accept(app: &TestApp, client: &Client, link: &str, username: &str) -> Response {
    let form = [("username", username), ("new_password", OWN), ("repeated_password", OWN)];
    post(app, client, link, &form)
}

pub fn change(app: &TestApp, owner: &Client, username: &str, to: &str) -> Response {
    let html = page(app, owner, "/admin/team");
    let row = html.split("team__name").find(|row| row.contains(&format!(">{username}</a>"))).expect(username);
    let url = between(row, "href=\"", "\"").to_owned();
    post(app, owner, &url, &[("change", to), ("password", &app.admin_password)])
}

#[test]
fn somebody_who_is_invited_makes_an_account_once() {
    let app = TestApp::spawn();
    let owner = app.organizer();
    let link = invited(&app, &owner, "Grace.Hopper@example.org", "box_office");
    let again = page(&app, &owner, "/admin/team");
    assert!(!again.contains(&app.url("/invitations/")), "the link is shown once");
    assert!(again.contains("Grace.Hopper@example.org") && again.contains("Box office, invited by admin"));
    // Neither the database nor the mail queued in it contains the link's token.
    let token = link.rsplit('/').next().expect("a token");
    assert_eq!(app.count(&format!("invitations WHERE token_hash = '{token}'")), 0);
    assert_eq!(app.count(&format!("mails WHERE payload LIKE '%{token}%'")), 0);
    assert_eq!(app.count("invitations"), 1);
    // The mail contains the same link.
    let (text, html, bytes) = with_subject(&app, "Join the team", 1);
    assert_eq!(single(parse(&bytes).to()), (String::new(), "Grace.Hopper@example.org".into()));
    assert!(html.contains(&app.url(&link)), "{html}");
    assert!(text.contains(&app.url(&link)) && text.contains("as Box office"), "{text}");

    let grace = browser();
    for _ in 0..2 {
        let shown = get(&app, &grace, &link);
        assert_eq!((shown.status().as_u16(), header(&shown, "referrer-policy")), (200, "no-referrer"));
        let html = shown.text().expect("a page");
        assert!(html.contains("value=\"grace.hopper\"") && html.contains("Box office"), "{html}");
    }
    let weak = [
        ("username", "grace"),
        ("new_password", "passwordpassword"),
        ("repeated_password", "passwordpassword"),
    ];
    let refused = post(&app, &grace, &link, &weak);
    assert_eq!(refused.status(), 422);
    let html = refused.text().expect("a page");
    assert!(html.contains("Too easy to guess") && html.contains("value=\"grace\""), "{html}");
    let refused =
        post(&app, &grace, &link, &[("username", "a b"), ("new_password", OWN), ("repeated_password", "x")]);
    assert_eq!(refused.status(), 422);
    let html = refused.text().expect("a page");
    assert!(html.contains("Use letters from a to z") || html.contains("Use 3 to 32"), "{html}");
    assert!(html.contains("Passwords don&#39;t match") || html.contains("Passwords don't match"), "{html}");
    let taken = accept(&app, &grace, &link, "Admin");
    assert_eq!(taken.status(), 422);
    assert!(taken.text().expect("a page").contains("This username is taken"));

    let accepted = accept(&app, &grace, &link, "grace");
    assert_eq!((accepted.status().as_u16(), header(&accepted, "location")), (303, "/admin/bookings"));
    assert!(page(&app, &grace, "/admin/bookings").contains("Welcome, grace."));
    assert_eq!(get(&app, &grace, "/admin/team").status(), 403);
    // The link is used up, for others and for her.
    for client in [&browser(), &grace] {
        assert_eq!(get(&app, client, &link).status(), 410);
        assert_eq!(accept(&app, client, &link, "eve").status(), 410);
    }
    assert_eq!(app.count("admins"), 2);
    let later = browser();
    assert_eq!(app.sign_in_as(&later, "grace", OWN).status(), 303);
    let names = |action: &str| -> Vec<(String, String)> {
        audited(&app, action).into_iter().map(|(actor, subject, ..)| (actor, subject)).collect()
    };
    assert_eq!(names("invited"), [("admin".into(), "invitation 1: box office".into())]);
    assert_eq!(names("invitation accepted"), [("grace".into(), "invitation 1: box office".into())]);
    assert!(names("account made").contains(&("grace".into(), "grace".into())));
}

#[test]
fn of_two_who_use_an_invitation_together_one_gets_the_account() {
    let app = TestApp::spawn();
    let link = invited(&app, &app.organizer(), "grace@example.org", "owner");
    let statuses: Vec<u16> = thread::scope(|scope| {
        let tries: Vec<_> = ["one", "two", "three", "four"]
            .map(|name| {
                scope.spawn({
                    let (app, link) = (&app, &link);
                    move || accept(app, &browser(), link, name).status().as_u16()
                })
            })
            .into_iter()
            .collect();
        tries.into_iter().map(|it| it.join().expect("an answer")).collect()
    });
    let mut sorted = statuses.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, [303, 410, 410, 410]);
    assert_eq!(app.count("admins"), 2);
}

#[test]
fn an_invitation_ends() {
    let app = TestApp::spawn();
    let owner = app.organizer();
    // It expires.
    let link = invited(&app, &owner, "old@example.org", "gate");
    assert_eq!(app.count(&format!("invitations WHERE expires_at > {}", minutes_ago(-47 * 60))), 1);
    assert_eq!(app.count(&format!("invitations WHERE expires_at > {}", minutes_ago(-49 * 60))), 0);
    app.database.execute(&format!("UPDATE invitations SET expires_at = {}", minutes_ago(1)));
    assert_eq!(accept(&app, &browser(), &link, "old").status(), 410);
    // A second invitation to the same address replaces it.
    let first = invited(&app, &owner, "grace@example.org", "owner");
    let second = invited(&app, &owner, "grace@example.org", "gate");
    assert_eq!(get(&app, &browser(), &first).status(), 410);
    assert_eq!(get(&app, &browser(), &second).status(), 200);
    // An owner withdraws it.
    let html = page(&app, &owner, "/admin/team");
    let url = format!("/admin/team/invitations/{}", between(&html, "/admin/team/invitations/", "\""));
    assert_eq!(post(&app, &owner, &url, &NO_FIELDS).status(), 303);
    assert_eq!(accept(&app, &browser(), &second, "grace").status(), 410);
    assert_eq!(audited(&app, "invitation withdrawn").len(), 1);
    // Its mail is not sent again.
    eventually("it was sent", || app.count("mails WHERE kind = 'invitation' AND state = 'sent'") == 3);
    let mail = app.database.text("SELECT CAST(max(id) AS TEXT) AS text FROM mails WHERE kind = 'invitation'");
    assert!(!page(&app, &owner, "/admin/mails").contains("/attempts"), "nothing to resend is offered");
    assert_eq!(post(&app, &owner, &format!("/admin/mails/{mail}/attempts"), &NO_FIELDS).status(), 303);
    assert_eq!(app.count("mails WHERE kind = 'invitation' AND state = 'sent'"), 3);
    // It ends when the owner who made it is removed or loses the owner role.
    app.add_account("other", "owner");
    for end in ["organizer", "remove"] {
        if end == "remove" {
            assert_eq!(change(&app, &owner, "other", "owner").status(), 303);
        }
        let other = browser();
        assert_eq!(app.sign_in_as(&other, "other", &app.admin_password).status(), 303);
        let link = invited(&app, &other, "zoe@example.org", "owner");
        assert_eq!(get(&app, &browser(), &link).status(), 200);
        assert_eq!(change(&app, &owner, "other", end).status(), 303);
        assert_eq!(get(&app, &browser(), &link).status(), 410, "{end}");
    }
    assert_eq!(app.count("invitations"), 0);
}

#[test]
fn an_invitation_asks_for_an_address_a_role_and_the_password() {
    let app = TestApp::spawn();
    let owner = app.organizer();
    let refused = invite(&app, &owner, "nobody", "king");
    assert_eq!(refused.status(), 422);
    let html = refused.text().expect("a page");
    assert!(html.contains("Enter an email address") && html.contains("Choose a role."), "{html}");
    assert!(html.contains("value=\"nobody\""), "what was typed is kept: {html}");
    let form = [("email", "grace@example.org"), ("role", "gate"), ("password", "not the password")];
    let refused = post(&app, &owner, "/admin/team", &form);
    assert_eq!(refused.status(), 422);
    let html = refused.text().expect("a page");
    assert!(
        html.contains("Nobody was invited") && html.contains("value=\"gate\" required checked"),
        "{html}"
    );
    assert_eq!((app.count("invitations"), app.count("mails WHERE kind = 'invitation'")), (0, 0));
    assert_eq!(audited(&app, "password refused").len(), 1);
}

#[test]
fn where_a_mail_server_brings_the_link_no_page_shows_it() {
    let server = SmtpServer::start();
    let url = server.url();
    let app = TestApp::spawn_with(|config| {
        let url = SmtpUrl::parse(&url).expect("a URL");
        config.mail.destination = Destination::Server(url);
    });
    let owner = app.organizer();
    assert_eq!(invite(&app, &owner, "grace@example.org", "gate").status(), 303);
    assert!(!page(&app, &owner, "/admin/team").contains(&app.url("/invitations/")));
    let received = server.wait_for(1);
    assert!(format!("{:?}", received[0]).contains("grace@example.org"));
}

/// A link that outlived its account would make another one, in the role that the link holds.
#[test]
fn a_password_link_ends_with_its_account() {
    let app = TestApp::spawn();
    let owner = app.organizer();
    let link = invited(&app, &owner, "grace@example.org", "owner");
    assert_eq!(accept(&app, &browser(), &link, "grace").status(), 303);
    assert_eq!(change(&app, &owner, "grace", "password").status(), 303);
    let html = page(&app, &owner, "/admin/team");
    let link = format!("/invitations/{}", between(&html, &app.url("/invitations/"), "\""));
    // Another role leaves the link valid, and is the link's role too.
    assert_eq!(change(&app, &owner, "grace", "gate").status(), 303);
    assert_eq!((app.count("invitations"), app.count("invitations WHERE role = 'gate'")), (1, 1));
    assert!(page(&app, &browser(), &link).contains("<strong>grace</strong>"));

    assert_eq!(change(&app, &owner, "grace", "remove").status(), 303);
    assert_eq!(app.count("invitations"), 0);
    assert_eq!(get(&app, &browser(), &link).status(), 410);
    assert_eq!(accept(&app, &browser(), &link, "grace2").status(), 410);
    assert_eq!(app.count("admins"), 1);
}

#[test]
fn an_owner_sends_a_password_reset_link() {
    let app = TestApp::spawn();
    let owner = app.organizer();
    let link = invited(&app, &owner, "grace@example.org", "box_office");
    let grace = browser();
    assert_eq!(accept(&app, &grace, &link, "grace").status(), 303);
    let again = invite(&app, &owner, "grace@example.org", "owner");
    assert_eq!(again.status(), 422);
    assert!(again.text().expect("a page").contains("is already on the team"));

    assert_eq!(change(&app, &owner, "grace", "password").status(), 303);
    let html = page(&app, &owner, "/admin/team");
    assert!(html.contains("New password for grace"), "{html}");
    let link = format!("/invitations/{}", between(&html, &app.url("/invitations/"), "\""));
    let shown = page(&app, &browser(), &link);
    assert!(shown.contains("Choose a new password") && shown.contains("<strong>grace</strong>"), "{shown}");
    let new = "nine lanterns by the harbor";
    let form = [("username", "admin"), ("new_password", new), ("repeated_password", new)];
    let eve = browser();
    let set = post(&app, &eve, &link, &form);
    assert_eq!((set.status().as_u16(), header(&set, "location")), (303, "/admin/sign-in"));
    // Using the link signs nobody in, and ends the account's earlier sessions.
    assert_eq!(get(&app, &eve, "/admin/bookings").status(), 303);
    assert_eq!(get(&app, &grace, "/admin/bookings").status(), 303);
    assert_eq!(app.sign_in_as(&grace, "grace", OWN).status(), 422);
    assert_eq!(app.sign_in_as(&grace, "grace", new).status(), 303);
    assert_eq!(get(&app, &grace, "/admin/team").status(), 403, "the role stays");
    assert_eq!(
        app.sign_in(&browser(), &app.admin_password).status(),
        303,
        "the form's name counts for nothing"
    );
    assert_eq!(get(&app, &browser(), &link).status(), 410);
    assert_eq!(audited(&app, "password link sent").len(), 1);
    assert_eq!(audited(&app, "password changed").len(), 1);
}
