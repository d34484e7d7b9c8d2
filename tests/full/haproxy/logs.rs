//! HAProxy's log contains no keys that would give access to bookings.

use std::net::UdpSocket;
use std::time::Duration;

use testkit::database::TestDatabase;
use testkit::rush::{order, tier_ids};
use testkit::server::Server;
use testkit::visitor::Visitor;
use testkit::wait::within;

use crate::haproxy::balancer::Balancer;
use crate::keys::{Keys, visits};

/// The log text that has arrived since the last call.
fn drain(log: &UdpSocket) -> String {
    let mut text = String::new();
    let mut line = [0; 4096];
    while let Ok(length) = log.recv(&mut line) {
        text.push_str(&String::from_utf8_lossy(&line[..length]));
        text.push('\n');
    }
    text
}

/// Seen to fail with `option httplog`.
#[test]
fn no_key_is_in_the_log() {
    let database = TestDatabase::create();
    let server = Server::start(&database, &[("TRUSTED_PROXIES", "127.0.0.1"), ("RUST_LOG", "info")]);
    let log = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    log.set_nonblocking(true).expect("a socket");
    let folder = tempfile::tempdir().expect("a folder");
    let at = log.local_addr().expect("an address");
    let balancer = Balancer::start_logging(folder.path(), &[("web1-blue", server.address)], Some(at));
    let alone =
        || balancer.is_up("web1-blue") && !["web2-blue", "web3-blue"].iter().any(|it| balancer.is_up(it));
    within(Duration::from_secs(30), "the server is up, and no other", alone);
    let mut visitor = Visitor::new(balancer.address);
    let booked = visitor.book(&order(tier_ids(&database)[0], 1)).expect("an answer");
    assert_eq!(booked.status, 303);
    let booking = booked.location().to_owned();
    let keys = Keys::of(&booking);
    for (path, referer) in visits(&keys) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nReferer: http://x{referer}\r\n\r\n");
        visitor.send(&request).and_then(|()| visitor.receive()).expect("an answer");
    }
    let mut text = String::new();
    within(Duration::from_secs(10), "the last visit's line", || {
        text.push_str(&drain(&log));
        text.contains("\"GET /events/midnight-parade HTTP/1.1\"")
    });
    keys.assert_unknown_to(&text);
    keys.assert_unknown_to(&server.logged());
    let cut = &booking[.."/bookings/".len() + 4];
    for line in [format!("\"GET {cut}... HTTP/1.1\""), "\"GET /bookings/find HTTP/1.1\"".into()] {
        assert!(text.contains(&line), "{line} in {text}");
    }
}
