//! A concert is canceled, and the server is killed again and again while it cancels the bookings.

use testkit::database::TestDatabase;
use testkit::server::{Server, assert_verified};
use testkit::visitor::Visitor;
use testkit::wait::eventually;

const BOOKINGS: u64 = 900;
const KILLS: u64 = 3;

/// Inserts bookings of one ticket each, as the desk would make them, for this many people.
pub fn book_many(database: &TestDatabase, bookings: u64, people: u64) {
    database.execute(&format!(
        "INSERT INTO bookings (event_id, reference, token, request_key, order_hash, status, currency, total_minor,
             buyer_name, buyer_email, created_at, confirmed_at)
         WITH RECURSIVE numbers AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < {bookings} - 1)
         SELECT t.event_id, 'TK-' || n, 'token ' || n, 'key ' || n, 0, 'confirmed', 'USD', t.price_minor,
             'Buyer ' || n, 'buyer' || (n % {people}) || '@example.org', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP
         FROM numbers CROSS JOIN ticket_types t WHERE t.name = 'General Admission';
         INSERT INTO booking_lines (booking_id, ticket_type_id, quantity, unit_price_minor)
         SELECT b.id, t.id, 1, t.price_minor FROM bookings b JOIN ticket_types t ON t.name = 'General Admission';
         UPDATE ticket_types SET available = available - {bookings} WHERE name = 'General Admission'"
    ));
}

#[test]
fn every_booking_is_ended_once_though_the_server_is_killed_in_the_middle() {
    let database = TestDatabase::create();
    let mut server = Server::start(&database, &[]);
    let password = server.admin_password().expect("one was made");
    book_many(&database, BOOKINGS, BOOKINGS);
    let mut organizer = Visitor::new(server.address);
    let sign_in = [("username", "admin".to_owned()), ("password", password)];
    organizer.post("/admin/sign-in", &sign_in).expect("an answer");
    let form = [("event_name", "Midnight Parade".to_owned()), ("message", "So sorry.".to_owned())];
    let answer = organizer.post("/admin/events/midnight-parade/cancellation", &form).expect("an answer");
    assert_eq!(answer.status, 303);
    for kill in 1..=KILLS {
        // Early, so that a late kill is still in the middle.
        let some = kill * BOOKINGS / (3 * KILLS);
        eventually("some bookings are ended", || {
            database.count("bookings WHERE status = 'canceled'") >= some
        });
        server.kill();
        let ended = database.count("bookings WHERE status = 'canceled'");
        assert!(ended < BOOKINGS, "it was done before the kill, so nothing was proved");
        server.start_again();
        server.wait_until_it_listens();
    }
    eventually("the job is done", || database.count("event_jobs WHERE finished_at IS NOT NULL") == 1);
    assert_eq!(database.count("bookings WHERE status = 'canceled'"), BOOKINGS);
    assert_eq!(database.count("mails WHERE kind = 'cancellation'"), BOOKINGS);
    assert_eq!(
        database.count(&format!("event_jobs WHERE done = {BOOKINGS} AND total = {BOOKINGS} AND kept = 0")),
        1
    );
    database.assert_books_balance();
    assert_verified(&database);
}
