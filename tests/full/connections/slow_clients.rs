//! Clients that hold a connection by being slow. When `TimedStream::pending_in_time` always returns `Poll::Pending`,
//! all of these tests fail except the one of the idle connection.

use std::io::{Read as _, Write as _};
use std::thread;
use std::time::{Duration, Instant};

use crate::connections::client::{Client, GET};
use testkit::database::TestDatabase;
use testkit::server::Server;

const TIMEOUT: Duration = Duration::from_secs(2);
/// The latest time at which a connection may be cut off, even on a busy machine.
const LATEST: Duration = Duration::from_secs(12);
const SETTINGS: &[(&str, &str)] = &[("REQUEST_TIMEOUT_SECONDS", "2"), ("DESK_DEADLINE_MS", "1000")];
const WAIT: Duration = Duration::from_secs(10);

/// Sends bytes until the server cuts the connection off, which must not be too early. `begun`: before the server can
/// have begun to measure.
fn assert_cut_off_in_time(client: &mut Client, text: &str, begun: Instant) {
    client.dribble(text, LATEST);
    assert!(begun.elapsed() >= TIMEOUT, "{:?}", begun.elapsed());
}

#[test]
fn a_head_that_never_ends_is_cut_off_on_the_first_request_and_on_a_later_one() {
    let database = TestDatabase::create();
    let server = Server::start(&database, SETTINGS);
    let endless = "GET / HTTP/1.1\r\nX-Endless: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let begun = Instant::now();
    let mut first = Client::connect(server.address);
    assert_cut_off_in_time(&mut first, endless, begun);

    let begun = Instant::now();
    let mut later = Client::connect(server.address);
    assert!(later.ask(GET, WAIT).starts_with("HTTP/1.1 200"));
    assert_cut_off_in_time(&mut later, endless, begun);
}

#[test]
fn a_body_that_never_ends_is_cut_off() {
    let database = TestDatabase::create();
    let server = Server::start(&database, SETTINGS);
    let begun = Instant::now();
    let mut client = Client::connect(server.address);
    let head = "POST /bookings HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000\r\n\
                Content-Type: application/x-www-form-urlencoded\r\n\r\n";
    client.0.write_all(head.as_bytes()).unwrap();
    assert_cut_off_in_time(&mut client, "name=a", begun);
}

#[test]
fn a_client_that_never_reads_is_cut_off() {
    let database = TestDatabase::create();
    let server = Server::start(&database, SETTINGS);
    let mut client = Client::connect(server.address);
    client.0.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let begun = Instant::now();
    // The answers are larger than the kernel's buffers. The requests are fewer bytes than a client may send without
    // reading an answer.
    client.0.write_all("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(1000).as_bytes()).unwrap();
    // The buffers are full, so nothing more arrives until the reset, which discards the buffered data.
    while !client.is_reset() {
        assert!(begun.elapsed() < Duration::from_secs(40), "still connected");
        thread::sleep(Duration::from_millis(50));
    }
    assert!(begun.elapsed() >= TIMEOUT);
}

/// `connections::read_pace` tests the exact minimum pace.
#[test]
fn a_client_that_reads_slowly_gets_all_and_one_that_hardly_reads_is_cut_off() {
    let database = TestDatabase::create();
    let server = Server::start(&database, SETTINGS);
    let (begun, mut cut_after, mut length) = (Instant::now(), None, 0);
    let [mut slow, mut stuck] = [(); 2].map(|()| Client::connect_with_window(server.address, 4096));
    let requests = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(99);
    let last = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    for client in [&mut slow, &mut stuck] {
        client.0.write_all((requests.clone() + last).as_bytes()).unwrap();
    }
    let mut is_cut_off = || stuck.0.read(&mut [0; 8]).is_err() || stuck.is_reset();
    loop {
        if is_cut_off() {
            cut_after.get_or_insert(begun.elapsed());
        }
        match slow.0.read(&mut [0; 20_000]).expect("it is still served") {
            0 => break,
            more => length += more,
        }
        thread::sleep(Duration::from_millis(20));
    }
    assert!(length > 99 * 10_000 && begun.elapsed() > TIMEOUT, "{length} in {:?}", begun.elapsed());
    // The slow client may have all before the other one is cut off.
    while cut_after.is_none() {
        assert!(begun.elapsed() < Duration::from_secs(40), "still connected");
        cut_after = is_cut_off().then(|| begun.elapsed());
        thread::sleep(Duration::from_millis(20));
    }
    assert!(cut_after.is_some_and(|cut_after| cut_after >= TIMEOUT), "{cut_after:?}");
}

#[test]
fn half_a_request_behind_a_whole_one_is_cut_off() {
    let database = TestDatabase::create();
    let server = Server::start(&database, SETTINGS);
    let begun = Instant::now();
    let mut client = Client::connect(server.address);
    assert!(client.ask(&format!("{GET}GET / HTTP/1.1\r\nX-A: "), WAIT).starts_with("HTTP/1.1 200"));
    assert_cut_off_in_time(&mut client, "a", begun);
}

#[test]
fn an_idle_connection_stays_for_longer_than_a_request_may_take() {
    let database = TestDatabase::create();
    let server = Server::start(&database, SETTINGS);
    let mut polls = Client::connect(server.address);
    for _ in 0..3 {
        assert!(polls.ask(GET, WAIT).starts_with("HTTP/1.1 200"));
        thread::sleep(TIMEOUT + Duration::from_millis(500));
    }
    assert!(polls.ask(GET, WAIT).starts_with("HTTP/1.1 200"));
}

#[test]
fn three_hundred_slow_clients_keep_nobody_waiting() {
    let database = TestDatabase::create();
    // Longer than fifty answers take, even on a busy machine.
    let timeout = Duration::from_secs(20);
    let server = Server::start(&database, &[("REQUEST_TIMEOUT_SECONDS", &timeout.as_secs().to_string())]);
    let slow: Vec<Client> = (0..300)
        .map(|_| {
            let mut client = Client::connect(server.address);
            client.0.write_all(b"GET / HTTP/1.1\r\nHost: loc").unwrap();
            client
        })
        .collect();
    let begun = Instant::now();
    for _ in 0..50 {
        assert!(Client::connect(server.address).ask(GET, WAIT).starts_with("HTTP/1.1 200"));
    }
    assert!(begun.elapsed() < timeout, "{:?}", begun.elapsed());
    for mut client in slow {
        assert!(client.is_closed_within(Duration::from_secs(60)), "cut off, and nothing but that");
    }
}
