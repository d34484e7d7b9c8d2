//! The orders that the statement did not book: repeated ones find their booking, and the others may ask for what is
//! left.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Text};

use super::ClaimedTicketType;
use crate::booking::store::first_come::{Holding, Remaining, person_key};
use crate::booking::store::outcome_of_known;
use crate::booking::{Booking, BookingOutcome, Order};
use crate::schema::bookings;

/// What the open orders may still ask for. A ticket type that held too little was not locked, so nobody has counted
/// yet what its people hold: that is done here, for the next proposal alone.
pub(super) fn what_is_left(
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
pub(super) fn recall(
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
