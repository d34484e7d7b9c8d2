//! The SQL of sales and bookings as the organizer sees them.

pub mod export;
pub mod history;
pub mod listing;
pub mod terms;

use std::collections::HashMap;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::{Sales, TicketTypeSales};
use crate::audit::{self, Action, Actor};
use crate::booking::{BookingStatus, search};
use crate::db::Db;
use crate::events::seed::Seed;
use crate::events::store::KEPT_TICKETS;
pub use crate::events::store::clock;
use crate::events::{self, Event};
use crate::outbox;
use crate::schema::{booking_lines, bookings, events as events_table, holds, ticket_types};
use crate::tickets;

/// The sale of every concert, the next one first.
pub fn sales(db: &mut Db) -> QueryResult<Vec<Sales>> {
    let events = events::store::list(db)?;
    events.into_iter().map(|event| sales_of(db, event)).collect()
}

/// The sale of one concert.
///
/// # Errors
/// `NotFound`, or what the database said.
pub fn sales_by_slug(db: &mut Db, slug: &str) -> QueryResult<Sales> {
    let event = events::store::find_by_slug(db, slug)?;
    sales_of(db, event)
}

fn sales_of(db: &mut Db, event: Event) -> QueryResult<Sales> {
    // PostgreSQL sums BIGINT into NUMERIC; cast back, both databases give one type.
    let sums: Vec<(i64, i64, i64)> = booking_lines::table
        .inner_join(bookings::table)
        .filter(bookings::event_id.eq(event.id))
        .filter(bookings::status.eq(BookingStatus::Confirmed))
        .group_by(booking_lines::ticket_type_id)
        .select((
            booking_lines::ticket_type_id,
            sql::<BigInt>(KEPT_TICKETS),
            sql::<BigInt>(
                "CAST(SUM((booking_lines.quantity - booking_lines.returned) * booking_lines.unit_price_minor) AS BIGINT)",
            ),
        ))
        .load(db)?;
    let booking_count = bookings::table
        .filter(bookings::event_id.eq(event.id))
        .filter(bookings::status.eq(BookingStatus::Confirmed))
        .count()
        .get_result(db)?;
    let by_ticket_type: HashMap<i64, (i64, i64)> =
        sums.into_iter().map(|(id, sold, revenue)| (id, (sold, revenue))).collect();
    let ticket_types = events::store::ticket_types(db, event.id)?;
    let ticket_types = ticket_types.into_iter().map(|ticket_type| {
        let (sold, revenue_minor) = by_ticket_type.get(&ticket_type.id).copied().unwrap_or_default();
        TicketTypeSales { ticket_type, sold, revenue_minor }
    });
    Ok(Sales { event, ticket_types: ticket_types.collect(), booking_count })
}

/// Locks the ticket types of a concert in the order of their ids, as the desks do, so that nobody waits in a circle. A
/// booking of one of them has either committed, or waits for the lock. SQLite's write transactions are alone anyway.
///
/// Callers that change what a concert sells do this first.
///
/// # Errors
/// What the database said.
pub fn lock_ticket_types(db: &mut Db, slug: &str) -> QueryResult<()> {
    if let Db::Postgres(pg) = db {
        let of_event = events_table::table.filter(events_table::slug.eq(slug)).select(events_table::id);
        ticket_types::table
            .filter(ticket_types::event_id.eq_any(of_event))
            .order(ticket_types::id)
            .select(ticket_types::id)
            .for_no_key_update()
            .load::<i64>(pg)?;
    }
    Ok(())
}

/// Deletes the bookings of the seed's concert and puts it on sale again. Returns how many there were.
/// Runs inside the caller's transaction.
pub fn reseed(db: &mut Db, seed: &Seed, actor: &Actor) -> QueryResult<usize> {
    lock_ticket_types(db, seed.slug)?;
    outbox::store::batches::hold(db)?;
    // Ticket types, then holds, then bookings: a confirmation locks no ticket type, so it is waited for here.
    let of_event = bookings::table.filter(
        bookings::event_id
            .eq_any(events_table::table.filter(events_table::slug.eq(seed.slug)).select(events_table::id)),
    );
    diesel::delete(holds::table.filter(holds::booking_id.eq_any(of_event.select(bookings::id))))
        .execute(db)?;
    search::store::forget(db, seed.slug)?;
    let deleted = diesel::delete(of_event).execute(db)?;
    tickets::store::forget_scans(db, seed.slug)?;
    events::store::plant(db, seed)?;
    audit::store::record(db, actor, Action::Reseeded, seed.name, deleted)?;
    Ok(deleted)
}
