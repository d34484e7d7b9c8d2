//! Buyers cancel while the desks of two servers sell and an organizer reseeds again and again. All of them lock
//! ticket types; cancellations and reseeds also lock bookings.

use std::thread;
use std::time::Duration;

use rand::RngExt as _;

use crate::crash::two_servers::{assert_no_deadlock, post_until_done};
use testkit::cluster::Cluster;
use testkit::rush::Rush;
use testkit::server::{Server, assert_verified};
use testkit::visitor::Visitor;

#[test]
fn cancellations_in_mid_rush_meet_no_deadlock_and_lose_no_ticket() {
    let cluster = Cluster::start();
    let database = cluster.database();
    let servers = [0, 1].map(|_| Server::start(&database, &[]));
    // One ticket type is sold out nearly all the time, so buyers compete for returned tickets.
    let rush = Rush::on(&database, [20, 200, 1_000]);
    let password = servers.iter().find_map(Server::admin_password).expect("one was made");
    thread::scope(|scope| {
        let _end = rush.until_dropped();
        for buyer in 0..48 {
            let (rush, servers) = (&rush, &servers);
            scope.spawn(move || {
                let mut visitor = Visitor::new(servers[buyer as usize % 2].address);
                let mut random = rush.random(buyer);
                while !rush.is_over() {
                    let purchase = rush.purchase(&mut random);
                    let Some(location) = rush.settle(&mut visitor, &purchase) else { continue };
                    if random.random_ratio(2, 3) {
                        cancel(rush, &servers[random.random_range(0..2)], &location);
                    }
                }
            });
        }
        let mut organizer = Visitor::new(servers[0].address);
        let sign_in = [("username", "admin".to_owned()), ("password", password.clone())];
        organizer.post("/admin/sign-in", &sign_in).expect("an answer");
        let reseed = [("event_name", "Midnight Parade".to_owned()), ("password", password.clone())];
        for look in 0..60 {
            thread::sleep(Duration::from_millis(50));
            database.assert_books_balance();
            if look % 6 == 5 {
                let answer = post_until_done(&mut organizer, "/admin/reseed", &reseed);
                assert_eq!((answer.status, answer.location()), (303, "/admin"));
            }
        }
    });
    assert_no_deadlock(&cluster);
    let ledger = rush.ledger.lock().expect("a lock");
    assert!(ledger.wrong.is_empty(), "{:#?}", ledger.wrong);
    assert_verified(&database);
    database.assert_books_balance();
}

/// Cancels a booking. It may be gone (404), since a reseed deletes bookings.
fn cancel(rush: &Rush, server: &Server, location: &str) {
    // A new visitor for each cancellation, so that no toast messages pile up in its cookies.
    let mut visitor = Visitor::new(server.address);
    let answer = post_until_done(&mut visitor, &format!("{location}/cancellation"), &[]);
    let is_right =
        matches!((answer.status, answer.location()), (303, to) if to == location) || answer.status == 404;
    if !is_right {
        rush.note_wrong(format!("the cancellation of {location}: {}", answer.status));
    }
}
