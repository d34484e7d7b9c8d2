//! Servers whose clocks differ.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use techkraft::booking::request_key::RequestKeys;

use super::clock::libfaketime;
use testkit::cluster::Cluster;
use testkit::database::TestDatabase;
use testkit::rush::tier_ids;
use testkit::server::{SECRET, Server, assert_verified};
use testkit::visitor::{Purchase, Visitor};
use testkit::wait::eventually;

/// The errors of the servers' clocks, in minutes. PostgreSQL's clock is right.
pub const MINUTES: [i64; 2] = [7, -7];
/// How late a server may open the sale: one second, and the rest for a busy machine. It is less than the clocks'
/// errors.
const LATE: TimeDelta = TimeDelta::seconds(60);
/// The time until the sale opens, from when it is set.
const WAIT: TimeDelta = TimeDelta::seconds(10);
/// A visitor who cannot book after this time gives up.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(180);

/// When a server accepted the first booking and showed the sale as open, by the right clock.
#[derive(Debug)]
struct Opening {
    booked: DateTime<Utc>,
    shown: DateTime<Utc>,
}

/// If boards used their own machine's clock, the server that is ahead would show the sale as open at once, and the
/// other one would refuse orders for seven minutes.
#[test]
fn servers_whose_clocks_differ_by_minutes_open_the_sale_together() {
    let cluster = Cluster::start();
    let database = cluster.database();
    let servers = MINUTES.map(|minutes| server(&database, minutes));
    let id = tier_ids(&database)[2];
    set_opening(&database, Utc::now() + TimeDelta::hours(1));
    for server in &servers {
        let mut visitor = Visitor::new(server.address);
        eventually("the board knows", || visitor.get("/").expect("a page").body.contains("data-opens"));
    }
    let refused = [AtomicUsize::new(0), AtomicUsize::new(0)];
    let (opens, openings) = thread::scope(|scope| {
        let mut watchers = Vec::new();
        for ((server, minutes), refused) in servers.iter().zip(MINUTES).zip(&refused) {
            let address = server.address;
            watchers.push(scope.spawn(move || opening(&mut Visitor::new(address), id, minutes, refused)));
        }
        eventually("both refuse orders", || refused.iter().all(|it| it.load(Ordering::Relaxed) > 0));
        let opens = Utc::now() + WAIT;
        set_opening(&database, opens);
        let openings = watchers.into_iter().map(|watcher| watcher.join().expect("a visitor"));
        (opens, openings.collect::<Vec<_>>())
    });
    for (opening, minutes) in openings.iter().zip(MINUTES) {
        println!(
            "clock {minutes:+} min: booked {} ms and shown {} ms after the opening",
            (opening.booked - opens).num_milliseconds(),
            (opening.shown - opens).num_milliseconds()
        );
        for at in [opening.booked, opening.shown] {
            assert!(at >= opens, "too early: {opening:?}");
            assert!(at < opens + LATE, "too late: {opening:?}");
        }
    }
    assert_eq!(database.count("bookings"), 2);
    assert_verified(&database);
}

fn set_opening(database: &TestDatabase, opens: DateTime<Utc>) {
    let written = opens.format("%F %T%.6f");
    database.execute(&format!(
        "UPDATE events SET sales_start_at = '{written}', facts_version = facts_version + 1"
    ));
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

/// Sends an order and loads the page again and again until the order is booked and the page shows the open sale.
/// Takes the times when the answers arrive, so that none is too early, and counts the refused orders.
fn opening(visitor: &mut Visitor, ticket_type_id: i64, minutes: i64, refused: &AtomicUsize) -> Opening {
    let keys = RequestKeys::new(&SECRET.into());
    let (mut booked, mut shown, begun) = (None, None, Instant::now());
    while begun.elapsed() < GIVEN_UP_AFTER {
        if booked.is_none() {
            // A form's time is that of the server that makes it.
            let request_key = keys.generate_at(Utc::now() + TimeDelta::minutes(minutes)).as_str().to_owned();
            let answer =
                visitor.book(&Purchase { ticket_type_id, quantity: 1, request_key }).expect("an answer");
            match answer.status {
                303 => booked = Some(Utc::now()),
                409 => {
                    refused.fetch_add(1, Ordering::Relaxed);
                }
                status => panic!("{status}: {}", answer.body),
            }
        }
        if shown.is_none() && !visitor.get("/").expect("a page").body.contains("data-opens") {
            shown = Some(Utc::now());
        }
        if let (Some(booked), Some(shown)) = (booked, shown) {
            return Opening { booked, shown };
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("after {GIVEN_UP_AFTER:?} booked at {booked:?}, and shown at {shown:?}")
}
