//! A release that is taken back: what has been sold meanwhile stays sold, and selling goes on.

use std::thread;

use crate::database::TestDatabase;
use crate::rush::Rush;
use crate::server::Server;
use crate::side_by_side::{assert_verified_by_both, previous};
use crate::visitor::Visitor;

/// The site began with the release before, so that its own data is migrated.
#[test]
fn the_release_before_goes_on_where_the_new_one_is_taken_back() {
    let database = TestDatabase::create();
    let mut before = previous(&database);
    let rush = Rush::on(&database, [50, 500, 100_000]);
    sell(&rush, &before);
    assert!(stop(&mut before));
    let mut new = Server::start(&database, &[]);
    sell(&rush, &new);
    assert!(stop(&mut new));
    let before = previous(&database);
    let ready = Visitor::new(before.address).get("/readyz").expect("an answer");
    assert_eq!(ready.status, 200, "{}", ready.body);
    sell(&rush, &before);
    rush.assert_true(&database, &Visitor::new(before.address));
    assert_verified_by_both(&database);
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

pub fn stop(server: &mut Server) -> bool {
    server.signal("-TERM");
    server.wait_until_it_ends().success()
}
