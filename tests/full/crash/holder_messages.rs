//! The organizer writes to all holders, and the server is killed while it queues the mails and while it sends them.

use std::collections::{BTreeMap, BTreeSet};

use testkit::database::TestDatabase;
use testkit::server::{Server, assert_verified};
use testkit::smtp_server::{Reaction, SmtpServer, Step};
use testkit::visitor::Visitor;
use testkit::wait::eventually;

use super::event_cancellation::book_many;

/// Each person has the same number of bookings.
const PEOPLE: u64 = 300;
const BOOKINGS: u64 = 900;
const KILLS: u64 = 3;
const NAME: &str = "holder-messages";
const QUEUED: &str = "mails WHERE kind = 'message'";

/// The database's URL for a server whose sessions PostgreSQL lists under this name.
pub fn named_url(database: &TestDatabase, name: &str) -> String {
    if !database.is_postgres() {
        return database.url.clone();
    }
    format!("{}&application_name={}", database.url, of_this_process(name))
}

/// PostgreSQL may still be running a killed server's last statement: waits until the server's sessions are gone.
pub fn wait_until_gone(database: &TestDatabase, name: &str) {
    if database.is_postgres() {
        let sessions = format!("pg_stat_activity WHERE application_name = '{}'", of_this_process(name));
        eventually("the killed server's sessions are gone", || database.count(&sessions) == 0);
    }
}

/// Another run of the tests may use the same PostgreSQL.
fn of_this_process(name: &str) -> String {
    format!("{name}-{}", std::process::id())
}

/// Kills the server, and ends its leases, so that any server may take its jobs and mails at once.
fn kill(server: &mut Server, database: &TestDatabase) {
    server.kill();
    wait_until_gone(database, NAME);
    database.execute("UPDATE event_jobs SET leased_until = created_at WHERE finished_at IS NULL");
    database.execute("UPDATE mails SET due_at = queued_at WHERE state = 'queued'");
}

#[test]
fn every_holder_gets_the_message_once_though_the_server_is_killed_in_the_middle() {
    let (mail_server, database) = (SmtpServer::start(), TestDatabase::create());
    mail_server.react(Step::Greeting, Reaction::Say("421 4.3.2 not yet"));
    let (url, named) = (mail_server.url(), named_url(&database, NAME));
    let settings = [
        ("SMTP_URL", url.as_str()),
        ("MAIL_FROM", "Box Office <tickets@example.org>"),
        ("MAIL_PER_SECOND", "100"),
        ("DATABASE_URL", named.as_str()),
    ];
    let mut server = Server::start(&database, &settings);
    let password = server.admin_password().expect("one was made");
    book_many(&database, BOOKINGS, PEOPLE);
    database.execute(
        "INSERT INTO mails (booking_id, kind, queued_at, due_at, sent_at, state)
         SELECT id, 'confirmation', created_at, created_at, created_at, 'sent' FROM bookings",
    );
    let mut organizer = Visitor::new(server.address);
    let sign_in = [("username", "admin".to_owned()), ("password", password)];
    organizer.post("/admin/sign-in", &sign_in).expect("an answer");
    let form = [
        ("subject", "Doors at 6".to_owned()),
        ("text", "Come early.".to_owned()),
        ("act", "send".to_owned()),
    ];
    let answer = organizer.post("/admin/events/midnight-parade/messages", &form).expect("an answer");
    assert_eq!(answer.status, 303);

    let done = |some: u64| database.count(&format!("event_jobs WHERE done >= {some}")) == 1;
    for number in 1..=KILLS {
        // Early, so that a late kill is still in the middle.
        eventually("some bookings are looked at", || done(number * BOOKINGS / (3 * KILLS)));
        kill(&mut server, &database);
        assert!(!done(BOOKINGS), "it was done before the kill, so nothing was proved");
        server.start_again();
        server.wait_until_it_listens();
    }
    eventually("the job is done", || database.count("event_jobs WHERE finished_at IS NOT NULL") == 1);
    assert_eq!(database.count(QUEUED), PEOPLE, "one for each person");
    assert_eq!(database.count(&format!("event_jobs WHERE done = {BOOKINGS} AND total = {BOOKINGS}")), 1);

    mail_server.be_well();
    for _ in 0..KILLS {
        let before = mail_server.received().len();
        eventually("it sends", || mail_server.received().len() > before + 20);
        kill(&mut server, &database);
        assert!(
            database.count(&format!("{QUEUED} AND state = 'queued'")) > 0,
            "all was sent before the kill, so nothing was proved"
        );
        server.start_again();
        server.wait_until_it_listens();
    }
    eventually("all are sent", || database.count(&format!("{QUEUED} AND state = 'sent'")) == PEOPLE);
    let mut by_holder: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for received in mail_server.received() {
        let text = String::from_utf8_lossy(&received.bytes).into_owned();
        let id = text.lines().find(|line| line.starts_with("Message-ID:")).expect("each mail has one");
        by_holder.entry(received.to[0].clone()).or_default().insert(id.to_owned());
    }
    let people: BTreeSet<String> = (0..PEOPLE).map(|n| format!("buyer{n}@example.org")).collect();
    assert_eq!(by_holder.keys().cloned().collect::<BTreeSet<_>>(), people);
    // A mail that a killed server had sent but not recorded is sent again, with the same Message-ID.
    assert!(by_holder.values().all(|ids| ids.len() == 1), "{by_holder:?}");
    server.kill();
    assert_verified(&database);
}
