//! Replicas that are not usable when the server starts.

use std::net::TcpListener;
use std::time::{Duration, Instant};
use testkit::wait::eventually;

use crate::replicas::site::count_of_port;
use testkit::cluster::Cluster;
use testkit::server::{Server, free_port};
use testkit::visitor::Visitor;

/// Four wrong addresses: nothing listens; something listens and never answers; the primary itself; another database.
#[test]
fn a_server_starts_whatever_its_standbys_are_and_says_once_what_is_wrong_with_each() {
    let primary = Cluster::start();
    let other = Cluster::start();
    let database = primary.database();
    let silent = TcpListener::bind(("127.0.0.1", free_port())).expect("a port");
    let ports = [free_port(), silent.local_addr().expect("an address").port(), primary.port, other.port];
    let urls = ports.map(|port| database.url.replace(&format!(":{}/", primary.port), &format!(":{port}/")));
    let begun = Instant::now();
    let server = Server::start(
        &database,
        &[("DATABASE_READ_URLS", &urls.join(",")), ("BOARD_REFRESH_MS", "50"), ("RUST_LOG", "info")],
    );
    let started_after = begun.elapsed();
    assert_eq!(Visitor::new(server.address).get("/").expect("a page").status, 200);
    let reasons = ["Connection refused", "timeout expired", "it is not a standby:", "it is not a standby of"];
    for (port, why) in ports.into_iter().zip(reasons) {
        eventually(why, || count_of_port(&server, port, why) == 1);
    }
    // Meanwhile the server probes each of them several more times.
    std::thread::sleep(Duration::from_secs(4));
    for port in ports {
        assert_eq!(count_of_port(&server, port, "is left out"), 1, "{}", server.logged());
    }
    assert!(!server.logged().contains("is in use") && !server.logged().contains("WARN r2d2"));
    assert!(started_after < Duration::from_secs(20), "it has waited for a replica: {started_after:?}");
}
