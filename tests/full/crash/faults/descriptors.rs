//! The server runs out of file descriptors.

use std::fs;
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::Duration;
use testkit::wait::eventually;

use testkit::database::TestDatabase;
use testkit::rush::{Rush, order, tier_ids};
use testkit::server::{Server, assert_verified, logged_errors};
use testkit::visitor::Visitor;

/// The running server's limit is lowered to the number of descriptors that it has open, so that it can open no
/// connection and no file. Connected visitors are still served, and all others once the limit is raised again.
#[test]
fn without_file_descriptors_connected_visitors_are_served_and_the_server_recovers() {
    let database = TestDatabase::create();
    let server = Server::start(&database, &[]);
    let rush = Rush::on(&database, [300, 5_000, 1_000_000]);
    let general = tier_ids(&database)[2];
    let mut inside = Visitor::new(server.address);
    assert!(rush.settle(&mut inside, &order(general, 1)).is_some());
    let open = fs::read_dir(format!("/proc/{}/fd", server.id())).expect("Linux").count();
    limit(server.id(), open);
    let crowd: Vec<TcpStream> =
        (0..50).map(|_| TcpStream::connect(server.address).expect("the kernel takes it")).collect();
    for _ in 0..20 {
        assert!(rush.settle(&mut inside, &order(general, 1)).is_some(), "who is in can book");
        thread::sleep(Duration::from_millis(20));
    }
    limit(server.id(), 1_000);
    drop(crowd);
    eventually("newcomers are served again", || {
        Visitor::new(server.address).get("/healthy-or-not").is_ok_and(|answer| answer.status == 404)
    });
    assert!(rush.settle(&mut Visitor::new(server.address), &order(general, 1)).is_some());
    let errors = logged_errors(&database);
    assert!(errors.iter().all(|it| it.contains("Too many open files")) && !errors.is_empty(), "{errors:#?}");
    assert_eq!(database.count("bookings"), 22);
    assert_verified(&database);
}

fn limit(process: u32, most: usize) {
    let mut prlimit = Command::new("prlimit");
    let status = prlimit.args([format!("--pid={process}"), format!("--nofile={most}:")]).status();
    assert!(status.expect("prlimit runs").success());
}
