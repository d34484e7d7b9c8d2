//! The cost of a rush in PostgreSQL: updates of the hot rows stay heap-only, and a batch reads only its own bookings.

use std::thread;
use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::BigInt;
use reqwest::blocking::Client;
use serde_json::json;

use testkit::cluster::Cluster;
use testkit::database::TestDatabase;
use testkit::rush::{Rush, order, tier_ids};
use testkit::server::Server;
use testkit::visitor::Visitor;
use testkit::wait::eventually;

const BOOKINGS: usize = 2_000;
/// Each buyer waits for the answer to one order, so no batch has more orders than this.
const BUYERS: usize = 16;

#[derive(Debug, QueryableByName)]
struct Updates {
    #[diesel(sql_type = BigInt)]
    counted: i64,
    #[diesel(sql_type = BigInt)]
    heap_only: i64,
    /// The entries that were read from the indexes of bookings, by all connections.
    #[diesel(sql_type = BigInt)]
    bookings_read: i64,
}

const UPDATES: &str = "
    SELECT n_tup_upd AS counted, n_tup_hot_upd AS heap_only,
           (SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes WHERE relid = 'bookings'::regclass)
               AS bookings_read
    FROM pg_stat_user_tables WHERE relid = 'ticket_types'::regclass";

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Seen to fail with an index on `available`: none of the updates was heap-only. Seen to fail when the check of new
/// lines is a join that was planned while the table was empty: each batch read all bookings.
#[test]
fn a_rush_touches_no_index_of_the_tiers_and_reads_no_other_bookings() {
    let cluster = Cluster::start();
    let database = cluster.database();
    let server = Server::start(&database, &[("API_BOOKINGS", "anonymous")]);
    book_many_lines(&server, &database);
    let rush = Rush::on(&database, [1_000_000; 3]);
    thread::scope(|scope| {
        let _end = rush.until_dropped();
        rush.send_buyers(scope, BUYERS as u64, server.address);
        while rush.ledger.lock().expect("a lock").confirmed.len() < BOOKINGS && !rush.is_over() {
            thread::sleep(Duration::from_millis(20));
        }
    });
    // PostgreSQL's statistics lag, and a connection reports its counts only with its next transaction.
    let mut visitor = Visitor::new(server.address);
    let updates = (0..20).find_map(|_| {
        let updates = database.rows::<Updates>(UPDATES).pop().expect("a row");
        thread::sleep(Duration::from_millis(1100));
        visitor.book(&order(tier_ids(&database)[0], 1)).expect("an answer");
        // Each batch updates at least one row.
        (updates.counted as usize * BUYERS >= BOOKINGS).then_some(updates)
    });
    let updates = updates.expect("counts that PostgreSQL has caught up with");
    println!("{updates:?}");
    assert!(updates.heap_only * 100 >= updates.counted * 95, "{updates:?}");
    // The reads come from the checks of lines and keys, and from the outbox.
    assert!(updates.bookings_read <= 10 * BOOKINGS as i64, "{updates:?}");
}

/// Books twelve lines at once while the tables are empty: PostgreSQL plans the check for this many lines, and keeps
/// the plan.
fn book_many_lines(server: &Server, database: &TestDatabase) {
    database.execute(
        "INSERT INTO events (slug, name, venue, city, starts_at, ends_at, time_zone, currency, state)
         SELECT 'matinee', 'Matinee', venue, city, starts_at, ends_at, time_zone, currency, 'published' FROM events;
         INSERT INTO ticket_types (event_id, name, price_minor, capacity, available, max_per_booking, position)
         SELECT e.id, 'Row ' || n, 100, 5, 5, 5, n FROM events e, generate_series(1, 12) AS n WHERE e.slug = 'matinee'",
    );
    let rows = "SELECT t.id FROM ticket_types t JOIN events e ON e.id = t.event_id WHERE e.slug = 'matinee'";
    let lines = database.rows::<Id>(rows).into_iter();
    let lines: Vec<_> =
        lines.map(|row| json!({ "ticketTypeId": row.id.to_string(), "quantity": 1 })).collect();
    let order = json!({ "lines": lines, "name": "Ada Lovelace", "email": "ada@example.org" });
    let url = format!("http://{}/api/v1/bookings", server.address);
    let book = || {
        let request = Client::new().post(&url).header("idempotency-key", "\"the-first-order-of-all\"");
        request.json(&order).send().expect("an answer").status() == 201
    };
    eventually("the concert is on sale", book);
}
