//! Two servers with one waiting room: one is killed during the draw, the other while the line moves.

use std::thread;
use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use testkit::database::TestDatabase;
use testkit::server::{Server, assert_verified};
use testkit::wait::{eventually, within};

use super::{IN_LINE, OF_LOBBY, TURN, Waiting, open_lobby, start_sale};

const PEOPLE: usize = 40;

#[derive(QueryableByName)]
struct LoggedPass {
    #[diesel(sql_type = Text)]
    place: String,
    #[diesel(sql_type = BigInt)]
    position: i64,
}

/// Either server may draw, and either may move the line, so each is killed once while it may do so.
#[test]
fn nobody_loses_a_place_though_each_server_is_killed() {
    let database = TestDatabase::create();
    let mut servers = [0, 1].map(|_| Server::start(&database, &[]));
    let addresses = servers.each_ref().map(|server| server.address);
    let seed = open_lobby(&database, &addresses, 3_500_000, 3);
    let mut people: Vec<Waiting> = (0..PEOPLE).map(|n| Waiting::come(addresses[n % 2])).collect();
    let all = format!("queue_arrivals WHERE slot = 0 AND arrivals = {PEOPLE}");
    eventually("all are counted", || database.count(&all) == 1);

    // Kills during the draw: at the moment of the opening, both servers are about to draw.
    start_sale(&database, 3_000);
    thread::sleep(Duration::from_millis(3_000));
    servers[0].kill();
    let drawn = "waiting_rooms WHERE opened_at IS NOT NULL";
    eventually("the other one draws", || database.count(drawn) == 1);
    eventually("it shows the draw", || !people[0].page(addresses[1]).contains("You’re in</h1>"));
    // Nobody else is served before both servers run again.
    let set_flow = |flow: &str| database.execute(&format!("UPDATE waiting_rooms SET flow = '{flow}'"));
    set_flow("stopped");
    for waiting in &mut people {
        let page = waiting.page(addresses[1]);
        assert!(page.contains(IN_LINE) || page.contains(TURN), "a place is lost: {page}");
    }

    // Kills while the line moves.
    servers[0].start_again();
    servers[0].wait_until_it_listens();
    set_flow("slow");
    eventually("some are served", || {
        let served = people.iter_mut().filter_map(|it| it.has_turn(addresses[1]).then_some(()));
        served.take(4).count() == 4
    });
    servers[1].kill();
    // A server that starts again may have another address.
    let address = servers[0].address;
    assert!(database.count("queue_passes") < PEOPLE as u64, "all were served before the kill");
    set_flow("open");
    for waiting in &mut people {
        within(Duration::from_secs(60), "the turn has come", || waiting.has_turn(address));
    }
    let log: Vec<LoggedPass> = database.rows("SELECT place, position FROM queue_passes");
    assert_eq!(log.len(), PEOPLE, "each place has one pass");
    assert_eq!(database.count(&format!("queue_passes WHERE {OF_LOBBY}")), PEOPLE as u64);
    for pass in log {
        assert_eq!(pass.position, i64::from(seed.fraction(&pass.place)), "as anybody computes it");
    }
    assert_verified(&database);
}
