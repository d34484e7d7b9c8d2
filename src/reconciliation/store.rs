//! The queries of the reconciliation.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::money_store::{self, MONEY_VIOLATIONS};
use super::{Reconciliation, TicketTypeCount, Violation};
use crate::db::Db;
use crate::schema::bookings;

const TICKET_TYPES: &str = "
    SELECT e.name AS event, t.name AS ticket_type,
           CAST(t.capacity AS BIGINT) AS capacity, CAST(t.available AS BIGINT) AS available,
           CAST(COALESCE(SUM(CASE WHEN b.status = 'confirmed' THEN l.quantity - l.returned END), 0) AS BIGINT) AS sold,
           CAST(COALESCE(SUM(CASE WHEN b.status = 'held' THEN l.quantity - l.returned END), 0) AS BIGINT) AS held,
           COUNT(CASE WHEN b.status = 'confirmed' THEN 1 END) AS bookings
    FROM ticket_types t
    JOIN events e ON e.id = t.event_id
    LEFT JOIN booking_lines l ON l.ticket_type_id = t.id
    LEFT JOIN bookings b ON b.id = l.booking_id
    GROUP BY e.id, e.name, e.starts_at, t.id, t.name, t.capacity, t.available, t.position
    ORDER BY e.starts_at, e.id, t.position, t.id";

/// What must never exist, and the query that counts it. The queries count the rows themselves, so a dropped
/// constraint cannot hide anything.
const VIOLATIONS: &[(&str, &str)] = &[
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
        "bookings with a total other than the sum of their lines",
        "SELECT COUNT(*) AS count FROM (
             SELECT b.id FROM bookings b LEFT JOIN booking_lines l ON l.booking_id = b.id
             GROUP BY b.id, b.total_minor HAVING b.total_minor <> COALESCE(SUM(l.quantity * l.unit_price_minor), 0)) AS d",
    ),
    (
        "bookings without any ticket",
        "SELECT COUNT(*) AS count FROM bookings b
         WHERE NOT EXISTS (SELECT 1 FROM booking_lines l WHERE l.booking_id = b.id AND l.quantity > 0)",
    ),
    (
        "lines of a booking or a ticket type that does not exist",
        "SELECT COUNT(*) AS count FROM booking_lines l
         WHERE NOT EXISTS (SELECT 1 FROM ticket_types t WHERE t.id = l.ticket_type_id)
         OR NOT EXISTS (SELECT 1 FROM bookings b WHERE b.id = l.booking_id)",
    ),
    (
        "lines of another event than their booking's",
        "SELECT COUNT(*) AS count FROM booking_lines l JOIN bookings b ON b.id = l.booking_id
         JOIN ticket_types t ON t.id = l.ticket_type_id WHERE t.event_id <> b.event_id",
    ),
    (
        "lines with another count of returned tickets than there are",
        "SELECT COUNT(*) AS count FROM booking_lines l WHERE l.returned <>
         (SELECT COUNT(*) FROM used_tickets u WHERE u.booking_id = l.booking_id
          AND u.ticket_type_id = l.ticket_type_id AND u.state = 'returned')",
    ),
    (
        "bookings in an unknown state",
        "SELECT COUNT(*) AS count FROM bookings WHERE status NOT IN ('held', 'confirmed', 'expired', 'canceled')",
    ),
    (
        "canceled bookings without a cancellation time, or others with one",
        "SELECT COUNT(*) AS count FROM bookings WHERE (status = 'canceled') <> (canceled_at IS NOT NULL)",
    ),
    (
        "held bookings without a hold, or holds of others",
        "SELECT COUNT(*) AS count FROM bookings b LEFT JOIN holds h ON h.booking_id = b.id
         WHERE (b.status = 'held') <> (h.booking_id IS NOT NULL)",
    ),
    ("holds that are overdue by more than a minute", OVERDUE),
    (
        "used tickets of a booking that does not exist",
        "SELECT COUNT(*) AS count FROM used_tickets a
         WHERE NOT EXISTS (SELECT 1 FROM bookings b WHERE b.id = a.booking_id)",
    ),
    (
        "used tickets of a seat that the booking does not have",
        "SELECT COUNT(*) AS count FROM used_tickets a
         WHERE a.seat < 1 OR a.seat > (SELECT COALESCE(SUM(l.quantity), 0) FROM booking_lines l WHERE l.booking_id = a.booking_id)",
    ),
    (
        "tickets used more than once",
        "SELECT COUNT(*) AS count FROM
         (SELECT 1 AS x FROM used_tickets GROUP BY booking_id, seat HAVING COUNT(*) > 1) AS d",
    ),
    (
        "scans that admitted one ticket twice",
        "SELECT COUNT(*) AS count FROM
         (SELECT 1 AS x FROM scans WHERE outcome = 'admitted' AND undone_at IS NULL
          GROUP BY booking_id, seat HAVING COUNT(*) > 1) AS d",
    ),
    (
        "canceled bookings with an admission",
        "SELECT COUNT(*) AS count FROM bookings b WHERE b.status = 'canceled'
         AND EXISTS (SELECT 1 FROM used_tickets a WHERE a.booking_id = b.id AND a.state = 'admitted')",
    ),
    (
        "confirmed bookings without a confirmation in the outbox",
        // Set operations: PostgreSQL evaluates a NOT IN over this many rows once per row.
        "SELECT COUNT(*) AS count FROM (
             SELECT id FROM bookings WHERE status = 'confirmed' AND buyer_email IS NOT NULL
             EXCEPT SELECT booking_id FROM mails WHERE kind = 'confirmation'
             EXCEPT SELECT booking_id FROM batched_confirmations) AS d",
    ),
    (
        "bookings with more than one confirmation",
        "SELECT COUNT(*) AS count FROM (SELECT 1 AS x FROM (
             SELECT booking_id FROM mails WHERE kind = 'confirmation'
             UNION ALL SELECT booking_id FROM batched_confirmations) AS m
         GROUP BY booking_id HAVING COUNT(*) > 1) AS d",
    ),
    (
        "mails for a booking without an email address",
        "SELECT COUNT(*) AS count FROM mails m JOIN bookings b ON b.id = m.booking_id
         WHERE b.buyer_email IS NULL AND m.recipient IS NULL",
    ),
    (
        "mails for a booking that does not exist",
        "SELECT COUNT(*) AS count FROM mails m WHERE m.booking_id IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM bookings b WHERE b.id = m.booking_id)",
    ),
];

const OVERDUE: &str = "SELECT COUNT(*) AS count FROM holds WHERE held_until < {a minute ago}";

/// The placeholders for times in the queries, and how long ago each one is.
const TIMES: [(&str, &str); 3] =
    [("{a minute ago}", "1 minute"), ("{an hour ago}", "1 hour"), ("{a day ago}", "1 day")];

fn with_times(db: &Db, query: &str) -> String {
    let ago = |ago: &str| match db {
        Db::Postgres(_) => format!("timezone('utc', clock_timestamp()) - interval '{ago}'"),
        Db::Sqlite(_) => format!("strftime('%Y-%m-%d %H:%M:%f', 'now', '-{ago}')"),
    };
    TIMES.iter().fold(query.to_owned(), |query, (name, time)| query.replace(name, &ago(time)))
}

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
    held: i64,
    #[diesel(sql_type = BigInt)]
    bookings: i64,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// The highest id of a booking. There were never more bookings than this.
pub(super) fn last_booking_id(db: &mut Db) -> QueryResult<i64> {
    let last: Option<i64> =
        bookings::table.order(bookings::id.desc()).select(bookings::id).first(db).optional()?;
    Ok(last.unwrap_or_default())
}

/// Counts everything. The counts of all ticket types come from one statement, so they are consistent even
/// while tickets are sold.
pub fn reconcile(db: &mut Db) -> QueryResult<Reconciliation> {
    let rows: Vec<TicketTypeSums> = diesel::sql_query(TICKET_TYPES).load(db)?;
    let ticket_types = rows.into_iter().map(|row| TicketTypeCount {
        event: row.event,
        ticket_type: row.ticket_type,
        capacity: row.capacity,
        available: row.available,
        sold: row.sold,
        held: row.held,
        bookings: row.bookings,
    });
    let mut reconciliation = Reconciliation {
        ticket_types: ticket_types.collect(),
        money: money_store::sums(db)?,
        violations: Vec::new(),
    };
    for &(what, query) in VIOLATIONS.iter().chain(MONEY_VIOLATIONS) {
        let query = with_times(db, query);
        let Count { count } = diesel::sql_query(query).get_result(db)?;
        if count > 0 {
            reconciliation.violations.push(Violation { what, count });
        }
    }
    Ok(reconciliation)
}
