//! What a mail server refuses because of us: its quota, its sign-in, its policy. The mails wait, together.

use std::time::{Duration, Instant};

use super::smtp::through;
use super::wait_for_states;
use crate::support::TestApp;
use testkit::smtp_server::{Reaction, SmtpServer, Step};

/// As several providers say it. Each would have failed one mail after the other for good.
const ABOUT_US: [(Step, &str); 12] = [
    (Step::Recipient, "550 5.4.5 Daily user sending quota exceeded. - gsmtp"),
    (Step::Recipient, "550-5.4.5 Daily user sending\r\n550 5.4.5 quota exceeded. - gsmtp"),
    (Step::Recipient, "554 5.7.1 <ada@example.org>: Relay access denied"),
    (Step::Recipient, "550 relay not permitted"),
    (Step::Recipient, "535 5.7.8 Authentication credentials invalid"),
    (Step::Recipient, "553 5.1.8 Sender address rejected: Domain not found"),
    (Step::Recipient, "550 5.1.90 you've reached your daily limit for message recipients"),
    (Step::Data, "554 Message rejected: Email address is not verified."),
    (Step::Body, "550 5.7.60 SMTP; Client does not have permissions to send as this sender"),
    (Step::Body, "550 5.7.26 Unauthenticated email from example.org is not accepted"),
    (Step::Mail, "553 5.1.7 The sender's address is not valid"),
    (Step::Recipient, "454 Throttling failure: Daily message quota exceeded."),
];

#[test]
fn what_concerns_us_keeps_the_mails_and_asks_seldom() {
    const MAILS: usize = 12;
    // A few at a time: each has a site of its own.
    for some in ABOUT_US.chunks(3) {
        std::thread::scope(|scope| {
            for &(step, reply) in some {
                scope.spawn(move || {
                    let server = SmtpServer::start();
                    server.react(step, Reaction::Say(reply));
                    let app = TestApp::spawn_with(through(&server));
                    for _ in 0..MAILS {
                        app.book_well("General Admission", 1);
                    }
                    let begun = Instant::now();
                    while server.heard("MAIL") < 2 {
                        assert!(begun.elapsed() < Duration::from_secs(60), "{reply}: it is not tried again");
                        std::thread::sleep(Duration::from_millis(10));
                    }
                    wait_for_states(&app, &[("queued", MAILS as i64)]);
                    // Those that were under way together, and one after each pause.
                    let asked = server.heard("MAIL");
                    assert!(asked < MAILS, "{reply}: {asked} attempts for {MAILS} mails");
                    server.be_well();
                    wait_for_states(&app, &[("sent", MAILS as i64)]);
                });
            }
        });
    }
}

/// A recipient's own refusal costs that mail, and nobody else.
#[test]
fn what_concerns_a_recipient_costs_that_mail_alone() {
    for reply in [
        "550 5.1.1 The email account that you tried to reach does not exist.",
        "550 5.2.1 The email account that you tried to reach is disabled.",
        "550 5.1.1 <daily@relay.example>: Recipient address rejected: User unknown",
        "552 5.2.2 The email account that you tried to reach is over quota.",
        "550 No such user here",
        "511 sorry, no mailbox here by that name (#5.1.1)",
    ] {
        let server = SmtpServer::start();
        server.react(Step::Recipient, Reaction::Say(reply));
        let app = TestApp::spawn_with(through(&server));
        app.book_well("VIP", 1);
        wait_for_states(&app, &[("failed", 1)]);
        assert_eq!(server.heard("MAIL"), 1, "{reply}: tried once");
        server.be_well();
        app.book_well("VIP", 1);
        wait_for_states(&app, &[("failed", 1), ("sent", 1)]);
    }
}

/// Signing in fails, as after a changed password: nothing is lost, and it goes on once it is right again.
#[test]
fn a_sign_in_that_fails_keeps_the_mails() {
    let server = SmtpServer::start();
    server.react(Step::Auth, Reaction::Say("535 5.7.8 Username and Password not accepted"));
    let url = server.url().replace("smtp://", "smtp://ada:s3cret@");
    let app = TestApp::spawn_with(|config| {
        through(&server)(config);
        let url = techkraft::mail::transport::SmtpUrl::parse(&url).expect("a URL");
        config.mail.destination = techkraft::mail::transport::Destination::Server(url);
    });
    for _ in 0..5 {
        app.book_well("General Admission", 1);
    }
    let begun = Instant::now();
    while server.heard("AUTH") < 2 {
        assert!(begun.elapsed() < Duration::from_secs(60), "it is not tried again");
        std::thread::sleep(Duration::from_millis(10));
    }
    wait_for_states(&app, &[("queued", 5)]);
    server.be_well();
    wait_for_states(&app, &[("sent", 5)]);
}
