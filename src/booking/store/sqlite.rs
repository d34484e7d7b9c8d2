//! A batch on SQLite: one transaction of prepared statements, so that the disk is waited for once.
//!
//! Rows are read with `get_result`, never with `first`: that binds a LIMIT, which makes SQLite compile the
//! statement anew each time.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use chrono::{NaiveDateTime, Utc};
use diesel::dsl::{max, sql};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamp};
use diesel::sqlite::Sqlite;

use super::super::buyer::unusual_normalized_email;
use super::super::{Booking, BookingOutcome, CONFIRMED, Order};
use super::first_come::{Holding, Misfit, PersonKey, Remaining, person_key};
use super::{Batch, PERSON, outcome_of_known};
use crate::events::Stock;
use crate::schema::{bookings, events, ticket_types};

/// What the batch needs to know of a ticket_type.
#[derive(Queryable)]
struct TicketTypeRow {
    price_cents: i64,
    currency: String,
    available: i32,
    version: i64,
    max_per_person: Option<i32>,
}

/// Runs inside the caller's transaction, which holds the write lock: what is read here stays true.
pub(super) fn book_batch(sqlite: &mut SqliteConnection, orders: &[&Order]) -> QueryResult<Batch> {
    let mut ticket_types = read_tiers(sqlite, orders)?;
    let last_id = last_booking_id(sqlite)?;
    let mut outcomes = insert_fitting(sqlite, orders, &ticket_types)?;
    claim_sums(sqlite, orders, &mut outcomes, &mut ticket_types)?;
    insert_confirmations(sqlite, last_id)?;
    let outcomes = outcomes.into_iter().zip(orders).map(|(outcome, order)| {
        outcome.unwrap_or_else(|| match ticket_types.get(&order.ticket_type_id) {
            Some(ticket_type) => BookingOutcome::NotEnough { left: ticket_type.available },
            None => BookingOutcome::UnknownTicketType,
        })
    });
    let outcomes = outcomes.collect();
    let stock = ticket_types.into_iter().map(|(ticket_type_id, ticket_type)| Stock {
        ticket_type_id,
        available: ticket_type.available,
        version: ticket_type.version,
    });
    Ok(Batch { outcomes, stock: stock.collect(), is_of_one_moment: true })
}

fn read_tiers(sqlite: &mut SqliteConnection, orders: &[&Order]) -> QueryResult<BTreeMap<i64, TicketTypeRow>> {
    let mut ticket_types = BTreeMap::new();
    for id in orders.iter().map(|order| order.ticket_type_id) {
        if ticket_types.contains_key(&id) {
            continue;
        }
        let ticket_type: Option<TicketTypeRow> = ticket_types::table
            .inner_join(events::table)
            .filter(ticket_types::id.eq(id))
            .select((
                ticket_types::price_cents,
                events::currency,
                ticket_types::available,
                ticket_types::version,
                ticket_types::max_per_person,
            ))
            .get_result(sqlite)
            .optional()?;
        if let Some(ticket_type) = ticket_type {
            ticket_types.insert(id, ticket_type);
        }
    }
    Ok(ticket_types)
}

/// Inserts a booking for each order that fits. An order whose key has a booking takes no tickets.
fn insert_fitting(
    sqlite: &mut SqliteConnection,
    orders: &[&Order],
    ticket_types: &BTreeMap<i64, TicketTypeRow>,
) -> QueryResult<Vec<Option<BookingOutcome>>> {
    let created_at = Utc::now().naive_utc();
    let stock = ticket_types.iter().map(|(id, ticket_type)| (*id, ticket_type.available)).collect();
    let mut remaining = Remaining { stock, ..Remaining::default() };
    let mut outcomes = Vec::with_capacity(orders.len());
    for order in orders {
        let ticket_type = ticket_types.get(&order.ticket_type_id);
        let limit = ticket_type.and_then(|it| it.max_per_person);
        let person = limit.map(|_| person_key(order));
        if let (Some(limit), Some(person)) = (limit, &person)
            && let Entry::Vacant(unknown) = remaining.people.entry(person.clone())
        {
            unknown.insert(Holding { limit, held: held_by(sqlite, person)? });
        }
        let fits = remaining.check(order, person.as_ref());
        let inserted = match (ticket_type, fits) {
            (Some(ticket_type), Ok(())) => insert(sqlite, order, ticket_type, created_at)?,
            _ => None,
        };
        outcomes.push(match inserted {
            Some(booking) => {
                remaining.take(order, person.as_ref());
                Some(BookingOutcome::Booked(booking))
            }
            None => match (find_by_request_key(sqlite, &order.request_key)?, fits) {
                (Some(booking), _) => Some(outcome_of_known(order, booking)),
                (None, Err(misfit @ Misfit::OverPersonLimit(_))) => Some(misfit.outcome(0)),
                (None, _) => None,
            },
        });
    }
    Ok(outcomes)
}

/// How many tickets of a ticket type a person holds.
fn held_by(sqlite: &mut SqliteConnection, (ticket_type_id, email): &PersonKey) -> QueryResult<i32> {
    bookings::table
        .filter(sql::<Text>(PERSON).eq(email))
        .filter(bookings::ticket_type_id.eq(ticket_type_id))
        .filter(bookings::status.eq(CONFIRMED))
        .select(sql::<Integer>("CAST(coalesce(sum(bookings.quantity), 0) AS INTEGER)"))
        .get_result(sqlite)
}

/// The order's booking; `None` when its key has booked before.
fn insert(
    sqlite: &mut SqliteConnection,
    order: &Order,
    ticket_type: &TicketTypeRow,
    created_at: NaiveDateTime,
) -> QueryResult<Option<Booking>> {
    let booking = Booking::of(order, ticket_type.price_cents, ticket_type.currency.clone(), created_at);
    let normalized_email = unusual_normalized_email(&booking.buyer_email);
    let insertion = Insertion { booking: &booking, normalized_email, request_key: &order.request_key };
    let inserted = insertion.execute(sqlite)?;
    Ok((inserted > 0).then_some(booking))
}

/// One row of `bookings`. Its type names the statement, whose text is thus not put together again for each.
struct Insertion<'a> {
    booking: &'a Booking,
    normalized_email: Option<String>,
    request_key: &'a str,
}

impl QueryId for Insertion<'_> {
    type QueryId = Insertion<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Sqlite> for Insertion<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO bookings (reference, token, ticket_type_id, quantity, unit_price_cents, \
             total_cents, currency, buyer_name, buyer_email, buyer_email_normalised, request_key, status, created_at) VALUES (",
        );
        out.push_bind_param::<Text, _>(&self.booking.reference)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&self.booking.token)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.booking.ticket_type_id)?;
        out.push_sql(", ");
        out.push_bind_param::<Integer, _>(&self.booking.quantity)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.booking.unit_price_cents)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.booking.total_cents)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&self.booking.currency)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&self.booking.buyer_name)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&self.booking.buyer_email)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(&self.normalized_email)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(self.request_key)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&self.booking.status)?;
        out.push_sql(", ");
        out.push_bind_param::<Timestamp, _>(&self.booking.created_at)?;
        out.push_sql(") ON CONFLICT (request_key) DO NOTHING");
        Ok(())
    }
}

impl RunQueryDsl<SqliteConnection> for Insertion<'_> {}

/// Ids only grow, and nobody else writes: what comes after it is of this batch.
fn last_booking_id(sqlite: &mut SqliteConnection) -> QueryResult<i64> {
    let last: Option<i64> = bookings::table.select(max(bookings::id)).get_result(sqlite)?;
    Ok(last.unwrap_or_default())
}

/// Puts the confirmations of the batch's bookings into the outbox, all at once.
fn insert_confirmations(sqlite: &mut SqliteConnection, last_id: i64) -> QueryResult<()> {
    // Not for those of whom we know no address.
    diesel::sql_query(
        "INSERT INTO confirmation_batches (booking_ids, queued_at)
         SELECT json_group_array(id), max(created_at) FROM bookings
         WHERE id > ? AND buyer_email NOT LIKE 'user:%' HAVING count(*) > 0",
    )
    .bind::<BigInt, _>(last_id)
    .execute(sqlite)?;
    Ok(())
}

fn find_by_request_key(sqlite: &mut SqliteConnection, key: &str) -> QueryResult<Option<Booking>> {
    bookings::table
        .filter(bookings::request_key.eq(key))
        .select(Booking::as_select())
        .get_result(sqlite)
        .optional()
}

/// The guarded UPDATE on each ticket_type's sum. Where the guard refuses it, order by order, and the losers'
/// bookings are taken out again.
fn claim_sums(
    sqlite: &mut SqliteConnection,
    orders: &[&Order],
    outcomes: &mut [Option<BookingOutcome>],
    ticket_types: &mut BTreeMap<i64, TicketTypeRow>,
) -> QueryResult<()> {
    let is_booked = |outcome: &Option<BookingOutcome>| matches!(outcome, Some(BookingOutcome::Booked(_)));
    let mut booked: HashMap<i64, Vec<usize>> = HashMap::new();
    for (index, _) in outcomes.iter().enumerate().filter(|(_, outcome)| is_booked(outcome)) {
        booked.entry(orders[index].ticket_type_id).or_default().push(index);
    }
    for (id, ticket_type) in ticket_types {
        let Some(indexes) = booked.remove(id) else { continue };
        let sum = indexes.iter().map(|&index| orders[index].quantity).sum();
        if claim(sqlite, *id, sum, ticket_type)? {
            continue;
        }
        for index in indexes {
            if !claim(sqlite, *id, orders[index].quantity, ticket_type)? {
                let key = &orders[index].request_key;
                diesel::delete(bookings::table.filter(bookings::request_key.eq(key))).execute(sqlite)?;
                outcomes[index] = None;
            }
        }
    }
    Ok(())
}

/// The promise of this house: take n, but only if n are left.
fn claim(
    sqlite: &mut SqliteConnection,
    id: i64,
    quantity: i32,
    ticket_type: &mut TicketTypeRow,
) -> QueryResult<bool> {
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
        (ticket_type.available, ticket_type.version) = (available, version);
    }
    Ok(claimed.is_some())
}
