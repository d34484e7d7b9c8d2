//! As many connections as the limit allows, and one more.

use std::time::Duration;

use crate::connections::client::{Client, GET};
use testkit::database::TestDatabase;
use testkit::server::Server;

const WAIT: Duration = Duration::from_secs(10);
const MOMENT: Duration = Duration::from_millis(400);

#[test]
fn one_more_than_the_limit_waits_until_somebody_goes() {
    let database = TestDatabase::create();
    let mut server = Server::prepared(&database, &[("WORKERS", "1")]);
    server.limit_descriptors(300);
    server.start_again();
    server.wait_until_it_listens();
    let log = server.logged();
    let (_, after) = log.split_once("so it holds ").expect("the limit");
    let limit: usize = after.split_once(' ').and_then(|(limit, _)| limit.parse().ok()).expect("a number");
    let mut inside: Vec<Client> = (0..limit).map(|_| Client::connect(server.address)).collect();
    assert!(inside.iter_mut().all(|client| client.ask(GET, WAIT).starts_with("HTTP/1.1 200")));

    let mut waiting = Client::connect(server.address);
    assert_eq!(waiting.ask(GET, MOMENT), "", "it waits in the backlog");
    inside.pop();
    assert!(waiting.hear(WAIT).starts_with("HTTP/1.1 200"));
}

/// Seen to fail without `connections::fit`: the three hundredth visitor left no file descriptor for SQLite, and the
/// confirmation was a 503.
#[test]
fn visitors_leave_the_database_its_descriptors() {
    let database = TestDatabase::create();
    let mut server = Server::prepared(&database, &[]);
    server.limit_descriptors(300);
    server.start_again();
    server.wait_until_it_listens();
    let _crowd: Vec<Client> = (0..400)
        .map(|_| {
            let mut client = Client::connect(server.address);
            client.ask(GET, Duration::from_millis(1));
            client
        })
        .collect();
    assert!(server.logged().contains("this process may open 300 files"));
    assert_eq!(server.logged().matches("unable to open").count(), 0, "{}", server.logged());
    assert!(!server.logged().contains("Too many open files"), "{}", server.logged());
}
