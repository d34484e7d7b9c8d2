//! Servers whose clocks differ.

use std::thread;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use techkraft::booking::request_key::RequestKeys;

use super::clock::libfaketime;
use testkit::cluster::Cluster;
use testkit::database::TestDatabase;
use testkit::rush::tier_ids;
use testkit::server::{SECRET, Server, assert_verified};
use testkit::visitor::{Purchase, Visitor};
use testkit::wait::eventually;

/// By how many minutes the servers' clocks are wrong. PostgreSQL's is right.
pub const MINUTES: [i64; 2] = [7, -7];
/// How late a server may open: a second, and another one for a busy machine.
const LATE: TimeDelta = TimeDelta::seconds(2);
/// Until sales open.
const WAIT: TimeDelta = TimeDelta::seconds(5);

/// When a server let the first buyer in, by the right clock.
#[derive(Debug)]
struct Opening {
    booked: DateTime<Utc>,
    shown: DateTime<Utc>,
    refused: usize,
}

/// With a board that goes by its own machine's clock, the server that is ahead would show the sale as open at once, and
/// the other one would refuse orders for seven minutes.
#[test]
fn servers_whose_clocks_differ_by_minutes_open_the_sale_together() {
    let cluster = Cluster::start();
    let database = cluster.database();
    let servers = MINUTES.map(|minutes| server(&database, minutes));
    let id = tier_ids(&database)[2];
    let opens = Utc::now() + WAIT;
    let written = opens.format("%F %T%.6f");
    database.execute(&format!(
        "UPDATE events SET sales_start_at = '{written}', facts_version = facts_version + 1"
    ));
    for server in &servers {
        let mut visitor = Visitor::new(server.address);
        eventually("the board knows", || visitor.get("/").expect("a page").body.contains("data-opens"));
    }
    assert!(Utc::now() < opens, "this machine is too slow for this test");
    let openings = thread::scope(|scope| {
        let watch = |(server, minutes): (&Server, i64)| {
            let address = server.address;
            scope.spawn(move || opening(&mut Visitor::new(address), id, minutes))
        };
        let watchers: Vec<_> = servers.iter().zip(MINUTES).map(watch).collect();
        watchers.into_iter().map(|watcher| watcher.join().expect("a visitor")).collect::<Vec<_>>()
    });
    for (opening, minutes) in openings.iter().zip(MINUTES) {
        println!(
            "clock {minutes:+} min: booked {} ms and shown {} ms after the opening, refused {} times before",
            (opening.booked - opens).num_milliseconds(),
            (opening.shown - opens).num_milliseconds(),
            opening.refused
        );
        assert!(opening.refused > 0, "it was never closed");
        for at in [opening.booked, opening.shown] {
            assert!(at >= opens, "too early: {opening:?}");
            assert!(at < opens + LATE, "too late: {opening:?}");
        }
    }
    assert_eq!(database.count("bookings"), 2);
    assert_verified(&database);
}

pub fn server(database: &TestDatabase, minutes: i64) -> Server {
    let mut server = Server::prepared(database, &[]);
    server.start_through(
        std::process::Command::new("env")
            .env("LD_PRELOAD", libfaketime())
            .env("FAKETIME", format!("{minutes:+}m"))
            .env("DONT_FAKE_MONOTONIC", "1"),
    );
    server.start_again();
    server.wait_until_it_listens();
    server
}

/// Asks again and again for a booking and for the page, until both are had. A time is that of the answer, so that
/// nothing looks earlier than it was.
fn opening(visitor: &mut Visitor, ticket_type_id: i64, minutes: i64) -> Opening {
    let keys = RequestKeys::new(&SECRET.into());
    let (mut booked, mut shown, mut refused) = (None, None, 0);
    loop {
        if booked.is_none() {
            // Forms are dated by the clock of the server that makes them.
            let request_key = keys.generate_at(Utc::now() + TimeDelta::minutes(minutes)).as_str().to_owned();
            let answer =
                visitor.book(&Purchase { ticket_type_id, quantity: 1, request_key }).expect("an answer");
            match answer.status {
                303 => booked = Some(Utc::now()),
                409 => refused += 1,
                status => panic!("{status}: {}", answer.body),
            }
        }
        if shown.is_none() && !visitor.get("/").expect("a page").body.contains("data-opens") {
            shown = Some(Utc::now());
        }
        if let (Some(booked), Some(shown)) = (booked, shown) {
            return Opening { booked, shown, refused };
        }
        thread::sleep(Duration::from_millis(20));
    }
}
