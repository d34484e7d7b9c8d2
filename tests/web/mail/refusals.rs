//! A mail server refuses mails because of our account: its quota, its sign-in, its policy. The mails wait together.

use std::fs::File;
use std::time::{Duration, Instant};

use super::smtp::through;
use super::wait_for_states;
use crate::command_line::{serve_logging, techkraft};
use crate::support::{TestApp, between, browser};
use testkit::database::TestDatabase;
use testkit::long::some;
use testkit::smtp_server::{Reaction, SmtpServer, Step};
use testkit::wait::within;

/// Replies of several providers about our account. With each of them, one mail after the other would have failed
/// permanently.
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
    // Run a few at a time, because each reply has its own site.
    for some in some(&ABOUT_US).chunks(3) {
        std::thread::scope(|scope| {
            for &&(step, reply) in some {
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
                    // The attempts are those that were under way together, and one after each pause.
                    let asked = server.heard("MAIL");
                    assert!(asked < MAILS, "{reply}: {asked} attempts for {MAILS} mails");
                    server.be_well();
                    wait_for_states(&app, &[("sent", MAILS as i64)]);
                });
            }
        });
    }
}

/// A refusal that concerns a recipient makes that mail fail, and no other mail.
#[test]
fn what_concerns_a_recipient_costs_that_mail_alone() {
    for reply in some(&[
        "550 5.1.1 The email account that you tried to reach does not exist.",
        "550 5.2.1 The email account that you tried to reach is disabled.",
        "550 5.1.1 <daily@relay.example>: Recipient address rejected: User unknown",
        "552 5.2.2 The email account that you tried to reach is over quota.",
        "550 No such user here",
        "511 sorry, no mailbox here by that name (#5.1.1)",
    ]) {
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

/// The sign-in to the mail server fails, as after a changed password: no mail is lost, and sending continues once the
/// sign-in works again.
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

/// One booking for each address.
fn book_for(app: &TestApp, emails: impl IntoIterator<Item = String>) {
    for email in emails {
        let checkout = app.open_checkout("General Admission", 1);
        assert_eq!(app.confirm_for(&email, &crate::support::browser(), &checkout, 1).status(), 303);
    }
}

/// Anybody can book for addresses that the mail server refuses, in words of all kinds.
#[test]
fn refused_recipients_never_stop_others() {
    const REFUSED: i64 = 12;
    const GOOD: i64 = 20;
    for reply in some(&[
        "554 5.7.1 <x>: Recipient address rejected: Access denied",
        "552 Mailbox limit exceeded for this email address",
        "550 Mailbox quota exceeded, too many messages in the mailbox",
        "522 5.7.1 mailbox full",
        "550 No such user - your account may have been moved",
        "550 login not found: user unknown",
        "550 5.7.1 RESOLVER.RST.AuthRequired",
        // These replies are ambiguous: the mail fails once mails to other recipients were accepted.
        "554 5.7.1 Message rejected as spam",
        "554 5.7.1 Message contains a virus",
        "550-Verification failed for <tickets@example.org>\r\n550-No Such User Here\r\n550 Sender verify failed",
        "550 5.1.1 <x>: host mx.example said: 550 sending quota exceeded for your account",
        "550",
    ]) {
        let server = SmtpServer::start();
        server.refuse("refused.example", reply.as_bytes());
        let app = TestApp::spawn_with(through(&server));
        book_for(&app, (0..REFUSED).map(|n| format!("ada{n}@refused.example")));
        let begun = Instant::now();
        book_for(&app, (0..GOOD).map(|n| format!("bob{n}@good.example")));
        server.wait_for(GOOD as usize);
        assert!(begun.elapsed() < Duration::from_secs(15), "{reply}: {:?}", begun.elapsed());
        let is_final = |app: &TestApp| app.database.count("mails WHERE state = 'failed'") == REFUSED as u64;
        while !is_final(&app) {
            assert!(begun.elapsed() < Duration::from_secs(60), "{reply}: they are not given up");
            // Other buyers keep booking.
            book_for(&app, ["zoe@good.example".to_owned()]);
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// The reply is about our account, but only some recipients get it: their mails wait, the other mails do not.
#[test]
fn words_about_us_that_only_some_recipients_hear_hold_up_those_alone() {
    let server = SmtpServer::start();
    server.refuse("refused.example", b"550 Sending quota exceeded for your account");
    let app = TestApp::spawn_with(through(&server));
    book_for(&app, (0..12).map(|n| format!("ada{n}@refused.example")));
    book_for(&app, (0..20).map(|n| format!("bob{n}@good.example")));
    server.wait_for(20);
    wait_for_states(&app, &[("queued", 12), ("sent", 20)]);
    server.be_well();
    wait_for_states(&app, &[("sent", 32)]);
}

/// Whether a reply means our account or a recipient, no mail is lost, and thousands of mails are not each tried.
#[test]
fn an_account_that_may_not_send_fails_no_mail() {
    const MAILS: i64 = 12;
    let replies = [
        "550 5.4.6 Unusual sending activity detected. Please try after sometime.",
        "552 5.2.2 You have exceeded the daily sending quota",
        "554 5.2.0 STOREDRV.Submission.Exception:OutboundSpamException",
        "550 Account suspended",
        "550 Outgoing mail from this account has been suspended",
        "550 5.2.1 Account disabled: please contact support",
        "550 SMTP access disabled for this user",
        "550 Your plan has expired",
        "550 Tageslimit erreicht",
        "550 Quota d'envoi dépassé",
        "554 Envoi limité",
    ];
    for some in some(&replies).chunks(3) {
        std::thread::scope(|scope| {
            for reply in some {
                scope.spawn(move || {
                    let server = SmtpServer::start();
                    server.react(Step::Recipient, Reaction::Say(reply));
                    let app = TestApp::spawn_with(through(&server));
                    book_for(&app, (0..MAILS).map(|n| format!("ada{n}@example.org")));
                    let begun = Instant::now();
                    while app.database.count("mails WHERE attempts > 1") == 0 && server.heard("RCPT") < 6 {
                        assert!(begun.elapsed() < Duration::from_secs(60), "{reply}: it is not tried again");
                        std::thread::sleep(Duration::from_millis(10));
                    }
                    wait_for_states(&app, &[("queued", MAILS)]);
                    server.be_well();
                    wait_for_states(&app, &[("sent", MAILS)]);
                });
            }
        });
    }
}

/// These servers ask unknown senders to retry later, without the word "greylisting".
#[test]
fn a_recipient_that_is_to_come_later_holds_up_nobody() {
    for reply in some(&[
        "451 4.7.1 Please try again later: first contact, deferred for 300 seconds",
        "451 4.7.1 You are unknown to us, please retry in 300 seconds",
        "451 4.7.1 Temporarily rejected. Try again later.",
        "451 4.3.0 Try again later (Postgrey)",
        "451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation",
    ]) {
        let server = SmtpServer::start();
        server.refuse("refused.example", reply.as_bytes());
        let app = TestApp::spawn_with(through(&server));
        book_for(&app, (0..8).map(|n| format!("ada{n}@refused.example")));
        let begun = Instant::now();
        book_for(&app, (0..8).map(|n| format!("bob{n}@good.example")));
        server.wait_for(8);
        assert!(begun.elapsed() < Duration::from_secs(5), "{reply}: {:?}", begun.elapsed());
        wait_for_states(&app, &[("queued", 8), ("sent", 8)]);
        server.be_well();
        wait_for_states(&app, &[("sent", 16)]);
    }
}

#[derive(diesel::QueryableByName)]
struct Text {
    #[diesel(sql_type = diesel::sql_types::Text)]
    text: String,
}

/// The reply's code decides, whatever the encoding and the length of its text. The readable part of the text is kept.
#[test]
fn a_reply_in_any_encoding_and_of_any_length_is_read() {
    let long: &'static [u8] = Vec::leak([b"550 5.1.1 no such user ".as_slice(), &[b'x'; 20_000]].concat());
    let many = "550-5.1.1 no such user\r\n".repeat(500) + "550 5.1.1 no such user";
    let cases: [(&'static [u8], &str); 6] = [
        (b"550 5.1.1 Empf\xe4nger unbekannt", "550 5.1.1 Empf\u{fffd}nger unbekannt"),
        (b"550-5.1.1 Empf\xe4nger\r\n550 5.1.1 unbekannt", "550 5.1.1 Empf\u{fffd}nger 5.1.1 unbekannt"),
        (b"550 5.1.1 no such user\n\r", "550 5.1.1 no such user"),
        ("550 5.1.1 \u{202e}no\u{200b} such\u{1b}[2K user\u{7}".as_bytes(), "550 5.1.1 no such [2K user"),
        (long, "550 5.1.1 no such user xxx"),
        (Vec::leak(many.into_bytes()), "550 5.1.1 no such user 5.1.1 no such user"),
    ];
    for &(reply, kept) in some(&cases) {
        let server = SmtpServer::start();
        server.react(Step::Recipient, Reaction::Bytes(reply));
        let app = TestApp::spawn_with(through(&server));
        app.book_well("VIP", 1);
        wait_for_states(&app, &[("failed", 1)]);
        let found = app.database.rows::<Text>("SELECT last_error AS text FROM mails");
        assert!(found[0].text.starts_with(kept) && found[0].text.len() < 1100, "{:?}", found[0].text);
    }
}

/// A mail server may write anything into a reply, including the recipient's address. Seen to fail when the reply was
/// logged: "550 5.1.1 <ada.lovelace@example.org>: user unknown".
#[test]
fn no_word_of_a_mail_server_is_in_the_log() {
    let (database, server) = (TestDatabase::seeded(), SmtpServer::start());
    server.react(Step::Recipient, Reaction::Say("550 5.1.1 <ada.lovelace@example.org>: user unknown"));
    let path = database.folder.path().join("log");
    let mut command = techkraft(&database);
    command.env("SMTP_URL", server.url()).env("MAIL_FROM", "tickets@example.org").env("RATE_LIMITS", "off");
    let mut running = serve_logging(&mut command, File::create(&path).expect("a file"));
    let client = browser();
    let page = |path: &str| {
        let page = client.get(format!("{}{path}", running.url)).send().expect("an answer");
        page.text().expect("a page")
    };
    let id = between(&page("/"), "name=\"ticket_type\" value=\"", "\"").to_owned();
    let checkout = page(&format!("/bookings/new?ticket_type={id}"));
    let key = between(&checkout, "name=\"request_key\" value=\"", "\"");
    let form = [
        ("ticket_type", id.as_str()),
        ("quantity", "1"),
        ("name", "Ada"),
        ("email", "Ada.Lovelace@example.org"),
        ("request_key", key),
    ];
    let booked = client.post(format!("{}/bookings", running.url)).form(&form).send().expect("an answer");
    assert_eq!(booked.status(), 303);
    // The organizer can read the server's reply.
    within(Duration::from_secs(30), "the mail has failed", || {
        database.count("mails WHERE last_error LIKE '%user unknown'") == 1
    });
    running.child.kill().expect("it runs");
    running.child.wait().expect("it has ended");
    let said = std::fs::read_to_string(&path).expect("a log");
    assert!(said.contains("(confirmation): failed: 550 5.1.1\n"), "{said}");
    assert!(!said.to_lowercase().contains("lovelace"), "{said}");
}
