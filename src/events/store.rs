//! The SQL of events and ticket types.

use diesel::prelude::*;

use super::seed::Seed;
use super::{Event, TicketType};
use crate::db::{Db, take_turn_to_fill};
use crate::schema::{events, ticket_types};

/// All concerts, the next one first.
///
/// # Errors
/// What the database said.
pub fn list(db: &mut Db) -> QueryResult<Vec<Event>> {
    events::table.order((events::starts_at, events::id)).select(Event::as_select()).load(db)
}

/// All concerts with their ticket types, as the board shows them.
///
/// # Errors
/// What the database said.
pub fn list_with_ticket_types(db: &mut Db) -> QueryResult<Vec<(Event, Vec<TicketType>)>> {
    let events = list(db)?;
    let ticket_types: Vec<TicketType> = ticket_types::table
        .order((ticket_types::position, ticket_types::id))
        .select(TicketType::as_select())
        .load(db)?;
    let of = |event: Event| {
        let ticket_types =
            ticket_types.iter().filter(|ticket_type| ticket_type.event_id == event.id).cloned().collect();
        (event, ticket_types)
    };
    Ok(events.into_iter().map(of).collect())
}

/// A concert.
///
/// # Errors
/// `NotFound`, or what the database said.
pub fn find_by_slug(db: &mut Db, slug: &str) -> QueryResult<Event> {
    events::table.filter(events::slug.eq(slug)).select(Event::as_select()).first(db)
}

/// The ticket types of a concert in the order in which they are shown.
///
/// # Errors
/// What the database said.
pub fn ticket_types(db: &mut Db, event_id: i64) -> QueryResult<Vec<TicketType>> {
    ticket_types::table
        .filter(ticket_types::event_id.eq(event_id))
        .order((ticket_types::position, ticket_types::id))
        .select(TicketType::as_select())
        .load(db)
}

/// Whether there is no concert at all.
///
/// # Errors
/// What the database said.
pub fn is_empty(db: &mut Db) -> QueryResult<bool> {
    Ok(events::table.count().get_result::<i64>(db)? == 0)
}

/// Adds the seed's concert when there is no concert at all; says whether it did.
///
/// # Errors
/// What the database said.
pub fn seed_if_empty(db: &mut Db, seed: &Seed) -> QueryResult<bool> {
    take_turn_to_fill(db)?;
    if !is_empty(db)? {
        return Ok(false);
    }
    plant(db, seed)?;
    Ok(true)
}

/// Makes the seed's concert what it was on the first day, whatever has become of it. Rows are kept and
/// their versions grow, so that nobody who has seen a later state takes this one for old. Bookings must
/// be gone before.
///
/// # Errors
/// What the database said.
pub fn plant(db: &mut Db, seed: &Seed) -> QueryResult<()> {
    let facts = (
        events::slug.eq(seed.slug),
        events::name.eq(seed.name),
        events::tagline.eq(seed.tagline),
        events::venue.eq(seed.venue),
        events::city.eq(seed.city),
        events::starts_at.eq(seed.starts_at),
        events::ends_at.eq(seed.ends_at),
        events::time_zone.eq(seed.time_zone),
        events::currency.eq(seed.currency),
        events::cancellation_deadline_minutes.eq(seed.cancellation_deadline_minutes),
    );
    let planted = events::table.filter(events::slug.eq(seed.slug)).select(events::id);
    let event_id = match planted.first::<i64>(db).optional()? {
        Some(id) => {
            diesel::update(events::table.find(id)).set(facts).execute(db)?;
            id
        }
        None => diesel::insert_into(events::table).values(facts).returning(events::id).get_result(db)?,
    };
    plant_ticket_types(db, seed, event_id)
}

fn plant_ticket_types(db: &mut Db, seed: &Seed, event_id: i64) -> QueryResult<()> {
    let names = seed.ticket_types.iter().map(|ticket_type| ticket_type.name);
    let of_event = ticket_types::table.filter(ticket_types::event_id.eq(event_id));
    diesel::delete(of_event.filter(ticket_types::name.ne_all(names.collect::<Vec<_>>()))).execute(db)?;
    for (ticket_type, position) in seed.ticket_types.iter().zip(1..) {
        let facts = (
            ticket_types::event_id.eq(event_id),
            ticket_types::name.eq(ticket_type.name),
            ticket_types::description.eq(ticket_type.description),
            ticket_types::price_cents.eq(ticket_type.price_cents),
            ticket_types::capacity.eq(ticket_type.capacity),
            ticket_types::available.eq(ticket_type.capacity),
            ticket_types::max_per_booking.eq(ticket_type.max_per_booking),
            ticket_types::max_per_person.eq(ticket_type.max_per_person),
            ticket_types::position.eq(position),
        );
        let updated = diesel::update(of_event.filter(ticket_types::name.eq(ticket_type.name)))
            .set((facts, ticket_types::version.eq(ticket_types::version + 1)))
            .execute(db)?;
        if updated == 0 {
            diesel::insert_into(ticket_types::table)
                .values((facts, ticket_types::version.eq(1)))
                .execute(db)?;
        }
    }
    Ok(())
}
