//! A site during an upgrade: servers of both releases, and the checks that both make of the database.

use std::thread;

use testkit::database::TestDatabase;
use testkit::previous_release;
use testkit::rush::Rush;
use testkit::server::{Server, assert_verified, assert_verified_by, release};
use testkit::visitor::{Answer, Visitor};

/// A server of the previous release.
pub fn previous(database: &TestDatabase) -> Server {
    let mut server = Server::of_release(previous_release::binary(), database, &previous_release::SETTINGS);
    server.start_again();
    server.wait_until_it_listens();
    server
}

pub fn readiness(server: &Server) -> Answer {
    Visitor::new(server.address).get("/readyz").expect("an answer")
}

pub fn sell(rush: &Rush, server: &Server) {
    let sold = || rush.ledger.lock().expect("a lock").confirmed.len();
    let before = sold();
    thread::scope(|scope| {
        for buyer in 0..8 {
            let mut visitor = Visitor::new(server.address);
            let mut random = rush.random(buyer + before as u64);
            scope.spawn(move || {
                for _ in 0..20 {
                    rush.settle(&mut visitor, &rush.purchase(&mut random));
                }
            });
        }
    });
    assert!(sold() > before);
}

/// Checks that `techkraft verify` of both releases finds nothing wrong.
pub fn assert_verified_by_both(database: &TestDatabase) {
    assert_verified(database);
    assert_verified_by(release(previous_release::binary(), database));
}
