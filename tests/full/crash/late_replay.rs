//! One server refuses a request key a moment before another server's booking with that key commits.

use std::thread;
use std::time::Duration;

use techkraft::booking::Order;
use techkraft::booking::buyer::{Buyer, parse_email};
use testkit::blockade::Transaction;
use testkit::cluster::Cluster;
use testkit::rush::{order, tier_ids};
use testkit::server::Server;
use testkit::visitor::{Purchase, Visitor};
use testkit::wait::eventually;

/// A transaction of the test plays the other server, so that the timing is always the same. It books the last two
/// tickets for a key. On the tested server, an order with the same key waits behind a rival order for the same two
/// tickets. The server refuses the key, because the rival would take the tickets; then the rival loses to the other
/// server. The refusals that the server remembers must not hide the booking.
/// Seen to fail when an order that was refused in an earlier round of a batch is remembered with the stock after the
/// last round: the key got 409 for as long as other orders kept coming.
#[test]
fn a_key_that_another_server_has_booked_is_found_although_it_was_refused_here() {
    let cluster = Cluster::start();
    let database = cluster.database();
    let server = Server::start(&database, &[]);
    database.set_available("VIP", 2);
    let tiers = tier_ids(&database);
    let [mut first, mut second, mut third] = [0, 1, 2].map(|_| Visitor::new(server.address));

    let (rival, contested) = (order(tiers[0], 2), order(tiers[0], 2));
    let other_server = Transaction::begin(
        &database,
        &format!(
            "BEGIN; UPDATE ticket_types SET available = 0, version = version + 1 WHERE id = {tier};
             INSERT INTO bookings (event_id, reference, token, request_key, order_hash, status, currency, total_minor,
                 buyer_name, buyer_email, created_at, confirmed_at)
             SELECT event_id, 'TK-BBBB-BBBB', 'BBBBBBBBBBBBBBBBBBBBBBBB', '{key}', {hash}, 'confirmed', 'USD',
                 2 * price_minor, 'Ada Lovelace', '{email}', now(), now()
             FROM ticket_types WHERE id = {tier};
             INSERT INTO booking_lines (booking_id, ticket_type_id, quantity, unit_price_minor)
             SELECT b.id, t.id, 2, t.price_minor FROM bookings b, ticket_types t
             WHERE b.request_key = '{key}' AND t.id = {tier}",
            tier = tiers[0],
            email = contested.email(),
            key = contested.request_key,
            hash = as_order(&contested).hash(),
        ),
    );

    // The worker waits for another ticket type, so that the next two orders get into one batch.
    let busy = Transaction::begin(
        &database,
        &format!("BEGIN; SELECT FROM ticket_types WHERE id = {} FOR UPDATE", tiers[1]),
    );
    let waits = || database.count("pg_locks WHERE NOT granted") > 0;
    first.send_order(&order(tiers[1], 1)).expect("sent");
    eventually("the worker waits", waits);
    second.send_order(&rival).expect("sent");
    eventually("the rival order is queued", || server.desk_queue() == 1);
    third.send_order(&contested).expect("sent");
    eventually("both orders are queued", || server.desk_queue() == 2);
    busy.end("ROLLBACK");
    eventually("their batch waits", || server.desk_queue() == 0 && waits());
    other_server.end("COMMIT");

    assert_eq!(first.receive().expect("an answer").status, 303);
    assert_eq!(second.receive().expect("an answer").status, 409);
    third.receive().expect("an answer");
    // Other orders keep coming, so the desk's memory of this ticket type does not expire.
    for attempt in 0..10 {
        assert_eq!(second.book(&order(tiers[0], 1)).expect("an answer").status, 409);
        let answer = third.book(&contested).expect("an answer");
        let seen = (answer.status, answer.location());
        assert_eq!(seen, (303, "/bookings/BBBBBBBBBBBBBBBBBBBBBBBB"), "attempt {attempt}");
        thread::sleep(Duration::from_millis(20));
    }
    database.assert_books_balance();
}

/// The same order as the server sees it.
fn as_order(purchase: &Purchase) -> Order {
    let email = parse_email(&purchase.email()).expect("an address");
    let Purchase { ticket_type_id, quantity, request_key } = purchase.clone();
    Order::of_one_type(ticket_type_id, quantity, Buyer::with_email("Ada Lovelace", &email), request_key)
}
