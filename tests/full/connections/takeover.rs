//! A new process takes over the port while people poll and book, some on connections that they keep and some with a
//! new connection for each request: no connection is refused or cut off.

use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use testkit::blockade::Transaction;
use testkit::database::TestDatabase;
use testkit::rush::Rush;
use testkit::server::{Server, free_port};
use testkit::visitor::Visitor;

const TAKEOVERS: usize = 5;
const AVAILABILITY: &str = "/events/midnight-parade/availability";

/// The results of the polls.
#[derive(Default)]
struct Seen {
    polls: usize,
    longest: Duration,
    wrong: Vec<String>,
}

/// If the old process closed the port at once, without accepting the waiting connections, these would be reset.
#[test]
fn a_socket_that_is_handed_over_refuses_nobody_and_cuts_nobody_off() {
    let database = TestDatabase::create();
    let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = socket.local_addr().expect("an address");
    let start = || {
        let mut server = Server::prepared(&database, &[("DRAIN_SECONDS", "1")]);
        server.address = address;
        server.hand_over(&socket);
        server.start_again();
        server.wait_until_it_listens();
        server
    };
    let seen = take_over_again_and_again(&database, address, start);
    assert!(seen.wrong.is_empty(), "{:#?}", seen.wrong);
}

fn take_over_again_and_again(
    database: &TestDatabase,
    address: SocketAddr,
    start: impl Fn() -> Server,
) -> Seen {
    let mut server = start();
    let rush = Rush::on(database, [1_000_000; 3]);
    let seen = Mutex::<Seen>::default();
    thread::scope(|scope| {
        let _end = rush.until_dropped();
        for number in 0..6_u64 {
            let (rush, seen) = (&rush, &seen);
            scope.spawn(move || poll(rush, address, number % 2 == 0, seen));
            scope.spawn(move || rush.buy(&mut Visitor::new(address), number));
        }
        for _ in 0..TAKEOVERS {
            thread::sleep(Duration::from_millis(300));
            let next = start();
            server.signal("-TERM");
            assert!(server.wait_until_it_ends().success());
            server = next;
        }
    });
    let mut seen = seen.into_inner().expect("a lock");
    let orders = rush.ledger.lock().expect("a lock").statuses.clone();
    let lost = orders.get(&0).copied().unwrap_or(0);
    println!("{} polls, the longest {:?}; orders by status {orders:?}", seen.polls, seen.longest);
    if lost > 0 || orders.keys().any(|status| *status != 303) {
        seen.wrong.push(format!("orders by status, 0 for a lost connection: {orders:?}"));
    }
    rush.assert_true(database, &Visitor::new(address));
    seen
}

/// Polls without a pause, on one connection for as long as the server keeps it, or on a new one each time.
fn poll(rush: &Rush, address: SocketAddr, keeps: bool, seen: &Mutex<Seen>) {
    let mut visitor = Visitor::new(address);
    while !rush.is_over() {
        let begun = Instant::now();
        let answer = visitor.get(AVAILABILITY);
        let mut seen = seen.lock().expect("a lock");
        seen.polls += 1;
        seen.longest = seen.longest.max(begun.elapsed());
        match answer {
            Ok(answer) if answer.status == 200 => {}
            other => seen.wrong.push(format!("{:?}", other.map(|it| it.status))),
        }
        drop(seen);
        if !keeps {
            visitor.leave(false);
        }
    }
}

/// Socket activation as systemd does it: the socket exists before the server, and the first connection starts the
/// server.
#[test]
fn systemds_own_tool_hands_the_socket_over() {
    let database = TestDatabase::create();
    let mut server = Server::prepared(&database, &[]);
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    server.address = address;
    let mut starter = Command::new("systemd-socket-activate");
    starter.arg("--listen").arg(address.to_string());
    // The tool passes no other environment variables on.
    starter.args(["DATABASE_URL", "SECRET_KEY", "RUST_LOG"].map(|name| format!("--setenv={name}")));
    server.start_through(&mut starter);
    server.start_again();
    let begun = Instant::now();
    let mut visitor = Visitor::new(address);
    while visitor.get(AVAILABILITY).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", server.logged());
        thread::sleep(Duration::from_millis(20));
    }
    server.signal("-TERM");
    assert!(server.wait_until_it_ends().success());
}

/// While the previous server writes bookings, the database accepts no other writer.
/// Seen to fail on SQLite when the seed takes the write lock at every start: the start failed with "database is
/// locked".
#[test]
fn a_server_that_has_nothing_to_write_starts_while_another_one_writes() {
    let database = TestDatabase::create();
    let _before = Server::start(&database, &[]);
    let blockade = Transaction::blocking_writes(&database);
    let server = Server::start(&database, &[]);
    assert!(Visitor::new(server.address).get(AVAILABILITY).is_ok_and(|answer| answer.status == 200));
    blockade.end("ROLLBACK");
}
