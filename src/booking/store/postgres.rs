//! A batch on PostgreSQL: one statement that commits by itself, whatever the batch's size, so that the
//! hot row is locked for one write to the disk and nothing waits for the network in between.

use std::collections::{BTreeMap, HashMap};

use chrono::{NaiveDateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::Error as DieselError;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamp};

use super::super::{Booking, Order, Outcome};
use super::{Batch, outcome_of_known, proposals};
use crate::events::Stock;
use crate::schema::bookings;

/// How often a batch is proposed anew because other servers were quicker to what was left. Each time at
/// least one of them has sold something, so this many is a storm; the buyers are then told to try again.
const ROUNDS_MAX: usize = 16;

/// Orders whose key is new are counted up by tier; each tier's row is locked in the order of ids, so that
/// servers never wait for each other in a circle, and updated when it holds enough for all of them; and
/// only orders of tiers that were updated become bookings. A tier that holds too little is left alone.
const CLAIM: &str = "
WITH asked AS (
    SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)
        AS o (request_key, ticket_type_id, quantity, buyer_name, buyer_email, reference, token)
), known AS (
    SELECT b.request_key FROM asked JOIN bookings b ON b.request_key = asked.request_key
), fresh AS (
    SELECT * FROM asked WHERE NOT EXISTS (SELECT FROM known WHERE known.request_key = asked.request_key)
), sums AS (
    SELECT ticket_type_id, sum(quantity)::integer AS quantity FROM fresh GROUP BY ticket_type_id
), locked AS (
    SELECT t.id, sums.quantity FROM ticket_types t JOIN sums ON sums.ticket_type_id = t.id
    WHERE t.available >= sums.quantity
    ORDER BY t.id
    FOR NO KEY UPDATE OF t
), claimed AS (
    UPDATE ticket_types t SET available = t.available - locked.quantity, version = t.version + 1
    FROM locked
    WHERE t.id = locked.id AND t.available >= locked.quantity
    RETURNING t.id, t.price_cents, t.event_id, t.available, t.version
), inserted AS (
    INSERT INTO bookings (reference, token, ticket_type_id, quantity, unit_price_cents, total_cents, currency,
                          buyer_name, buyer_email, request_key, status, created_at)
    SELECT fresh.reference, fresh.token, fresh.ticket_type_id, fresh.quantity, claimed.price_cents,
           claimed.price_cents * fresh.quantity, e.currency, fresh.buyer_name, fresh.buyer_email,
           fresh.request_key, 'confirmed', $8
    FROM fresh JOIN claimed ON claimed.id = fresh.ticket_type_id JOIN events e ON e.id = claimed.event_id
    ORDER BY fresh.request_key
    RETURNING request_key
)
SELECT asked.request_key,
       known.request_key IS NOT NULL,
       inserted.request_key IS NOT NULL,
       t.price_cents,
       e.currency,
       coalesce(claimed.available, t.available),
       coalesce(claimed.version, t.version)
FROM asked
LEFT JOIN known ON known.request_key = asked.request_key
LEFT JOIN inserted ON inserted.request_key = asked.request_key
LEFT JOIN ticket_types t ON t.id = asked.ticket_type_id
LEFT JOIN events e ON e.id = t.event_id
LEFT JOIN claimed ON claimed.id = asked.ticket_type_id";

/// The statement with a batch's values, as columns. Its type names it, so that it is prepared once.
#[derive(QueryId)]
struct Claim {
    request_keys: Vec<String>,
    ticket_type_ids: Vec<i64>,
    quantities: Vec<i32>,
    buyer_names: Vec<String>,
    buyer_emails: Vec<String>,
    references: Vec<String>,
    tokens: Vec<String>,
    created_at: NaiveDateTime,
}

impl QueryFragment<Pg> for Claim {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut pieces = CLAIM.split(['$']);
        out.push_sql(pieces.next().unwrap_or_default());
        for piece in pieces {
            // Diesel numbers the parameters itself, in the order in which they stand in the statement.
            match piece.as_bytes().first() {
                Some(b'1') => out.push_bind_param::<Array<Text>, _>(&self.request_keys)?,
                Some(b'2') => out.push_bind_param::<Array<BigInt>, _>(&self.ticket_type_ids)?,
                Some(b'3') => out.push_bind_param::<Array<Integer>, _>(&self.quantities)?,
                Some(b'4') => out.push_bind_param::<Array<Text>, _>(&self.buyer_names)?,
                Some(b'5') => out.push_bind_param::<Array<Text>, _>(&self.buyer_emails)?,
                Some(b'6') => out.push_bind_param::<Array<Text>, _>(&self.references)?,
                Some(b'7') => out.push_bind_param::<Array<Text>, _>(&self.tokens)?,
                _ => out.push_bind_param::<Timestamp, _>(&self.created_at)?,
            }
            out.push_sql(&piece[1..]);
        }
        Ok(())
    }
}

impl Query for Claim {
    type SqlType = (Text, Bool, Bool, Nullable<BigInt>, Nullable<Text>, Nullable<Integer>, Nullable<BigInt>);
}

impl RunQueryDsl<PgConnection> for Claim {}

/// What the statement says of one order.
#[derive(Queryable)]
struct Answer {
    request_key: String,
    is_known: bool,
    is_inserted: bool,
    price_cents: Option<i64>,
    currency: Option<String>,
    available: Option<i32>,
    version: Option<i64>,
}

pub(super) fn book_batch(pg: &mut PgConnection, orders: &[Order]) -> QueryResult<Batch> {
    let mut outcomes: Vec<Option<Outcome>> = vec![None; orders.len()];
    let mut stock = BTreeMap::new();
    let mut open: Vec<usize> = (0..orders.len()).collect();
    for _ in 0..ROUNDS_MAX {
        let left = claim(pg, orders, &open, &mut outcomes, &mut stock)?;
        open.retain(|index| outcomes[*index].is_none());
        let fitting = proposals(orders, &open, &left);
        refuse(orders, &open, &fitting, left, &mut outcomes);
        open = fitting;
        if open.is_empty() {
            let outcomes = outcomes.into_iter().collect::<Option<_>>().ok_or(DieselError::NotFound)?;
            return Ok(Batch { outcomes, stock: stock.into_values().collect() });
        }
    }
    Err(DieselError::RollbackTransaction)
}

/// Runs the statement for the open orders, notes the outcomes that are final, and returns what is left of
/// each tier that held too little for all of its orders.
fn claim(
    pg: &mut PgConnection,
    orders: &[Order],
    open: &[usize],
    outcomes: &mut [Option<Outcome>],
    stock: &mut BTreeMap<i64, Stock>,
) -> QueryResult<HashMap<i64, i32>> {
    let created_at = Utc::now().naive_utc();
    let drafts: HashMap<&str, (usize, Booking)> = open
        .iter()
        .map(|&index| {
            let order = &orders[index];
            (order.request_key.as_str(), (index, Booking::of(order, 0, String::new(), created_at)))
        })
        .collect();
    let answers: Vec<Answer> = statement(orders, open, &drafts, created_at).load(pg)?;
    let mut left = HashMap::new();
    let mut known = Vec::new();
    let mut drafts = drafts;
    for answer in answers {
        let Some((index, booking)) = drafts.remove(answer.request_key.as_str()) else { continue };
        let order = &orders[index];
        let read = (answer.available, answer.version);
        if let (Some(available), Some(version)) = read {
            let ticket_type_id = order.ticket_type_id;
            stock.insert(ticket_type_id, Stock { ticket_type_id, available, version });
        }
        match (answer.is_known, answer.is_inserted, answer.price_cents, answer.available) {
            (true, ..) => known.push(index),
            (_, true, Some(price_cents), _) => {
                let total_cents = price_cents * i64::from(order.quantity);
                let currency = answer.currency.unwrap_or_default();
                let booking = Booking { unit_price_cents: price_cents, total_cents, currency, ..booking };
                outcomes[index] = Some(Outcome::Booked(booking));
            }
            (.., Some(available)) => {
                left.insert(order.ticket_type_id, available);
            }
            _ => outcomes[index] = Some(Outcome::UnknownTicketType),
        }
    }
    recall(pg, orders, &known, outcomes)?;
    Ok(left)
}

fn statement(
    orders: &[Order],
    open: &[usize],
    drafts: &HashMap<&str, (usize, Booking)>,
    created_at: NaiveDateTime,
) -> Claim {
    let mut claim = Claim {
        request_keys: Vec::with_capacity(open.len()),
        ticket_type_ids: Vec::with_capacity(open.len()),
        quantities: Vec::with_capacity(open.len()),
        buyer_names: Vec::with_capacity(open.len()),
        buyer_emails: Vec::with_capacity(open.len()),
        references: Vec::with_capacity(open.len()),
        tokens: Vec::with_capacity(open.len()),
        created_at,
    };
    for order in open.iter().map(|&index| &orders[index]) {
        let Some((_, booking)) = drafts.get(order.request_key.as_str()) else { continue };
        claim.request_keys.push(order.request_key.clone());
        claim.ticket_type_ids.push(order.ticket_type_id);
        claim.quantities.push(order.quantity);
        claim.buyer_names.push(order.buyer.name.clone());
        claim.buyer_emails.push(order.buyer.email.clone());
        claim.references.push(booking.reference.clone());
        claim.tokens.push(booking.token.clone());
    }
    claim
}

/// The bookings of keys that were used before.
fn recall(
    pg: &mut PgConnection,
    orders: &[Order],
    known: &[usize],
    outcomes: &mut [Option<Outcome>],
) -> QueryResult<()> {
    if known.is_empty() {
        return Ok(());
    }
    let keys: Vec<&str> = known.iter().map(|&index| orders[index].request_key.as_str()).collect();
    let found: Vec<(String, Booking)> = bookings::table
        .filter(bookings::request_key.eq_any(keys))
        .select((bookings::request_key, Booking::as_select()))
        .load(pg)?;
    let mut found: HashMap<String, Booking> = found.into_iter().collect();
    for &index in known {
        // When a reseed deleted it a moment ago, no outcome is noted, and the whole batch is sent again.
        if let Some(booking) = found.remove(&orders[index].request_key) {
            outcomes[index] = Some(outcome_of_known(&orders[index], booking));
        }
    }
    Ok(())
}

/// Notes the orders that do not fit, with what is left once those that do have taken theirs.
fn refuse(
    orders: &[Order],
    open: &[usize],
    fitting: &[usize],
    mut left: HashMap<i64, i32>,
    outcomes: &mut [Option<Outcome>],
) {
    for &index in fitting {
        if let Some(left) = left.get_mut(&orders[index].ticket_type_id) {
            *left -= orders[index].quantity;
        }
    }
    for &index in open {
        if let (false, Some(&left)) = (fitting.contains(&index), left.get(&orders[index].ticket_type_id)) {
            outcomes[index] = Some(Outcome::NotEnough { left });
        }
    }
}
