//! The database is down: for a few seconds, and for longer.

use std::thread;
use std::time::Duration;

use testkit::cluster::Cluster;
use testkit::database::TestDatabase;
use testkit::rush::tier_ids;
use testkit::server::{Server, assert_verified};
use testkit::wait::eventually;

use super::super::{Waiting, open_lobby};

const STANDS_STILL: &str = "The line stands still for a moment. Your place is kept.";

fn served(database: &TestDatabase) -> i64 {
    database.text("SELECT CAST(served AS TEXT) AS text FROM waiting_rooms").parse().expect("a number")
}

/// How many people are ahead, as a page says.
fn ahead(page: &str) -> Option<u32> {
    page.split("data-ahead>").nth(1)?.split('<').next()?.parse().ok()
}

#[test]
fn a_line_goes_on_after_seconds_and_says_that_it_stands_still_after_longer() {
    let cluster = Cluster::start();
    let database = cluster.database();
    let server = Server::start(&database, &[]);
    let address = server.address;
    let vip = tier_ids(&database)[0];
    // The best place is served at once, and the last one only after a long time.
    open_lobby(&database, &[address], 3_500_000, 1);
    let mut people: Vec<Waiting> = Vec::new();
    for _ in 0..120 {
        people.push(Waiting::come(address));
    }
    eventually("all are counted", || database.count("queue_arrivals WHERE slot = 0 AND arrivals = 120") == 1);
    super::super::start_sale(&database, 1_500);
    eventually("the line moves", || served(&database) > 0);
    let mut turns = Vec::new();
    eventually("two have their turn", || {
        turns = (0..people.len()).filter(|&n| people[n].has_turn(address)).collect();
        turns.len() >= 2
    });
    let (first, second) = (turns[0], turns[1]);
    let last = (0..people.len()).max_by_key(|&n| ahead(&people[n].page(address))).expect("people");
    assert!(!people[last].has_turn(address), "nobody waits");

    // A few seconds: the page does not mention it.
    let before = served(&database);
    cluster.stop_immediately();
    thread::sleep(Duration::from_secs(5));
    assert!(!people[last].page(address).contains(STANDS_STILL));
    assert!(people[first].has_turn(address), "a pass stays good");
    cluster.start_again();
    eventually("the line goes on", || served(&database) > before);
    eventually("bookings go on", || people[first].book(address, vip).status == 303);

    // Longer: the page says that the line stands still.
    let before = served(&database);
    cluster.stop_immediately();
    eventually("it says so", || people[last].page(address).contains(STANDS_STILL));
    assert!(people[second].has_turn(address), "a pass stays good");
    assert!(people[last].page(address).contains("You’re in line"), "and so does a place");
    cluster.start_again();
    eventually("the line goes on", || served(&database) > before);
    eventually("nothing is said of it any more", || !people[last].page(address).contains(STANDS_STILL));
    eventually("the pass books", || people[second].book(address, vip).status == 303);
    assert_eq!(database.count("bookings WHERE status = 'confirmed'"), 2);
    assert_verified(&database);
}
