//! Several servers on one port.

use std::collections::HashSet;
use std::time::Duration;

use crate::connections::client::{Client, GET};
use testkit::database::TestDatabase;
use testkit::server::Server;

const WAIT: Duration = Duration::from_secs(10);

#[test]
fn servers_share_a_port_when_they_are_told_to_and_one_goes_on_without_the_other() {
    let database = TestDatabase::create();
    let shared = [("REUSE_PORT", "true"), ("RUST_LOG", "info")];
    let first = Server::start(&database, &shared);
    let mut second = Server::prepared(&database, &shared);
    second.listen_on(first.address);
    second.start_again();
    second.wait_until_it_listens();

    let is_heard = |server: &Server| server.logged().contains("GET /robots.txt 200");
    for _ in 0..200 {
        assert!(Client::connect(first.address).ask(GET, WAIT).starts_with("HTTP/1.1 200"));
    }
    assert!(is_heard(&first) && is_heard(&second), "the kernel deals the connections out to both");
    drop(first);
    let answers: HashSet<String> =
        (0..20).map(|_| Client::connect(second.address).ask(GET, WAIT)[..12].to_owned()).collect();
    assert_eq!(answers, HashSet::from(["HTTP/1.1 200".to_owned()]));
}

#[test]
fn a_port_that_is_taken_stops_the_start() {
    let database = TestDatabase::create();
    let first = Server::start(&database, &[]);
    let mut second = Server::prepared(&database, &[]);
    second.listen_on(first.address);
    let ended = second.start_and_end();
    assert!(!ended.success());
    assert!(second.logged().contains("BIND="), "{}", second.logged());
}
