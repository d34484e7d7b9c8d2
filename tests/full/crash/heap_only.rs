//! PostgreSQL keeps the updates of the hot rows heap-only.

use std::thread;
use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::BigInt;

use testkit::cluster::Cluster;
use testkit::rush::{Rush, order, tier_ids};
use testkit::server::Server;
use testkit::visitor::Visitor;

const BOOKINGS: usize = 2_000;
/// Each buyer waits for the answer to one order, so that no batch is larger.
const BUYERS: usize = 16;

#[derive(Debug, QueryableByName)]
struct Updates {
    #[diesel(sql_type = BigInt)]
    counted: i64,
    #[diesel(sql_type = BigInt)]
    heap_only: i64,
}

const UPDATES: &str = "
    SELECT n_tup_upd AS counted, n_tup_hot_upd AS heap_only
    FROM pg_stat_user_tables WHERE relid = 'ticket_types'::regclass";

/// Tried: with an index on `available` none of the updates was heap-only.
#[test]
fn bookings_touch_no_index_of_the_tiers() {
    let cluster = Cluster::start();
    let database = cluster.database();
    let server = Server::start(&database, &[]);
    let rush = Rush::on(&database, [1_000_000; 3]);
    thread::scope(|scope| {
        let _end = rush.until_dropped();
        rush.send_buyers(scope, BUYERS as u64, server.address);
        while rush.ledger.lock().expect("a lock").confirmed.len() < BOOKINGS && !rush.is_over() {
            thread::sleep(Duration::from_millis(20));
        }
    });
    // PostgreSQL counts with a delay, and a connection hands in its counts with its next transaction.
    let mut visitor = Visitor::new(server.address);
    let updates = (0..20).find_map(|_| {
        let updates = database.rows::<Updates>(UPDATES).pop().expect("a row");
        thread::sleep(Duration::from_millis(1100));
        visitor.book(&order(tier_ids(&database)[0], 1)).expect("an answer");
        // Each batch is an update of a row at least.
        (updates.counted as usize * BUYERS >= BOOKINGS).then_some(updates)
    });
    let updates = updates.expect("counts that PostgreSQL has caught up with");
    println!("{updates:?}");
    assert!(updates.heap_only * 100 >= updates.counted * 95, "{updates:?}");
}
