//! A batch on SQLite: one transaction of prepared statements, so that the disk is waited for once.
//!
//! Rows are read with `get_result`, never with `first`: that binds a LIMIT, which makes SQLite compile the
//! statement anew each time.

use std::collections::{BTreeMap, HashMap};

use chrono::{NaiveDateTime, Utc};
use diesel::prelude::*;

use super::super::{Booking, Order, Outcome};
use super::{Batch, outcome_of_known, proposals};
use crate::events::Stock;
use crate::schema::{bookings, events, ticket_types};

/// What the batch needs to know of a tier.
#[derive(Queryable)]
struct Tier {
    price_cents: i64,
    currency: String,
    available: i32,
    version: i64,
}

/// Runs inside the caller's transaction, which holds the write lock: what is read here stays true.
pub(super) fn book_batch(sqlite: &mut SqliteConnection, orders: &[&Order]) -> QueryResult<Batch> {
    let now = Utc::now().naive_utc();
    let mut tiers = read_tiers(sqlite, orders)?;
    let left = tiers.iter().map(|(id, tier)| (*id, tier.available)).collect();
    let asked: Vec<usize> = (0..orders.len()).collect();
    let mut outcomes: Vec<Option<Outcome>> = vec![None; orders.len()];
    // A key that is known costs no tickets, so it must not crowd out an order that would fit.
    for index in asked.iter().copied() {
        if let Some(booking) = find_by_request_key(sqlite, &orders[index].request_key)? {
            outcomes[index] = Some(outcome_of_known(orders[index], booking));
        }
    }
    let fresh: Vec<usize> = asked.into_iter().filter(|index| outcomes[*index].is_none()).collect();
    for index in proposals(orders, &fresh, &left) {
        if let Some(tier) = tiers.get(&orders[index].ticket_type_id) {
            outcomes[index] = Some(Outcome::Booked(insert(sqlite, orders[index], tier, now)?));
        }
    }
    claim_sums(sqlite, orders, &mut outcomes, &mut tiers)?;
    let outcomes = outcomes.into_iter().zip(orders).map(|(outcome, order)| {
        outcome.unwrap_or_else(|| match tiers.get(&order.ticket_type_id) {
            Some(tier) => Outcome::NotEnough { left: tier.available },
            None => Outcome::UnknownTicketType,
        })
    });
    let outcomes = outcomes.collect();
    let stock = tiers.into_iter().map(|(ticket_type_id, tier)| Stock {
        ticket_type_id,
        available: tier.available,
        version: tier.version,
    });
    Ok(Batch { outcomes, stock: stock.collect(), is_of_one_moment: true })
}

fn read_tiers(sqlite: &mut SqliteConnection, orders: &[&Order]) -> QueryResult<BTreeMap<i64, Tier>> {
    let mut tiers = BTreeMap::new();
    for id in orders.iter().map(|order| order.ticket_type_id) {
        if tiers.contains_key(&id) {
            continue;
        }
        let tier: Option<Tier> = ticket_types::table
            .inner_join(events::table)
            .filter(ticket_types::id.eq(id))
            .select((
                ticket_types::price_cents,
                events::currency,
                ticket_types::available,
                ticket_types::version,
            ))
            .get_result(sqlite)
            .optional()?;
        if let Some(tier) = tier {
            tiers.insert(id, tier);
        }
    }
    Ok(tiers)
}

fn find_by_request_key(sqlite: &mut SqliteConnection, key: &str) -> QueryResult<Option<Booking>> {
    // Nearly always there is none, and the index alone says so.
    let id: Option<i64> = bookings::table
        .filter(bookings::request_key.eq(key))
        .select(bookings::id)
        .get_result(sqlite)
        .optional()?;
    id.map(|id| bookings::table.find(id).select(Booking::as_select()).get_result(sqlite)).transpose()
}

fn insert(
    sqlite: &mut SqliteConnection,
    order: &Order,
    tier: &Tier,
    created_at: NaiveDateTime,
) -> QueryResult<Booking> {
    let booking = Booking::of(order, tier.price_cents, tier.currency.clone(), created_at);
    diesel::insert_into(bookings::table)
        .values((
            bookings::reference.eq(&booking.reference),
            bookings::token.eq(&booking.token),
            bookings::ticket_type_id.eq(booking.ticket_type_id),
            bookings::quantity.eq(booking.quantity),
            bookings::unit_price_cents.eq(booking.unit_price_cents),
            bookings::total_cents.eq(booking.total_cents),
            bookings::currency.eq(&booking.currency),
            bookings::buyer_name.eq(&booking.buyer_name),
            bookings::buyer_email.eq(&booking.buyer_email),
            bookings::request_key.eq(&order.request_key),
            bookings::status.eq(&booking.status),
            bookings::created_at.eq(booking.created_at),
        ))
        .execute(sqlite)?;
    Ok(booking)
}

/// The guarded UPDATE on each tier's sum. Where the guard refuses it, order by order, and the losers'
/// bookings are taken out again.
fn claim_sums(
    sqlite: &mut SqliteConnection,
    orders: &[&Order],
    outcomes: &mut [Option<Outcome>],
    tiers: &mut BTreeMap<i64, Tier>,
) -> QueryResult<()> {
    let is_booked = |outcome: &Option<Outcome>| matches!(outcome, Some(Outcome::Booked(_)));
    let mut booked: HashMap<i64, Vec<usize>> = HashMap::new();
    for (index, _) in outcomes.iter().enumerate().filter(|(_, outcome)| is_booked(outcome)) {
        booked.entry(orders[index].ticket_type_id).or_default().push(index);
    }
    for (id, tier) in tiers {
        let Some(indexes) = booked.remove(id) else { continue };
        let sum = indexes.iter().map(|&index| orders[index].quantity).sum();
        if claim(sqlite, *id, sum, tier)? {
            continue;
        }
        for index in indexes {
            if !claim(sqlite, *id, orders[index].quantity, tier)? {
                let key = &orders[index].request_key;
                diesel::delete(bookings::table.filter(bookings::request_key.eq(key))).execute(sqlite)?;
                outcomes[index] = None;
            }
        }
    }
    Ok(())
}

/// The promise of this house: take n, but only if n are left.
fn claim(sqlite: &mut SqliteConnection, id: i64, quantity: i32, tier: &mut Tier) -> QueryResult<bool> {
    let still_enough = ticket_types::table.find(id).filter(ticket_types::available.ge(quantity));
    let claimed: Option<(i32, i64)> = diesel::update(still_enough)
        .set((
            ticket_types::available.eq(ticket_types::available - quantity),
            ticket_types::version.eq(ticket_types::version + 1),
        ))
        .returning((ticket_types::available, ticket_types::version))
        .get_result(sqlite)
        .optional()?;
    if let Some((available, version)) = claimed {
        (tier.available, tier.version) = (available, version);
    }
    Ok(claimed.is_some())
}
