//! A batch on PostgreSQL: one statement that commits by itself, whatever the batch's size, so that the
//! hot row is locked for one write to the disk and nothing waits for the network in between.

mod statement;

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::Utc;
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel::sql_types::{Array, BigInt, Integer, Text};

use self::statement::{ClaimedTicketType, statement};
use super::super::{Booking, BookingOutcome, Order};
use super::first_come::{Holding, Remaining, person_key};
use super::{Batch, outcome_of_known};
use crate::events::Stock;
use crate::schema::bookings;

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

/// What the open orders may still ask for. A ticket type that held too little was not locked, so nobody has counted
/// yet what its people hold: that is done here, for the next proposal alone.
fn what_is_left(
    pg: &mut PgConnection,
    orders: &[&Order],
    open: &[usize],
    ticket_types: &[ClaimedTicketType],
) -> QueryResult<Remaining> {
    let mut left = Remaining::default();
    for ticket_type in ticket_types {
        left.stock.insert(ticket_type.id, ticket_type.available);
        let refused = ticket_type.refused.iter().cloned().zip(ticket_type.held.iter().copied());
        let mut over: Vec<(String, i32)> = refused.collect();
        let Some(limit) = ticket_type.max_per_person else { continue };
        if over.is_empty() && !ticket_type.is_claimed && ticket_type.available > 0 {
            let of_ticket_type = open.iter().map(|&index| orders[index]);
            over = over_limit(
                pg,
                ticket_type.id,
                limit,
                of_ticket_type.filter(|it| it.ticket_type_id == ticket_type.id),
            )?;
        }
        left.people
            .extend(over.into_iter().map(|(email, held)| ((ticket_type.id, email), Holding { limit, held })));
    }
    Ok(left)
}

#[derive(QueryableByName)]
struct OverLimit {
    #[diesel(sql_type = Text)]
    person: String,
    #[diesel(sql_type = Integer)]
    held: i32,
}

/// Who asks with these orders for more of a ticket type than one person may have, and what they hold.
fn over_limit<'a>(
    pg: &mut PgConnection,
    ticket_type_id: i64,
    limit: i32,
    orders: impl Iterator<Item = &'a Order>,
) -> QueryResult<Vec<(String, i32)>> {
    let mut wanted: BTreeMap<String, i32> = BTreeMap::new();
    for order in orders {
        *wanted.entry(person_key(order).1).or_default() += order.quantity;
    }
    let (people, quantities): (Vec<String>, Vec<i32>) = wanted.into_iter().unzip();
    let over: Vec<OverLimit> =
        diesel::sql_query("SELECT person, held FROM over_person_limit($1, $2, $3, $4)")
            .bind::<BigInt, _>(ticket_type_id)
            .bind::<Integer, _>(limit)
            .bind::<Array<Text>, _>(people)
            .bind::<Array<Integer>, _>(quantities)
            .load(pg)?;
    Ok(over.into_iter().map(|over| (over.person, over.held)).collect())
}

/// The bookings of keys that were used before.
fn recall(
    pg: &mut PgConnection,
    orders: &[&Order],
    known: &[usize],
    outcomes: &mut [Option<BookingOutcome>],
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
        // When a reseed deleted it a moment ago, no outcome is noted, and the order is proposed again.
        if let Some(booking) = found.remove(&orders[index].request_key) {
            outcomes[index] = Some(outcome_of_known(orders[index], booking));
        }
    }
    Ok(())
}
