//! The queries of the reconciliation.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::{Reconciliation, TicketTypeCount, Violation};
use crate::db::Db;

const TICKET_TYPES: &str = "
    SELECT e.name AS event, t.name AS ticket_type,
           CAST(t.capacity AS BIGINT) AS capacity, CAST(t.available AS BIGINT) AS available,
           CAST(COALESCE(SUM(b.quantity), 0) AS BIGINT) AS sold, COUNT(b.id) AS bookings
    FROM ticket_types t
    JOIN events e ON e.id = t.event_id
    LEFT JOIN bookings b ON b.ticket_type_id = t.id AND b.status = 'confirmed'
    GROUP BY e.id, e.name, e.starts_at, t.id, t.name, t.capacity, t.available, t.position
    ORDER BY e.starts_at, e.id, t.position, t.id";

/// What must never exist, and the query that counts it. Each query reads the tables themselves, so a broken
/// index or a dropped constraint cannot hide anything.
const VIOLATIONS: [(&str, &str); 16] = [
    (
        "request keys with more than one booking",
        "SELECT COUNT(*) AS count FROM (SELECT 1 AS x FROM bookings GROUP BY request_key HAVING COUNT(*) > 1) AS d",
    ),
    (
        "references with more than one booking",
        "SELECT COUNT(*) AS count FROM (SELECT 1 AS x FROM bookings GROUP BY reference HAVING COUNT(*) > 1) AS d",
    ),
    (
        "tokens with more than one booking",
        "SELECT COUNT(*) AS count FROM (SELECT 1 AS x FROM bookings GROUP BY token HAVING COUNT(*) > 1) AS d",
    ),
    (
        "bookings with a total other than quantity × unit price",
        "SELECT COUNT(*) AS count FROM bookings WHERE total_cents <> quantity * unit_price_cents",
    ),
    ("bookings without any ticket", "SELECT COUNT(*) AS count FROM bookings WHERE quantity < 1"),
    (
        "bookings of a ticket type that does not exist",
        "SELECT COUNT(*) AS count FROM bookings b
         WHERE NOT EXISTS (SELECT 1 FROM ticket_types t WHERE t.id = b.ticket_type_id)",
    ),
    (
        "bookings that are neither confirmed nor canceled",
        "SELECT COUNT(*) AS count FROM bookings WHERE status NOT IN ('confirmed', 'cancelled')",
    ),
    (
        "canceled bookings without a cancellation time, or others with one",
        "SELECT COUNT(*) AS count FROM bookings WHERE (status = 'cancelled') <> (cancelled_at IS NOT NULL)",
    ),
    (
        "admissions of a booking that does not exist",
        "SELECT COUNT(*) AS count FROM admissions a
         WHERE NOT EXISTS (SELECT 1 FROM bookings b WHERE b.id = a.booking_id)",
    ),
    (
        "admissions of a seat that the booking does not have",
        "SELECT COUNT(*) AS count FROM admissions a JOIN bookings b ON b.id = a.booking_id
         WHERE a.seat < 1 OR a.seat > b.quantity",
    ),
    (
        "tickets admitted more than once",
        "SELECT COUNT(*) AS count FROM
         (SELECT 1 AS x FROM admissions GROUP BY booking_id, seat HAVING COUNT(*) > 1) AS d",
    ),
    (
        "canceled bookings with an admission",
        "SELECT COUNT(*) AS count FROM bookings b WHERE b.status = 'cancelled'
         AND EXISTS (SELECT 1 FROM admissions a WHERE a.booking_id = b.id)",
    ),
    (
        "confirmed bookings without a confirmation in the outbox",
        // Set operations: PostgreSQL evaluates a NOT IN over this many rows once per row.
        "SELECT COUNT(*) AS count FROM (
             SELECT id FROM bookings WHERE status = 'confirmed' AND buyer_email NOT LIKE 'user:%'
             EXCEPT SELECT booking_id FROM mails WHERE kind = 'confirmation'
             EXCEPT SELECT booking_id FROM batched_confirmations) AS d",
    ),
    (
        "mails for a booking without an email address",
        "SELECT COUNT(*) AS count FROM mails m JOIN bookings b ON b.id = m.booking_id
         WHERE b.buyer_email LIKE 'user:%'",
    ),
    (
        "bookings with more than one mail of the same kind",
        "SELECT COUNT(*) AS count FROM (SELECT 1 AS x FROM (
             SELECT booking_id, kind FROM mails WHERE booking_id IS NOT NULL
             UNION ALL SELECT booking_id, 'confirmation' FROM batched_confirmations) AS m
         GROUP BY booking_id, kind HAVING COUNT(*) > 1) AS d",
    ),
    (
        "mails for a booking that does not exist",
        "SELECT COUNT(*) AS count FROM mails m WHERE m.booking_id IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM bookings b WHERE b.id = m.booking_id)",
    ),
];

#[derive(QueryableByName)]
struct TicketTypeSums {
    #[diesel(sql_type = Text)]
    event: String,
    #[diesel(sql_type = Text)]
    ticket_type: String,
    #[diesel(sql_type = BigInt)]
    capacity: i64,
    #[diesel(sql_type = BigInt)]
    available: i64,
    #[diesel(sql_type = BigInt)]
    sold: i64,
    #[diesel(sql_type = BigInt)]
    bookings: i64,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Counts everything. The counts of all ticket types come from one statement, so they are consistent even
/// while tickets are sold.
///
/// # Errors
/// What the database said.
pub fn reconcile(db: &mut Db) -> QueryResult<Reconciliation> {
    let rows: Vec<TicketTypeSums> = diesel::sql_query(TICKET_TYPES).load(db)?;
    let ticket_types = rows.into_iter().map(|row| TicketTypeCount {
        event: row.event,
        ticket_type: row.ticket_type,
        capacity: row.capacity,
        available: row.available,
        sold: row.sold,
        bookings: row.bookings,
    });
    let mut reconciliation = Reconciliation { ticket_types: ticket_types.collect(), violations: Vec::new() };
    for (what, query) in VIOLATIONS {
        let Count { count } = diesel::sql_query(query).get_result(db)?;
        if count > 0 {
            reconciliation.violations.push(Violation { what, count });
        }
    }
    Ok(reconciliation)
}
