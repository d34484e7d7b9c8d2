//! A server that is told to stop, with and without a drain period.

use std::time::{Duration, Instant};

use crate::connections::client::{Client, GET};
use testkit::database::TestDatabase;
use testkit::server::Server;
use testkit::wait::eventually;

const WAIT: Duration = Duration::from_secs(10);
/// Long enough for some requests while the server drains, even on a busy machine.
const DRAIN: Duration = Duration::from_secs(10);
const READY: &str = "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Seen to fail without the flag that makes answers close their connections: they kept their connections.
#[test]
fn a_draining_server_gives_notice_and_answers_until_its_time_is_over() {
    let database = TestDatabase::create();
    let mut server = Server::start(&database, &[("DRAIN_SECONDS", &DRAIN.as_secs().to_string())]);
    let mut old = Client::connect(server.address);
    let kept = old.ask(GET, WAIT);
    assert!(kept.starts_with("HTTP/1.1 200") && !kept.contains("connection: close"), "{kept}");
    assert!(Client::connect(server.address).ask(READY, WAIT).starts_with("HTTP/1.1 200"));

    let begun = Instant::now();
    server.signal("-TERM");
    let address = server.address;
    eventually("it says that it drains", || {
        Client::connect(address).ask(READY, WAIT).contains("\r\n\r\nDRAINING\n")
    });
    for _ in 0..5 {
        let page = Client::connect(address).ask(GET, WAIT);
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
        let ready = Client::connect(address).ask(READY, WAIT);
        assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("\r\n\r\nDRAINING\n"), "{ready}");
    }
    let last = old.ask(GET, WAIT);
    assert!(last.starts_with("HTTP/1.1 200") && last.contains("connection: close"), "{last}");
    assert!(server.wait_until_it_ends().success());
    assert!(begun.elapsed() >= DRAIN, "{:?}", begun.elapsed());
}

#[test]
fn a_second_signal_skips_the_notice() {
    let database = TestDatabase::create();
    let mut server = Server::start(&database, &[("DRAIN_SECONDS", "60")]);
    let _idle = Client::connect(server.address);
    server.signal("-TERM");
    let begun = Instant::now();
    std::thread::sleep(Duration::from_millis(300));
    server.signal("-INT");
    assert!(server.wait_until_it_ends().success());
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
}

#[test]
fn with_nobody_in_front_a_server_stops_at_once() {
    let database = TestDatabase::create();
    let mut server = Server::start(&database, &[]);
    let mut idle = Client::connect(server.address);
    assert!(idle.ask(GET, WAIT).starts_with("HTTP/1.1 200"));
    let begun = Instant::now();
    server.signal("-INT");
    assert!(server.wait_until_it_ends().success());
    println!("stopped after {:?}", begun.elapsed());
    // If it waited for the idle connection, it would stop after ten seconds.
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}

/// A request that never ends would delay the stop for ten seconds; a second Ctrl-C does not wait for it.
#[test]
fn a_second_signal_waits_for_nobody() {
    let database = TestDatabase::create();
    let mut server = Server::start(&database, &[]);
    let mut slow = Client::connect(server.address);
    slow.ask("GET / HTTP/1.1\r\nHost: loc", Duration::from_millis(300));
    let body = "POST /bookings HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000\r\n\
                Content-Type: application/x-www-form-urlencoded\r\n\r\nname=a";
    let mut endless = Client::connect(server.address);
    endless.ask(body, Duration::from_millis(300));
    let begun = Instant::now();
    server.signal("-INT");
    std::thread::sleep(Duration::from_millis(500));
    assert!(server.is_still_there(), "a request has begun");
    server.signal("-INT");
    server.wait_until_it_ends();
    assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
}
