//! A batch on PostgreSQL: one statement that commits by itself, whatever the batch's size, so that the
//! hot row is locked for one write to the disk and nothing waits for the network in between.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{NaiveDateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::Error as DieselError;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Text, Timestamp};

use super::super::{Booking, Order, Outcome};
use super::{Batch, outcome_of_known};
use crate::events::Stock;
use crate::schema::bookings;

/// How often a batch is proposed anew because other servers were quicker to what was left. Each time at
/// least one of them has sold something, so this many is a storm; the buyers are then told to try again.
const ROUNDS_MAX: usize = 16;

/// Orders whose key is new are counted up by tier; each tier's row is locked in the order of ids, so that
/// servers never wait for each other in a circle, and updated when it holds enough for all of them; and
/// only orders of tiers that were updated become bookings, each with its confirmation in the outbox
/// ([`crate::mail`]). A tier that holds too little is left alone.
///
/// It answers a line for each tier of the batch, and names the keys that have booked before. Lines for each
/// order would have to be joined by key, and the planner, which cannot see how long the arrays are, does
/// that in loops over all pairs.
const CLAIM: &str = "
WITH known AS MATERIALIZED (
    SELECT request_key FROM bookings WHERE request_key = ANY ($1)
), fresh AS MATERIALIZED (
    SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)
        AS o (request_key, ticket_type_id, quantity, buyer_name, buyer_email, reference, token)
    WHERE request_key NOT IN (SELECT request_key FROM known)
), sums AS MATERIALIZED (
    SELECT ticket_type_id, sum(quantity)::integer AS quantity FROM fresh GROUP BY ticket_type_id
), locked AS MATERIALIZED (
    SELECT t.id, sums.quantity FROM ticket_types t JOIN sums ON sums.ticket_type_id = t.id
    WHERE t.available >= sums.quantity
    ORDER BY t.id
    FOR NO KEY UPDATE OF t
), claimed AS (
    UPDATE ticket_types t SET available = t.available - locked.quantity, version = t.version + 1
    FROM locked
    WHERE t.id = locked.id AND t.available >= locked.quantity
    RETURNING t.id, t.event_id, t.price_cents, t.available, t.version
), inserted AS (
    INSERT INTO bookings (reference, token, ticket_type_id, quantity, unit_price_cents, total_cents, currency,
                          buyer_name, buyer_email, request_key, status, created_at)
    SELECT fresh.reference, fresh.token, fresh.ticket_type_id, fresh.quantity, claimed.price_cents,
           claimed.price_cents * fresh.quantity, e.currency, fresh.buyer_name, fresh.buyer_email,
           fresh.request_key, 'confirmed', $8
    FROM fresh JOIN claimed ON claimed.id = fresh.ticket_type_id JOIN events e ON e.id = claimed.event_id
    ORDER BY fresh.request_key COLLATE \"C\"
/* mails */
    RETURNING id, created_at
), confirmations AS (
    INSERT INTO mails (booking_id, kind, queued_at, due_at)
    SELECT id, 'confirmation', created_at, created_at FROM inserted
/* mails */
)
SELECT t.id, claimed.id IS NOT NULL, coalesce(claimed.price_cents, t.price_cents), e.currency,
       coalesce(claimed.available, t.available), coalesce(claimed.version, t.version),
       ARRAY (SELECT request_key FROM known)
FROM ticket_types t
JOIN events e ON e.id = t.event_id
LEFT JOIN claimed ON claimed.id = t.id
WHERE t.id = ANY ($9)";

/// What stands between two of these is left out by a desk that writes no mail.
const MAILS_MARK: &str = "/* mails */";

/// The statement with a batch's values, as columns. Its type names it, so that it is prepared once.
#[derive(Default)]
struct Claim<'a, const MAILS: bool> {
    request_keys: Vec<&'a str>,
    ticket_type_ids: Vec<i64>,
    quantities: Vec<i32>,
    buyer_names: Vec<&'a str>,
    buyer_emails: Vec<&'a str>,
    references: Vec<&'a str>,
    tokens: Vec<&'a str>,
    created_at: NaiveDateTime,
    distinct_ticket_type_ids: Vec<i64>,
}

impl<const MAILS: bool> QueryId for Claim<'_, MAILS> {
    type QueryId = Claim<'static, MAILS>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<const MAILS: bool> QueryFragment<Pg> for Claim<'_, MAILS> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let parts = CLAIM.split(MAILS_MARK).enumerate().filter(|(index, _)| MAILS || *index != 1);
        for (number, piece) in parts.flat_map(|(_, part)| part.split('$').enumerate()) {
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
                _ => out.push_bind_param::<Array<BigInt>, _>(&self.distinct_ticket_type_ids)?,
            }
            out.push_sql(&piece[1..]);
        }
        Ok(())
    }
}

impl<const MAILS: bool> Query for Claim<'_, MAILS> {
    type SqlType = (BigInt, Bool, BigInt, Text, Integer, BigInt, Array<Text>);
}

impl<const MAILS: bool> RunQueryDsl<PgConnection> for Claim<'_, MAILS> {}

/// What the statement says of one tier.
#[derive(Queryable)]
struct Tier {
    id: i64,
    is_claimed: bool,
    price_cents: i64,
    currency: String,
    available: i32,
    version: i64,
    known: Vec<String>,
}

pub(super) fn book_batch<const MAILS: bool>(pg: &mut PgConnection, orders: &[&Order]) -> QueryResult<Batch> {
    let mut outcomes: Vec<Option<Outcome>> = vec![None; orders.len()];
    let mut stock = BTreeMap::new();
    let mut open: Vec<usize> = (0..orders.len()).collect();
    for round in 0..ROUNDS_MAX {
        let left = claim::<MAILS>(pg, orders, &open, &mut outcomes, &mut stock)?;
        open.retain(|index| outcomes[*index].is_none());
        let fitting = proposals(orders, &open, &left);
        refuse(orders, &open, &fitting, left, &mut outcomes);
        open = fitting;
        if open.is_empty() {
            let outcomes = outcomes.into_iter().collect::<Option<_>>().ok_or(DieselError::NotFound)?;
            let stock = stock.into_values().collect();
            return Ok(Batch { outcomes, stock, is_of_one_moment: round == 0 });
        }
    }
    Err(DieselError::RollbackTransaction)
}

/// Runs the statement for the open orders, notes the outcomes that are final, and returns what is left of
/// each tier that held too little for all of its orders.
fn claim<const MAILS: bool>(
    pg: &mut PgConnection,
    orders: &[&Order],
    open: &[usize],
    outcomes: &mut [Option<Outcome>],
    stock: &mut BTreeMap<i64, Stock>,
) -> QueryResult<HashMap<i64, i32>> {
    let created_at = Utc::now().naive_utc();
    let draft = |&index: &usize| Booking::of(orders[index], 0, String::new(), created_at);
    let drafts: Vec<Booking> = open.iter().map(draft).collect();
    let tiers: Vec<Tier> = statement::<MAILS>(orders, open, &drafts, created_at).load(pg)?;
    let known: HashSet<&String> = tiers.first().into_iter().flat_map(|tier| &tier.known).collect();
    let by_id: HashMap<i64, &Tier> = tiers.iter().map(|tier| (tier.id, tier)).collect();
    for tier in &tiers {
        let Tier { id: ticket_type_id, available, version, .. } = *tier;
        stock.insert(ticket_type_id, Stock { ticket_type_id, available, version });
    }
    let (mut to_recall, mut homeless) = (Vec::new(), Vec::new());
    for (&index, draft) in open.iter().zip(drafts) {
        let order = orders[index];
        match by_id.get(&order.ticket_type_id) {
            _ if known.contains(&order.request_key) => to_recall.push(index),
            None => homeless.push(index),
            Some(tier) if tier.is_claimed => {
                let booking = draft.priced(tier.price_cents, tier.currency.clone());
                outcomes[index] = Some(Outcome::Booked(booking));
            }
            Some(_) => {}
        }
    }
    // Without a tier there was no line to name the known keys on.
    to_recall.extend(&homeless);
    recall(pg, orders, &to_recall, outcomes)?;
    for index in homeless {
        outcomes[index].get_or_insert(Outcome::UnknownTicketType);
    }
    Ok(tiers.iter().filter(|tier| !tier.is_claimed).map(|tier| (tier.id, tier.available)).collect())
}

fn statement<'a, const MAILS: bool>(
    orders: &[&'a Order],
    open: &[usize],
    drafts: &'a [Booking],
    created_at: NaiveDateTime,
) -> Claim<'a, MAILS> {
    let mut claim = Claim { created_at, ..Claim::default() };
    for (&index, booking) in open.iter().zip(drafts) {
        let order = orders[index];
        claim.request_keys.push(&order.request_key);
        claim.ticket_type_ids.push(order.ticket_type_id);
        claim.quantities.push(order.quantity);
        claim.buyer_names.push(&order.buyer.name);
        claim.buyer_emails.push(&order.buyer.email);
        claim.references.push(&booking.reference);
        claim.tokens.push(&booking.token);
    }
    let distinct: BTreeSet<i64> = claim.ticket_type_ids.iter().copied().collect();
    claim.distinct_ticket_type_ids = distinct.into_iter().collect();
    claim
}

/// The bookings of keys that were used before.
fn recall(
    pg: &mut PgConnection,
    orders: &[&Order],
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
            outcomes[index] = Some(outcome_of_known(orders[index], booking));
        }
    }
    Ok(())
}

/// The orders, of those asked for, that fit into what is left, first come, first served: a smaller later
/// one may still fit. A proposal only: whether the tickets are there is for the guard in SQL to say.
fn proposals(orders: &[&Order], asked: &[usize], left: &HashMap<i64, i32>) -> Vec<usize> {
    let mut left = left.clone();
    let fits = |index: &usize| {
        let order = orders[*index];
        left.get_mut(&order.ticket_type_id).is_some_and(|left| {
            let fits = order.quantity <= *left;
            if fits {
                *left -= order.quantity;
            }
            fits
        })
    };
    asked.iter().copied().filter(fits).collect()
}

/// Notes the orders that do not fit, with what is left once those that do have taken theirs.
fn refuse(
    orders: &[&Order],
    open: &[usize],
    fitting: &[usize],
    mut left: HashMap<i64, i32>,
    outcomes: &mut [Option<Outcome>],
) {
    let fitting: HashSet<usize> = fitting.iter().copied().collect();
    for &index in &fitting {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::booking::buyer::Buyer;

    #[test]
    fn a_smaller_later_order_may_still_fit() {
        let order = |ticket_type_id, quantity| Order {
            ticket_type_id,
            quantity,
            buyer: Buyer { name: "Ada".into(), email: "ada@example.org".into() },
            request_key: String::new(),
        };
        let orders = [order(1, 3), order(1, 4), order(2, 1), order(1, 2), order(1, 1), order(3, 1)];
        let left = HashMap::from([(1, 5), (2, 0)]);
        let orders: Vec<&Order> = orders.iter().collect();
        assert_eq!(proposals(&orders, &[0, 1, 2, 3, 4, 5], &left), [0, 3]);
    }
}
