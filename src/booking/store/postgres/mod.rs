//! A batch on PostgreSQL: one statement that commits by itself, whatever the batch's size, so that the
//! hot row is locked for one write to the disk and nothing waits for the network in between.

mod unbooked;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{NaiveDateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::Error as DieselError;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamp};

use self::unbooked::{recall, what_is_left};
use super::super::{Booking, BookingOutcome, Order};
use super::Batch;
use super::first_come::Remaining;
use crate::booking::buyer::{normalized_email, unusual_normalized_email};
use crate::events::Stock;

/// How often a batch is proposed anew because other servers were quicker to what was left. Each time at
/// least one of them has sold something, so this many is a storm; the buyers are then told to try again.
const ROUNDS_MAX: usize = 16;

pub(super) fn book_batch(pg: &mut PgConnection, orders: &[&Order]) -> QueryResult<Batch> {
    let mut outcomes: Vec<Option<BookingOutcome>> = vec![None; orders.len()];
    let mut stock = BTreeMap::new();
    let mut open: Vec<usize> = (0..orders.len()).collect();
    for round in 0..ROUNDS_MAX {
        let left = claim(pg, orders, &open, &mut outcomes, &mut stock)?;
        open.retain(|index| outcomes[*index].is_none());
        open = left.propose(orders, &open, &mut outcomes);
        if open.is_empty() {
            let outcomes = outcomes.into_iter().collect::<Option<_>>().ok_or(DieselError::NotFound)?;
            let stock = stock.into_values().collect();
            return Ok(Batch { outcomes, stock, is_of_one_moment: round == 0 });
        }
    }
    Err(DieselError::RollbackTransaction)
}

/// Runs the statement for the open orders, notes the outcomes that are final, and returns what is left for
/// those that are not: their ticket types held too little for all of them, or their buyers too much.
fn claim(
    pg: &mut PgConnection,
    orders: &[&Order],
    open: &[usize],
    outcomes: &mut [Option<BookingOutcome>],
    stock: &mut BTreeMap<i64, Stock>,
) -> QueryResult<Remaining> {
    let created_at = Utc::now().naive_utc();
    let draft = |&index: &usize| Booking::of(orders[index], 0, String::new(), created_at);
    let drafts: Vec<Booking> = open.iter().map(draft).collect();
    let ticket_types: Vec<ClaimedTicketType> = statement(orders, open, &drafts, created_at).load(pg)?;
    let known: HashSet<&String> =
        ticket_types.first().into_iter().flat_map(|ticket_type| &ticket_type.known).collect();
    let by_id: HashMap<i64, &ClaimedTicketType> =
        ticket_types.iter().map(|ticket_type| (ticket_type.id, ticket_type)).collect();
    for ticket_type in &ticket_types {
        let ClaimedTicketType { id: ticket_type_id, available, version, .. } = *ticket_type;
        stock.insert(ticket_type_id, Stock { ticket_type_id, available, version });
    }
    let (mut to_recall, mut homeless) = (Vec::new(), Vec::new());
    for (&index, draft) in open.iter().zip(drafts) {
        let order = orders[index];
        match by_id.get(&order.ticket_type_id) {
            _ if known.contains(&order.request_key) => to_recall.push(index),
            None => homeless.push(index),
            Some(ticket_type) if ticket_type.has_booked(order) => {
                let booking = draft.priced(ticket_type.price_cents, ticket_type.currency.clone());
                outcomes[index] = Some(BookingOutcome::Booked(booking));
            }
            Some(_) => {}
        }
    }
    // Without a ticket type there was no line to name the known keys on.
    to_recall.extend(&homeless);
    recall(pg, orders, &to_recall, outcomes)?;
    for index in homeless {
        outcomes[index].get_or_insert(BookingOutcome::UnknownTicketType);
    }
    let is_open = |index: &&usize| outcomes[**index].is_none();
    what_is_left(pg, orders, &open.iter().filter(is_open).copied().collect::<Vec<_>>(), &ticket_types)
}

/// Orders whose key is new are counted up by ticket type; each ticket type's row is locked in the order of ids, so that
/// servers never wait for each other in a circle, and updated when it holds enough for all of them; and
/// only orders of ticket types that were updated become bookings, with their confirmations in the outbox
/// ([`crate::mail`]), where there is an address to send them to. A ticket type that holds too little is left alone.
///
/// For a ticket type with a limit per person, all orders in this batch of a person who would hold too much are left
/// out, and returned as refused. What they hold is counted once the ticket type is locked, by a function, because
/// this statement does not see what was booked while it waited (`over_person_limit` in migration 8). For
/// ticket types without a limit all of that works on no rows.
///
/// It answers a line for each ticket type of the batch, and names the keys that have booked before. Lines for each
/// order would have to be joined by key, and the planner, which cannot see how long the arrays are, does
/// that in loops over all pairs.
const CLAIM: &str = "
WITH known AS MATERIALIZED (
    SELECT request_key FROM bookings WHERE request_key = ANY ($1)
), fresh AS MATERIALIZED (
    SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $0)
        AS o (request_key, ticket_type_id, quantity, buyer_name, buyer_email, reference, token, normalized)
    WHERE request_key NOT IN (SELECT request_key FROM known)
), sums AS MATERIALIZED (
    SELECT ticket_type_id, sum(quantity)::integer AS quantity FROM fresh GROUP BY ticket_type_id
), locked AS MATERIALIZED (
    SELECT t.id, t.max_per_person, sums.quantity FROM ticket_types t JOIN sums ON sums.ticket_type_id = t.id
    WHERE t.available >= sums.quantity
    ORDER BY t.id
    FOR NO KEY UPDATE OF t
), people AS MATERIALIZED (
    SELECT locked.id, locked.max_per_person, sum(fresh.quantity)::integer AS quantity,
           coalesce(fresh.normalized, lower(fresh.buyer_email COLLATE \"C\")) AS email
    FROM locked JOIN fresh ON fresh.ticket_type_id = locked.id
    WHERE locked.max_per_person IS NOT NULL
    GROUP BY locked.id, locked.max_per_person, email
), refused AS MATERIALIZED (
    SELECT limited.id, over.person, over.held, over.refused
    FROM (SELECT id, max_per_person, array_agg(email) AS emails, array_agg(quantity) AS quantities
          FROM people GROUP BY id, max_per_person) AS limited
    CROSS JOIN LATERAL over_person_limit(id, max_per_person, emails, quantities) AS over
), granted AS MATERIALIZED (
    SELECT id, quantity - coalesce((SELECT sum(refused) FROM refused WHERE refused.id = locked.id), 0)::integer
        AS quantity
    FROM locked
), claimed AS (
    UPDATE ticket_types t SET available = t.available - granted.quantity, version = t.version + 1
    FROM granted
    WHERE t.id = granted.id AND granted.quantity > 0 AND t.available >= granted.quantity
    RETURNING t.id, t.event_id, t.price_cents, t.available, t.version
), inserted AS (
    INSERT INTO bookings (reference, token, ticket_type_id, quantity, unit_price_cents, total_cents, currency,
                          buyer_name, buyer_email, buyer_email_normalised, request_key, status, created_at)
    SELECT fresh.reference, fresh.token, fresh.ticket_type_id, fresh.quantity, claimed.price_cents,
           claimed.price_cents * fresh.quantity, e.currency, fresh.buyer_name, fresh.buyer_email,
           fresh.normalized, fresh.request_key, 'confirmed', $8
    FROM fresh JOIN claimed ON claimed.id = fresh.ticket_type_id JOIN events e ON e.id = claimed.event_id
    WHERE (fresh.ticket_type_id, coalesce(fresh.normalized, lower(fresh.buyer_email COLLATE \"C\")))
        NOT IN (SELECT id, person FROM refused)
    ORDER BY fresh.request_key COLLATE \"C\"
    RETURNING id, buyer_email
), confirmations AS (
    INSERT INTO confirmation_batches (booking_ids, queued_at)
    SELECT array_agg(id), $8 FROM inserted WHERE buyer_email NOT LIKE 'user:%' HAVING count(*) > 0
)
SELECT t.id, claimed.id IS NOT NULL, coalesce(claimed.price_cents, t.price_cents), e.currency,
       coalesce(claimed.available, t.available), coalesce(claimed.version, t.version),
       ARRAY (SELECT request_key FROM known), t.max_per_person,
       ARRAY (SELECT person FROM refused WHERE refused.id = t.id ORDER BY person),
       ARRAY (SELECT held FROM refused WHERE refused.id = t.id ORDER BY person)
FROM ticket_types t
JOIN events e ON e.id = t.event_id
LEFT JOIN claimed ON claimed.id = t.id
WHERE t.id = ANY ($9)";

/// The statement with a batch's values, as columns. Its type names it, so that it is prepared once.
#[derive(Default)]
struct ClaimStatement<'a> {
    request_keys: Vec<&'a str>,
    ticket_type_ids: Vec<i64>,
    quantities: Vec<i32>,
    buyer_names: Vec<&'a str>,
    buyer_emails: Vec<&'a str>,
    references: Vec<&'a str>,
    tokens: Vec<&'a str>,
    normalized_emails: Vec<Option<String>>,
    created_at: NaiveDateTime,
    distinct_ticket_type_ids: Vec<i64>,
}

impl QueryId for ClaimStatement<'_> {
    type QueryId = ClaimStatement<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Pg> for ClaimStatement<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        for (number, piece) in CLAIM.split('$').enumerate() {
            if number == 0 {
                out.push_sql(piece);
                continue;
            }
            // Diesel numbers the parameters itself, in the order in which they stand in the statement.
            match piece.as_bytes().first() {
                Some(b'1') => out.push_bind_param::<Array<Text>, _>(&self.request_keys)?,
                Some(b'2') => out.push_bind_param::<Array<BigInt>, _>(&self.ticket_type_ids)?,
                Some(b'3') => out.push_bind_param::<Array<Integer>, _>(&self.quantities)?,
                Some(b'4') => out.push_bind_param::<Array<Text>, _>(&self.buyer_names)?,
                Some(b'5') => out.push_bind_param::<Array<Text>, _>(&self.buyer_emails)?,
                Some(b'6') => out.push_bind_param::<Array<Text>, _>(&self.references)?,
                Some(b'7') => out.push_bind_param::<Array<Text>, _>(&self.tokens)?,
                Some(b'8') => out.push_bind_param::<Timestamp, _>(&self.created_at)?,
                Some(b'0') => out.push_bind_param::<Array<Nullable<Text>>, _>(&self.normalized_emails)?,
                _ => out.push_bind_param::<Array<BigInt>, _>(&self.distinct_ticket_type_ids)?,
            }
            out.push_sql(&piece[1..]);
        }
        Ok(())
    }
}

impl Query for ClaimStatement<'_> {
    type SqlType = (
        BigInt,
        Bool,
        BigInt,
        Text,
        Integer,
        BigInt,
        Array<Text>,
        Nullable<Integer>,
        Array<Text>,
        Array<Integer>,
    );
}

impl RunQueryDsl<PgConnection> for ClaimStatement<'_> {}

/// What the statement says of one ticket type.
#[derive(Queryable)]
struct ClaimedTicketType {
    id: i64,
    is_claimed: bool,
    price_cents: i64,
    currency: String,
    available: i32,
    version: i64,
    known: Vec<String>,
    max_per_person: Option<i32>,
    /// Whose orders were left out, because they would hold too much, and what they hold.
    refused: Vec<String>,
    held: Vec<i32>,
}

impl ClaimedTicketType {
    /// Whether the order, whose key was new, is a booking now.
    fn has_booked(&self, order: &Order) -> bool {
        let is_refused = || self.refused.contains(&normalized_email(&order.buyer.email));
        self.is_claimed && (self.refused.is_empty() || !is_refused())
    }
}

/// The statement for the open orders, each with the draft of its booking.
fn statement<'a>(
    orders: &[&'a Order],
    open: &[usize],
    drafts: &'a [Booking],
    created_at: NaiveDateTime,
) -> ClaimStatement<'a> {
    let mut claim = ClaimStatement { created_at, ..ClaimStatement::default() };
    for (&index, booking) in open.iter().zip(drafts) {
        let order = orders[index];
        claim.request_keys.push(&order.request_key);
        claim.ticket_type_ids.push(order.ticket_type_id);
        claim.quantities.push(order.quantity);
        claim.buyer_names.push(&order.buyer.name);
        claim.buyer_emails.push(&order.buyer.email);
        claim.references.push(&booking.reference);
        claim.tokens.push(&booking.token);
        claim.normalized_emails.push(unusual_normalized_email(&order.buyer.email));
    }
    let distinct: BTreeSet<i64> = claim.ticket_type_ids.iter().copied().collect();
    claim.distinct_ticket_type_ids = distinct.into_iter().collect();
    claim
}
