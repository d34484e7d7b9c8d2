//! Mails while the server is killed or stopped, and when it must verify the mail server.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use diesel::QueryableByName;
use diesel::sql_types::BigInt;
use rand::RngExt as _;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

use testkit::blockade::Transaction;
use testkit::database::TestDatabase;
use testkit::outbox::OUTBOX;
use testkit::rush::{order, tier_ids};
use testkit::server::{Server, assert_verified};
use testkit::smtp_server::{Reaction, SmtpServer, Step};
use testkit::visitor::{Purchase, Visitor};

use super::holder_messages::{named_url, wait_until_gone};

const BUYERS: usize = 1_000;
const KILLS: usize = 6;
const NAME: &str = "mails";
const PASSWORD: &str = "a-password-that-no-log-shows";

fn settings(url: &str) -> [(&'static str, &str); 5] {
    [
        ("SMTP_URL", url),
        ("MAIL_FROM", "Box Office <tickets@example.org>"),
        ("MAIL_PER_SECOND", "200"),
        ("RUST_LOG", "debug,techkraft::request=warn"),
        ("WORKERS", "2"),
    ]
}

/// Books for `count` buyers, each with an email address of their own.
fn book(database: &TestDatabase, server: &Server, count: usize) -> Vec<Purchase> {
    database.execute("UPDATE ticket_types SET capacity = 100000, available = 100000, version = version + 1");
    let tier = tier_ids(database)[2];
    let purchases: Vec<Purchase> = (0..count).map(|_| order(tier, 1)).collect();
    thread::scope(|scope| {
        for purchases in purchases.chunks(count.div_ceil(8)) {
            scope.spawn(move || {
                let mut visitor = Visitor::new(server.address);
                for purchase in purchases {
                    assert_eq!(visitor.book(purchase).expect("an answer").status, 303);
                }
            });
        }
    });
    purchases
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

fn count(database: &TestDatabase, condition: &str) -> i64 {
    database.rows::<Count>(&format!("SELECT COUNT(*) AS count FROM {OUTBOX} WHERE {condition}"))[0].count
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(90), "never: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The mail's `Message-ID:` header line.
fn message_id(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().find(|line| line.starts_with("Message-ID:")).expect("each mail has one");
    line.to_owned()
}

/// Kills the server six times while it sends. A mail that was sent but not recorded yet is sent again, with the same
/// Message-ID.
#[test]
fn every_buyer_gets_the_mail_though_the_server_is_killed_in_mid_sending() {
    let (mail_server, database) = (SmtpServer::start(), TestDatabase::create());
    mail_server.react(Step::Greeting, Reaction::Say("421 4.3.2 not yet"));
    let url = mail_server.url();
    let named = named_url(&database, NAME);
    let mut settings = settings(&url).to_vec();
    settings.push(("DATABASE_URL", named.as_str()));
    let mut server = Server::start(&database, &settings);
    let purchases = book(&database, &server, BUYERS);
    mail_server.be_well();
    let mut kills = 0;
    while kills < KILLS {
        let before = mail_server.received().len();
        wait_until("it sends", || mail_server.received().len() > before + 20);
        thread::sleep(Duration::from_millis(rand::rng().random_range(0..250)));
        server.kill();
        kills += 1;
        assert!(count(&database, "state = 'queued'") > 0, "killed {kills} times, and all was sent before");
        wait_until_gone(&database, NAME);
        // As if two minutes had passed: the leases on the killed server's mails are over.
        database.execute("UPDATE mails SET due_at = queued_at WHERE state = 'queued'");
        server.start_again();
        server.wait_until_it_listens();
    }
    wait_until("all are sent", || count(&database, "state = 'sent'") == BUYERS as i64);
    let mut by_buyer: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for received in mail_server.received() {
        by_buyer.entry(received.to[0].clone()).or_default().push(message_id(&received.bytes));
    }
    for purchase in &purchases {
        assert!(by_buyer.contains_key(&purchase.email()), "no mail for {}", purchase.email());
    }
    assert_eq!(by_buyer.len(), BUYERS);
    let twice = by_buyer.values().filter(|ids| ids.len() > 1).count();
    assert!(twice > 0, "nothing was cut off, so nothing was proved");
    for (buyer, ids) in &by_buyer {
        assert!(ids.iter().all(|id| *id == ids[0]), "{buyer} has two mails that are not the same: {ids:?}");
    }
    let ids: std::collections::BTreeSet<&String> = by_buyer.values().map(|ids| &ids[0]).collect();
    assert_eq!(ids.len(), BUYERS, "each buyer's is another");
    println!("{BUYERS} buyers, {kills} kills, {twice} mails came twice");
    server.kill();
    assert_verified(&database);
}

/// After SIGTERM the server finishes and records the mails that it has begun, and gives back all others at once.
#[test]
fn a_stopping_server_finishes_the_mails_that_it_has_begun() {
    let (mail_server, database) = (SmtpServer::start(), TestDatabase::create());
    mail_server.react(Step::Body, Reaction::Late(Duration::from_secs(5)));
    let url = mail_server.url();
    let mut server = Server::start(&database, &settings(&url));
    book(&database, &server, 40);
    wait_until("four are on their way", || mail_server.heard("DATA") == 4);
    server.signal("-TERM");
    let begun = Instant::now();
    assert!(server.wait_until_it_ends().success());
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    assert_eq!(mail_server.received().len(), 4, "no other was begun");
    assert_eq!((count(&database, "state = 'sent'"), count(&database, "state = 'queued'")), (4, 36));
    assert_eq!(count(&database, "state = 'queued' AND due_at <= queued_at AND attempts = 0"), 36);
    mail_server.be_well();
    server.start_again();
    wait_until("the others are sent", || count(&database, "state = 'sent'") == 40);
    assert_eq!(mail_server.received().len(), 40, "none twice");
}

/// A statement that is still waiting in the database is rolled back when the connection ends; its mails are then free
/// for other servers.
/// Seen to fail when the runtime waits for its threads: the server did not end before the lock was released.
#[test]
fn a_server_that_is_told_to_stop_waits_for_no_database_that_does_not_answer() {
    let database = TestDatabase::create();
    let mut server = Server::start(&database, &[("RUST_LOG", "info,techkraft::request=warn")]);
    let locks = if database.is_postgres() { "BEGIN; LOCK TABLE mails IN EXCLUSIVE MODE" } else { "BEGIN" };
    let blockade = Transaction::begin(&database, locks);
    book(&database, &server, 1);
    if database.is_postgres() {
        let waiting = "pg_locks WHERE NOT granted AND relation = 'mails'::regclass";
        wait_until("the sender waits for the lock", || database.count(waiting) > 0);
    } else {
        thread::sleep(Duration::from_secs(1));
    }
    server.signal("-TERM");
    let begun = Instant::now();
    assert!(server.wait_until_it_ends().success());
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    blockade.end("ROLLBACK");
    server.start_again();
    wait_until("it is sent", || count(&database, "state = 'sent'") == 1);
}

struct Certificate {
    tls: ServerConfig,
    /// The certificate that a client must trust, as the text of a file.
    pem: String,
}

fn certificate() -> Certificate {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a server");
    Certificate { tls, pem: made.cert.pem() }
}

#[test]
fn over_starttls_the_password_and_the_mail_are_encrypted() {
    let certificate = certificate();
    let (mail_server, database) = (SmtpServer::with_tls(certificate.tls), TestDatabase::create());
    let trusted = database.folder.path().join("trusted.pem");
    std::fs::write(&trusted, certificate.pem).expect("a file");
    let url = format!("smtp://ada:{PASSWORD}@localhost:{}?tls=starttls", mail_server.address.port());
    let mut settings = settings(&url).to_vec();
    settings.push(("SSL_CERT_FILE", trusted.to_str().expect("a path")));
    let server = Server::start(&database, &settings);
    let purchases = book(&database, &server, 3);
    wait_until("they are sent", || count(&database, "state = 'sent'") == 3);
    assert!(mail_server.received().iter().all(|received| received.encrypted));
    assert!(mail_server.heard("AUTH") > 0);
    let log = server.logged();
    assert!(log.contains("): sent") && !log.contains(PASSWORD), "{log}");
    for purchase in &purchases {
        assert!(!log.to_lowercase().contains(&purchase.email().to_lowercase()), "{log}");
    }
}

/// A mail server whose certificate is wrong, or that offers no encryption, gets neither the password nor a mail.
#[test]
fn a_server_that_cannot_prove_who_it_is_gets_nothing() {
    for offers_tls in [true, false] {
        let mail_server = match offers_tls {
            true => SmtpServer::with_tls(certificate().tls),
            false => SmtpServer::start(),
        };
        let database = TestDatabase::create();
        let url = format!("smtp://ada:{PASSWORD}@localhost:{}?tls=starttls", mail_server.address.port());
        let server = Server::start(&database, &settings(&url));
        book(&database, &server, 1);
        wait_until("it was tried twice", || count(&database, "attempts >= 2") == 1);
        assert_eq!(mail_server.heard("AUTH") + mail_server.heard("MAIL"), 0);
        assert!(mail_server.received().is_empty());
        assert_eq!(count(&database, "state = 'queued' AND last_error IS NOT NULL"), 1);
        let log = server.logged();
        assert!(log.contains("so it waits") && !log.contains(PASSWORD), "{log}");
    }
}
