//! The first run: `/admin` leads through what a new site needs, and each step can be skipped.

use std::time::{Duration, Instant};

use reqwest::blocking::Client;
use techkraft::config::Config;
use techkraft::mail::transport::{Destination, SmtpUrl};

use super::audited;
use crate::support::{TestApp, header};
use testkit::smtp_server::{Reaction, SmtpServer, Step};

fn page(app: &TestApp, client: &Client, path: &str) -> String {
    client.get(app.url(path)).send().expect("an answer").text().expect("a page")
}

/// Sends a step's form. Returns the status and where it leads.
fn send(app: &TestApp, client: &Client, step: &str, form: &[(&str, &str)]) -> (u16, String) {
    let url = app.url(&format!("/admin/setup/{step}"));
    let response = client.post(url).form(form).send().expect("an answer");
    (response.status().as_u16(), header(&response, "location").to_owned())
}

fn through(server: &SmtpServer) -> impl FnOnce(&mut Config) {
    let url = SmtpUrl::parse(&server.url()).expect("a URL");
    move |config| {
        config.mail.destination = Destination::Server(url);
        config.mail.limits.retry_first = Duration::from_millis(100);
    }
}

fn wait_for(app: &TestApp, client: &Client, path: &str, text: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let page = page(app, client, path);
        if page.contains(text) {
            return page;
        }
        assert!(Instant::now() < deadline, "no {text:?} in {page}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_sales_page_leads_an_owner_through_all_steps() {
    let server = SmtpServer::start();
    let app = TestApp::spawn_with(through(&server));
    let owner = app.organizer();
    let sales = page(&app, &owner, "/admin");
    assert!(sales.contains("Welcome to your box office") && sales.contains("0 of 4 steps done"), "{sales}");
    assert!(sales.contains("href=\"/admin/setup/box-office\">Start: Your box office"), "{sales}");
    assert!(!page(&app, &app.member("organizer"), "/admin").contains("first-run"), "the owner's alone");

    // The box office: a name is needed, and what was typed stays.
    let form = [("act", "save"), ("name", " "), ("address", "12 Main Street"), ("contact", "")];
    let url = app.url("/admin/setup/box-office");
    let refused = owner.post(url).form(&form).send().expect("an answer");
    assert_eq!(refused.status(), 422);
    let refused = refused.text().expect("a page");
    assert!(refused.contains("Enter a name") && refused.contains("value=\"12 Main Street\""), "{refused}");
    assert_eq!(app.count("box_office"), 0);
    let form = [
        ("act", "save"),
        ("name", "Lakeside <Concerts>"),
        ("address", "12 Main Street"),
        ("contact", "box@lakeside.example, +1 312 555 0100"),
    ];
    assert_eq!(send(&app, &owner, "box-office", &form), (303, "/admin/setup/mail".into()));
    let front = page(&app, &owner, "/");
    assert!(front.contains("<strong>Lakeside &#60;Concerts&#62;</strong><br>12 Main Street"), "{front}");
    assert!(front.contains("href=\"mailto:box@lakeside.example\""), "{front}");
    let form = page(&app, &owner, "/admin/events/new");
    assert!(form.contains("value=\"box@lakeside.example, +1 312 555 0100\""), "{form}");
    assert_eq!(audited(&app, "box office changed").len(), 1);

    // The mail step is done when the mail server has accepted a test mail.
    assert_eq!(send(&app, &owner, "mail", &[("act", "send"), ("email", "nobody")]).0, 422);
    server.react(Step::Recipient, Reaction::Say("450 4.2.0 greylisted, come again"));
    let sent = send(&app, &owner, "mail", &[("act", "send"), ("email", "grace@example.org")]);
    assert_eq!(sent, (303, "/admin/setup/mail".into()));
    wait_for(&app, &owner, "/admin/setup/mail", "greylisted, come again");
    assert!(page(&app, &owner, "/admin").contains("1 of 4 steps done"));
    server.be_well();
    wait_for(&app, &owner, "/admin/setup/mail", "took the test email to grace@example.org");
    assert_eq!(server.received().last().expect("a mail").to, ["grace@example.org"]);
    assert!(page(&app, &owner, "/admin").contains("2 of 4 steps done"));

    // Payment, and the first concert: the sample concert does not count.
    let confirmed = send(&app, &owner, "payment", &[("act", "confirm")]);
    assert_eq!(confirmed, (303, "/admin/setup/first-concert".into()));
    assert!(page(&app, &owner, "/admin").contains("Next: First concert"));
    let concert = [
        ("name", "Glass Orchard"),
        ("venue", "Hall"),
        ("city", "Chicago"),
        ("time_zone", "America/Chicago"),
        ("currency", "USD"),
        ("starts_at", "2030-06-01T20:00"),
    ];
    let made = owner.post(app.url("/admin/events")).form(&concert).send().expect("an answer");
    assert_eq!(made.status(), 303);
    assert!(!page(&app, &owner, "/admin").contains("first-run"), "all is done");
}

#[test]
fn every_step_can_be_skipped_and_opened_again() {
    let app = TestApp::spawn();
    let owner = app.organizer();
    let skip = [("act", "skip")];
    assert_eq!(send(&app, &owner, "mail", &skip), (303, "/admin/setup/payment".into()));
    assert_eq!(send(&app, &owner, "payment", &skip), (303, "/admin/setup/first-concert".into()));
    // The last step leads back to a step that is still open.
    assert_eq!(send(&app, &owner, "first-concert", &skip), (303, "/admin/setup/box-office".into()));
    assert_eq!(send(&app, &owner, "box-office", &skip), (303, "/admin".into()));
    assert!(!page(&app, &owner, "/admin").contains("first-run"));
    assert_eq!(app.count("setup_notes WHERE state = 'skipped'"), 4);
    let mail = page(&app, &owner, "/admin/setup/mail");
    assert!(mail.contains("No mail server is set") && mail.contains("SMTP_URL"), "{mail}");
    // A folder is not a mail server: the step stays open until a mail server accepts a test mail.
    assert_eq!(send(&app, &owner, "mail", &[("act", "send"), ("email", "grace@example.org")]).0, 303);
    wait_for(&app, &owner, "/admin/setup/mail", "was written into the folder");
    assert!(page(&app, &owner, "/admin").contains("0 of 4 steps done"));
}

#[test]
fn all_steps_can_be_skipped_at_once() {
    let app = TestApp::spawn();
    let owner = app.organizer();
    assert_eq!(send(&app, &owner, "box-office", &[("act", "skip-all")]), (303, "/admin".into()));
    assert!(!page(&app, &owner, "/admin").contains("first-run"));
    let missing = owner.get(app.url("/admin/setup/backup")).send().expect("an answer");
    assert_eq!(missing.status(), 404);
}

/// A server reads at its start what was set on another server.
#[test]
fn another_server_names_the_box_office() {
    let app = TestApp::spawn();
    let owner = app.organizer();
    let form = [("act", "save"), ("name", "Lakeside"), ("address", ""), ("contact", "")];
    assert_eq!(send(&app, &owner, "box-office", &form).0, 303);
    let other = app.another_server();
    let front = app.client.get(format!("http://{}/", other.address)).send().expect("an answer");
    assert!(front.text().expect("a page").contains("<strong>Lakeside</strong>"));
}
