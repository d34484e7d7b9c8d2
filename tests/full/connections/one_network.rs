//! One address opens as many connections as it can: it gets its share, and all other addresses get theirs. The server
//! may open only a few files, and so takes only a few connections, so that a test can use them all up.

use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};
use testkit::database::TestDatabase;
use testkit::server::Server;

use crate::connections::client::{Client, GET};

const WAIT: Duration = Duration::from_secs(10);

/// A server with rate limits on, and the number of connections that it takes.
fn small_server(database: &TestDatabase, settings: &[(&str, &str)]) -> (Server, usize) {
    let mut server = Server::prepared(database, &[settings, &[("RATE_LIMITS", "on")]].concat());
    server.limit_descriptors(500);
    server.start_again();
    server.wait_until_it_listens();
    let log = server.logged();
    let (_, after) = log.split_once("so it holds ").expect("the limit");
    let room = after.split_once(' ').and_then(|(room, _)| room.parse().ok()).expect("a number");
    (server, room)
}

fn connect_from(last: u8, server: SocketAddr) -> Client {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let own = SocketAddr::new(IpAddr::from([127, 0, 1, last]), 0);
    socket.bind(&own.into()).expect("an address of this machine");
    socket.connect(&server.into()).expect("it listens");
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true).expect("a socket");
    Client(stream)
}

/// How many of the clients get an answer.
fn answered(clients: &mut [Client]) -> usize {
    clients
        .iter_mut()
        .filter_map(|client| client.ask(GET, WAIT).starts_with("HTTP/1.1 200").then_some(()))
        .count()
}

/// Without the limit, all of the address's connections are answered, and others wait until one of them has been idle
/// for too long.
#[test]
fn one_address_gets_its_part_and_the_others_are_answered_at_once() {
    let database = TestDatabase::create();
    let (server, room) = small_server(&database, &[]);
    let mut greedy: Vec<Client> = (0..2 * room).map(|_| connect_from(1, server.address)).collect();
    assert_eq!(answered(&mut greedy), 32, "of {room}");
    for last in 2..50 {
        assert!(connect_from(last, server.address).ask(GET, WAIT).starts_with("HTTP/1.1 200"));
    }
    // When the address closes connections, it can open new ones.
    drop(greedy.drain(..10));
    testkit::wait::eventually("a place", || {
        connect_from(1, server.address).ask(GET, WAIT).starts_with("HTTP/1.1 200")
    });
    assert!(
        server.logged().contains("127.0.1.1/32 has reached its limit of 32 connections"),
        "{}",
        server.logged()
    );
}

#[test]
fn a_trusted_proxy_may_have_all() {
    let database = TestDatabase::create();
    let (server, room) = small_server(&database, &[("TRUSTED_PROXIES", "127.0.1.0/24")]);
    let mut proxied: Vec<Client> = (0..room * 3 / 4).map(|_| connect_from(1, server.address)).collect();
    assert_eq!(answered(&mut proxied), proxied.len());
}

/// Without `ConnectionTable::keep_room`, Ada waits for more than a minute.
#[test]
fn many_addresses_that_say_nothing_keep_nobody_out_for_long() {
    let database = TestDatabase::create();
    let (server, room) = small_server(&database, &[]);
    // More connections than the server takes, from addresses that each stay below their share.
    let _silent: Vec<Client> =
        (0..room + 50).map(|number| connect_from((number / 20) as u8 + 1, server.address)).collect();
    let begun = Instant::now();
    let mut ada = connect_from(200, server.address);
    let answer = ada.ask(GET, Duration::from_secs(40));
    assert!(answer.starts_with("HTTP/1.1 200"), "after {:?}: {answer}", begun.elapsed());
}
