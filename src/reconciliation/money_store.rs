//! The queries that prove the money: what came, what went back, and what the tickets are worth.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::MoneySum;
use crate::db::Db;
use crate::payment::store::ledger::SUMS;

/// What must never exist, and the query that counts it.
pub(super) const MONEY_VIOLATIONS: &[(&str, &str)] = &[
    (
        "payments without their entry in the ledger",
        "SELECT COUNT(*) AS count FROM payments p WHERE (p.state = 'paid') <>
         ((SELECT COUNT(*) FROM ledger l WHERE l.payment_id = p.id AND l.kind = 'payment'
           AND l.amount_minor = p.amount_minor AND l.currency = p.currency AND l.booking_id = p.booking_id) = 1)",
    ),
    (
        "ledger entries about real money without a payment or a booking",
        "SELECT COUNT(*) AS count FROM ledger l WHERE l.live AND NOT EXISTS
         (SELECT 1 FROM payments p JOIN bookings b ON b.id = p.booking_id
          WHERE p.id = l.payment_id AND b.id = l.booking_id AND p.live)",
    ),
    (
        "payments refunded beyond their amount, or whose refunds do not add up",
        "SELECT COUNT(*) AS count FROM payments p WHERE p.refunded_minor > p.amount_minor OR p.refunded_minor <>
         (SELECT COALESCE(SUM(r.amount_minor - r.beyond_minor), 0) FROM refunds r
          WHERE r.payment_id = p.id AND r.state <> 'failed')",
    ),
    (
        "refunds whose ledger entries do not add up",
        "SELECT COUNT(*) AS count FROM refunds r WHERE
         (SELECT COALESCE(SUM(l.amount_minor), 0) FROM ledger l WHERE l.refund_id = r.id) <>
         CASE WHEN r.state IN ('pending', 'done') THEN -r.amount_minor ELSE 0 END",
    ),
    ("bookings paid online whose payments do not match the value of their tickets", WORTH),
    (
        "confirmed bookings whose online payment did not complete",
        "SELECT COUNT(*) AS count FROM bookings b WHERE b.status = 'confirmed'
         AND EXISTS (SELECT 1 FROM payments p WHERE p.booking_id = b.id)
         AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.booking_id = b.id AND p.state = 'paid')",
    ),
    (
        "payments that need review",
        "SELECT COUNT(*) AS count FROM payments p WHERE p.state = 'review'",
    ),
    (
        "failed refunds that no later refund replaces",
        "SELECT COUNT(*) AS count FROM refunds r WHERE r.state = 'failed' AND r.source <> 'dispute'
         AND NOT EXISTS (SELECT 1 FROM refunds o WHERE o.payment_id = r.payment_id AND o.id > r.id
                         AND o.state <> 'failed')",
    ),
    (
        "refunds that have been waiting for more than a day",
        "SELECT COUNT(*) AS count FROM refunds r WHERE r.state = 'wanted' AND r.wanted_at < {a day ago}",
    ),
    (
        "refunds and disputes that took back more than was paid",
        "SELECT COUNT(*) AS count FROM refunds r WHERE r.state <> 'failed' AND r.beyond_minor <> 0",
    ),
    (
        "payment pages that ended over an hour ago, and whose outcome is still unknown",
        "SELECT COUNT(*) AS count FROM payments p WHERE p.state = 'open' AND p.session_ends_at < {an hour ago}",
    ),
    (
        "paid bookings that are still held",
        "SELECT COUNT(*) AS count FROM bookings b JOIN payments p ON p.booking_id = b.id
         WHERE p.state = 'paid' AND b.status = 'held'",
    ),
    (
        "payments in another currency than their booking's, or for another amount",
        "SELECT COUNT(*) AS count FROM payments p JOIN bookings b ON b.id = p.booking_id
         WHERE p.currency <> b.currency OR p.amount_minor <> b.total_minor OR p.amount_minor <>
         (SELECT COALESCE(SUM(l.quantity * l.unit_price_minor), 0) FROM payment_lines l WHERE l.payment_id = p.id)",
    ),
    (
        "tickets that may be sold while somebody can still pay for them",
        "SELECT COUNT(*) AS count FROM payments p LEFT JOIN holds h ON h.booking_id = p.booking_id
         WHERE p.state = 'open' AND p.session_ends_at > {a minute ago}
         AND (h.booking_id IS NULL OR h.held_until < p.session_ends_at)",
    ),
    (
        "bookings with more than one payment page",
        "SELECT COUNT(*) AS count FROM (SELECT 1 AS x FROM payments WHERE state IN ('wanted', 'open')
         GROUP BY booking_id HAVING COUNT(*) > 1) AS d",
    ),
];

/// The money that the site has kept for a booking may differ from the value of its tickets for two reasons.
/// It may be more: for each ticket that the buyer gave back, and not the organizer, the terms let the site
/// keep the fee, or all of the price. It may be less: the organizer may have given an amount back, or money
/// may have gone back that nobody here has asked for. A larger difference is a violation.
///
/// A note tells who gave a ticket back: a seat of the note that was returned when the note was written, or
/// later, was returned by the organizer.
const WORTH: &str = "SELECT COUNT(*) AS count FROM (
        SELECT b.id, (SELECT SUM(p.amount_minor - p.refunded_minor) FROM payments p
                      WHERE p.booking_id = b.id AND p.state = 'paid') AS kept,
               CASE b.status WHEN 'confirmed' THEN
                   (SELECT SUM((l.quantity - l.returned) * l.unit_price_minor) FROM booking_lines l
                    WHERE l.booking_id = b.id) ELSE 0 END AS worth
        FROM bookings b WHERE EXISTS (SELECT 1 FROM payments p WHERE p.booking_id = b.id AND p.state = 'paid')
    ) AS paid
    WHERE kept > worth + (
        SELECT COALESCE(SUM(CASE WHEN f.fee < l.unit_price_minor THEN f.fee ELSE l.unit_price_minor END), 0)
        FROM used_tickets u
        JOIN booking_lines l ON l.booking_id = u.booking_id AND l.ticket_type_id = u.ticket_type_id
        JOIN (SELECT p.booking_id, MAX(COALESCE(p.refund_fee_minor, 9000000000000000)) AS fee FROM payments p
              WHERE p.state = 'paid' GROUP BY p.booking_id) AS f ON f.booking_id = u.booking_id
        WHERE u.booking_id = paid.id AND u.state = 'returned' AND NOT EXISTS (
            SELECT 1 FROM cancellation_notes n WHERE n.booking_id = u.booking_id AND u.used_at >= n.canceled_at
            AND (n.seats = '' OR ' ' || n.seats || ' ' LIKE '% ' || u.seat || ' %')))
    OR kept < worth - (
        SELECT COALESCE(SUM(r.amount_minor - r.beyond_minor), 0) FROM refunds r JOIN payments p ON p.id = r.payment_id
        WHERE p.booking_id = paid.id AND r.state <> 'failed' AND r.seats = ''
        AND r.source IN ('organizer', 'outside', 'dispute'))";

#[derive(QueryableByName)]
struct SumRow {
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = BigInt)]
    paid: i64,
    #[diesel(sql_type = BigInt)]
    back: i64,
    #[diesel(sql_type = BigInt)]
    fees: i64,
}

/// Adds the ledger of real money up, by currency.
pub(super) fn sums(db: &mut Db) -> QueryResult<Vec<MoneySum>> {
    let query = format!("SELECT currency, {SUMS} FROM ledger WHERE live GROUP BY currency ORDER BY currency");
    let rows: Vec<SumRow> = diesel::sql_query(query).load(db)?;
    let sum = |SumRow { currency, paid, back, fees }| MoneySum { currency, paid, back, fees };
    Ok(rows.into_iter().map(sum).collect())
}
