//! The new release has migrated the database; servers of both releases sell from it.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use rand::RngExt as _;

use crate::previous_release::site::{assert_verified_by_both, previous};
use testkit::database::TestDatabase;
use testkit::rush::Rush;
use testkit::server::Server;
use testkit::visitor::Visitor;
use testkit::wait::eventually;

/// For each order, a buyer may also send it again to the other release, open the booking there, and cancel it there.
#[test]
fn both_releases_sell_and_each_knows_what_the_other_sold() {
    let database = TestDatabase::create();
    let servers = [Server::start(&database, &[]), previous(&database)];
    let rush = Rush::on(&database, [50, 500, 100_000]);
    thread::scope(|scope| {
        let _end = rush.until_dropped();
        for buyer in 0..16 {
            let (rush, servers) = (&rush, &servers);
            scope.spawn(move || buy_here_and_look_there(rush, servers, buyer));
        }
        thread::sleep(Duration::from_secs(4));
        eventually("they sell", || rush.ledger.lock().expect("a lock").confirmed.len() > 50);
    });
    servers.iter().for_each(|server| rush.assert_true(&database, &Visitor::new(server.address)));
    assert_verified_by_both(&database);
    cancel_some(&database, &rush, &servers);
    assert_verified_by_both(&database);
}

fn buy_here_and_look_there(rush: &Rush, servers: &[Server; 2], buyer: u64) {
    let mut random = rush.random(buyer);
    let here = usize::from(buyer.is_multiple_of(2));
    let mut visitors = [here, 1 - here].map(|server| Visitor::new(servers[server].address));
    while !rush.is_over() {
        let purchase = rush.purchase(&mut random);
        let Some(location) = rush.settle(&mut visitors[0], &purchase) else { continue };
        if random.random_ratio(1, 4) && rush.settle(&mut visitors[1], &purchase) != Some(location.clone()) {
            rush.note_wrong(format!("{purchase:?} was {location}, and is not at the other release"));
        }
    }
}

/// Cancels some of the bookings, each through one release or the other.
fn cancel_some(database: &TestDatabase, rush: &Rush, servers: &[Server; 2]) {
    let ledger = rush.ledger.lock().expect("a lock");
    let some: BTreeSet<&str> = ledger.confirmed.iter().map(|it| it.location.as_str()).take(20).collect();
    for (location, server) in some.iter().zip(servers.iter().cycle()) {
        let path = format!("{location}/cancellation");
        let answer = Visitor::new(server.address).post(&path, &[]).expect("an answer");
        assert_eq!((answer.status, answer.location()), (303, *location));
    }
    assert_eq!(database.count("bookings WHERE status = 'canceled'"), some.len() as u64);
    database.assert_books_balance();
}
