//! A mail server that accepts mails, and one that does not.

use std::time::{Duration, Instant};

use mail_parser::MessageParser;
use techkraft::config::Config;
use techkraft::mail::transport::{Destination, SmtpUrl};

use super::wait_for_states;
use crate::support::TestApp;
use testkit::long::some;
use testkit::smtp_server::{Reaction, Received, SmtpServer, Step};

pub fn through(server: &SmtpServer) -> impl FnOnce(&mut Config) {
    let url = SmtpUrl::parse(&server.url()).expect("a URL");
    move |config| {
        config.mail.destination = Destination::Server(url);
        config.mail.limits.timeout = Duration::from_secs(1);
        config.mail.limits.retry_first = Duration::from_millis(100);
    }
}

pub fn message_id(received: &Received) -> String {
    let mail = MessageParser::default().parse(&received.bytes).expect("a mail");
    mail.message_id().expect("an id").to_owned()
}

#[test]
fn each_buyer_gets_one_mail_and_connections_are_used_again() {
    let server = SmtpServer::start();
    let app = TestApp::spawn_with(through(&server));
    for _ in 0..20 {
        app.book_well("General Admission", 1);
    }
    wait_for_states(&app, &[("sent", 20)]);
    let received = server.received();
    assert_eq!(received.len(), 20);
    assert!(received.iter().all(|it| it.to == ["ada@example.org"] && it.acknowledged));
    let mut ids: Vec<String> = received.iter().map(message_id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20, "each is a mail of its own");
    assert!(server.connections() <= 4, "{} connections for 20 mails", server.connections());
}

/// Each of these failures is temporary: the mail waits, is tried again, and arrives once the server works.
#[test]
fn what_passes_is_tried_again() {
    for &(step, reaction, tries_mean) in some(&[
        (Step::Greeting, Reaction::Say("421 4.3.2 shutting down"), "EHLO"),
        (Step::Greeting, Reaction::Say("554 5.3.2 not now"), "EHLO"),
        (Step::Greeting, Reaction::Hang, "EHLO"),
        (Step::Greeting, Reaction::HangUp, "EHLO"),
        (Step::Mail, Reaction::Say("451 4.7.1 slow down"), "MAIL"),
        (Step::Mail, Reaction::Say("550 5.7.1 not from you"), "MAIL"),
        (Step::Recipient, Reaction::Say("450 4.2.0 greylisted, come again"), "RCPT"),
        (Step::Recipient, Reaction::Say("530 5.7.0 sign in first"), "RCPT"),
        (Step::Recipient, Reaction::Hang, "RCPT"),
        (Step::Data, Reaction::Say("452 4.3.1 full"), "DATA"),
        (Step::Body, Reaction::Say("451 4.3.0 try again"), "DATA"),
        (Step::Body, Reaction::Hang, "DATA"),
    ]) {
        let server = SmtpServer::start();
        server.react(step, reaction);
        let app = TestApp::spawn_with(through(&server));
        app.book_well("VIP", 1);
        let begun = Instant::now();
        let tries = || if tries_mean == "EHLO" { server.connections() } else { server.heard(tries_mean) };
        while tries() < 2 {
            assert!(begun.elapsed() < Duration::from_secs(30), "{step:?} {reaction:?} is not tried again");
            std::thread::sleep(Duration::from_millis(10));
        }
        wait_for_states(&app, &[("queued", 1)]);
        server.be_well();
        wait_for_states(&app, &[("sent", 1)]);
        let received = server.received();
        let first = message_id(&received[0]);
        assert!(received.iter().all(|it| message_id(it) == first), "{step:?} {reaction:?}");
        assert_eq!(received.iter().filter(|it| it.acknowledged).count(), 1, "{step:?} {reaction:?}");
    }
}

/// The server has accepted the mail, but its answer is lost. The sender cannot know this, so it sends the mail again,
/// with the same Message-ID.
#[test]
fn what_was_cut_off_after_the_last_word_comes_again_as_the_same_mail() {
    let server = SmtpServer::start();
    server.react(Step::Body, Reaction::HangUp);
    let app = TestApp::spawn_with(through(&server));
    app.book_well("VIP", 1);
    server.wait_for(2);
    server.be_well();
    wait_for_states(&app, &[("sent", 1)]);
    let ids: Vec<String> = server.received().iter().map(message_id).collect();
    assert!(ids.len() >= 3 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

/// A 5xx reply about one mail is permanent, and does not affect other mails.
#[test]
fn what_is_refused_for_good_fails_at_once() {
    for (step, text) in [
        (Step::Recipient, "550 5.1.1 no such user"),
        (Step::Data, "554 5.5.1 no valid recipients"),
        (Step::Body, "554 5.6.0 nobody wants that"),
    ] {
        let server = SmtpServer::start();
        server.react(step, Reaction::Say(text));
        let app = TestApp::spawn_with(through(&server));
        app.book_well("VIP", 1);
        wait_for_states(&app, &[("failed", 1)]);
        assert_eq!(server.heard("MAIL"), 1, "{text}: tried once");
        server.be_well();
        app.book_well("VIP", 1);
        wait_for_states(&app, &[("failed", 1), ("sent", 1)]);
        assert_eq!(server.connections(), 1, "{text}: the connection is still good");
    }
}

/// No mail server listens: only a few of many mails are tried, and all of them arrive when a server listens again.
#[test]
fn while_nobody_answers_the_mails_wait_together() {
    let server = SmtpServer::start();
    let address = server.address;
    let app = TestApp::spawn_with(through(&server));
    drop(server);
    for _ in 0..30 {
        app.book_well("General Admission", 1);
    }
    std::thread::sleep(Duration::from_secs(2));
    let tried: Vec<Tried> = app.database.rows("SELECT COUNT(*) AS count FROM mails WHERE attempts > 0");
    assert!((1..=8).contains(&tried[0].count), "{tried:?} of 30 mails have found out");
    let server = SmtpServer::on(address, None);
    wait_for_states(&app, &[("sent", 30)]);
    assert_eq!(server.received().len(), 30);
}

#[derive(Debug, diesel::QueryableByName)]
struct Tried {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

/// The mail server hangs, and a buyer notices nothing of it.
#[test]
fn a_buyer_never_waits_for_mail() {
    let server = SmtpServer::start();
    server.react(Step::Greeting, Reaction::Hang);
    let app = TestApp::spawn_with(through(&server));
    for _ in 0..10 {
        let checkout = app.open_checkout("General Admission", 1);
        let begun = Instant::now();
        assert_eq!(app.confirm(&checkout, 1).status(), 303);
        assert!(begun.elapsed() < Duration::from_millis(900), "{:?}", begun.elapsed());
    }
}

/// After a day, which is an instant here, undeliverable mails have failed: those that were tried and those that were
/// only waiting.
#[test]
fn what_nobody_takes_for_too_long_has_failed() {
    let server = SmtpServer::start();
    server.react(Step::Recipient, Reaction::Say("450 4.2.0 come again"));
    let app = TestApp::spawn_with(|config| {
        through(&server)(config);
        config.mail.limits.gives_up_after = Duration::from_millis(1);
    });
    app.book_well("VIP", 1);
    wait_for_states(&app, &[("failed", 1)]);
    server.react(Step::Mail, Reaction::HangUp);
    server.react(Step::Greeting, Reaction::HangUp);
    for _ in 0..5 {
        app.book_well("General Admission", 1);
    }
    wait_for_states(&app, &[("failed", 6)]);
}

/// Two servers of one site share the work, and neither sends a mail that the other has taken.
#[test]
fn two_servers_send_each_mail_once() {
    const MAILS: usize = 120;
    let server = SmtpServer::start();
    server.react(Step::Greeting, Reaction::Say("421 4.3.2 not yet"));
    let named = |name: &'static str| {
        let through = through(&server);
        move |config: &mut Config| {
            through(config);
            config.mail.limits.per_second = 100;
            config.public_url = Some(format!("http://{name}.example.org"));
        }
    };
    let one = TestApp::spawn_with(named("one"));
    let two = one.another_server_with(named("two"));
    for _ in 0..MAILS {
        one.book_well("General Admission", 1);
    }
    server.be_well();
    // Each server retries on its own schedule, so the test books more until both have sent a mail.
    let sent = |name: &str| server.received_from(&format!("{name}.example.org"));
    let (mut mails, begun) = (MAILS, Instant::now());
    while sent("one") == 0 || sent("two") == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "{} and {}", sent("one"), sent("two"));
        one.book_well("General Admission", 1);
        mails += 1;
        std::thread::sleep(Duration::from_millis(100));
    }
    wait_for_states(&one, &[("sent", mails as i64)]);
    drop(two);
    let mut ids: Vec<String> = server.received().iter().map(message_id).collect();
    assert_eq!(ids.len(), mails, "no mail twice");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), mails);
    println!("one has sent {}, two {}", sent("one"), sent("two"));
}
