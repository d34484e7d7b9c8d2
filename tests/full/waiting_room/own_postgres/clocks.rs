//! Servers whose clocks are wrong by minutes: places and passes use the database's clock.

use testkit::cluster::Cluster;
use testkit::rush::tier_ids;
use testkit::server::{Server, assert_verified};
use testkit::wait::eventually;

use super::super::{OF_LOBBY, Waiting, open_lobby, start_sale};
use crate::crash::faults::clocks_apart::{MINUTES, server};

/// Seen to fail when a pass's age is measured with each machine's own clock: a form with a valid pass got 422.
#[test]
fn servers_whose_clocks_differ_by_minutes_have_one_line() {
    let cluster = Cluster::start();
    let database = cluster.database();
    let servers: Vec<Server> = MINUTES.iter().map(|minutes| server(&database, *minutes)).collect();
    let addresses: Vec<_> = servers.iter().map(|server| server.address).collect();
    let id = tier_ids(&database)[2];
    open_lobby(&database, &addresses, 3_500_000, 20);
    let mut early: Vec<Waiting> = (0..6).map(|n| Waiting::come(addresses[n % 2])).collect();
    eventually("all are counted", || database.count("queue_arrivals WHERE slot = 0 AND arrivals = 6") == 1);
    start_sale(&database, 1_500);
    eventually("the lobby is drawn", || database.count("waiting_rooms WHERE opened_at IS NOT NULL") == 1);
    let mut late: Vec<Waiting> = (0..6).map(|n| Waiting::come(addresses[n % 2])).collect();
    for (n, waiting) in early.iter_mut().chain(&mut late).enumerate() {
        // Served and booked through the server that did not give the place.
        let other = addresses[1 - n % 2];
        eventually("the turn has come", || waiting.has_turn(other));
        eventually("the same at both", || waiting.has_turn(addresses[n % 2]));
        let booked = waiting.book(other, id);
        assert_eq!(booked.status, 303, "{}", booked.body);
    }
    assert_eq!(database.count(&format!("queue_passes WHERE {OF_LOBBY}")), 6, "none was given after the draw");
    assert_eq!(database.count("queue_passes"), 12);
    assert_eq!(database.count("bookings"), 12);
    assert_verified(&database);
}
