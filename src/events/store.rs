//! The SQL of events and ticket types.

use std::collections::HashMap;

use chrono::{NaiveDateTime, Utc};
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamp};

use super::seed::Seed;
use super::{Concert, Event, EventState, HeldTickets, TicketType, TicketTypeState};
use crate::db::{Db, lock_first_rows};
use crate::schema::{events, former_slugs, ticket_types};
use crate::venue_clock::VenueClock;

/// Leaves out the copy of a concert that a rehearsal sells.
pub const IS_NOT_REHEARSAL: &str =
    "events.id NOT IN (SELECT event_id FROM rehearsals WHERE event_id IS NOT NULL)";
/// The same for bookings: the buyers of a rehearsal are not people.
pub const BOOKING_IS_NOT_REHEARSAL: &str =
    "bookings.event_id NOT IN (SELECT event_id FROM rehearsals WHERE event_id IS NOT NULL)";

/// All concerts by start, the earliest first.
pub fn list(db: &mut Db) -> QueryResult<Vec<Event>> {
    events::table.order((events::starts_at, events::id)).select(Event::as_select()).load(db)
}

/// All concerts that the public may see, as the board shows them.
pub fn public_concerts(db: &mut Db) -> QueryResult<Vec<Concert>> {
    let events: Vec<Event> = events::table
        .filter(events::state.ne(EventState::Draft))
        .filter(events::archived_from.is_null().or(events::archived_from.ne(EventState::Draft.as_str())))
        .order((events::starts_at, events::id))
        .select(Event::as_select())
        .load(db)?;
    let ticket_types: Vec<TicketType> = ticket_types::table
        .filter(ticket_types::state.ne(TicketTypeState::Hidden))
        .order((ticket_types::position, ticket_types::id))
        .select(TicketType::as_select())
        .load(db)?;
    let mut by_event = by_event(ticket_types);
    let mut former: HashMap<i64, Vec<String>> = HashMap::new();
    let rows: Vec<(i64, String)> = former_slugs::table
        .order(former_slugs::slug)
        .select((former_slugs::event_id, former_slugs::slug))
        .load(db)?;
    for (event_id, slug) in rows {
        former.entry(event_id).or_default().push(slug);
    }
    let held: HashMap<i64, HeldTickets> = held(db)?.into_iter().map(|it| (it.ticket_type_id, it)).collect();
    let concert = |event: Event| {
        let ticket_types = by_event.remove(&event.id).unwrap_or_default();
        let held = ticket_types.iter().filter_map(|ticket_type| held.get(&ticket_type.id).copied()).collect();
        let former_slugs = former.remove(&event.id).unwrap_or_default();
        Concert { event, ticket_types, held, former_slugs }
    };
    Ok(events.into_iter().map(concert).collect())
}

/// Ticket types by the id of their concert, in the order in which they came.
#[must_use]
pub fn by_event(ticket_types: Vec<TicketType>) -> HashMap<i64, Vec<TicketType>> {
    let mut by_event: HashMap<i64, Vec<TicketType>> = HashMap::new();
    for ticket_type in ticket_types {
        by_event.entry(ticket_type.event_id).or_default().push(ticket_type);
    }
    by_event
}

/// The tickets of lines that were not given back, summed. PostgreSQL and SQLite give a sum different types, so it is
/// cast to one.
pub const KEPT_TICKETS: &str = "CAST(SUM(booking_lines.quantity - booking_lines.returned) AS BIGINT)";

/// What is held of a ticket type.
#[derive(QueryableByName)]
struct HeldRow {
    #[diesel(sql_type = BigInt)]
    ticket_type_id: i64,
    #[diesel(sql_type = BigInt)]
    quantity: i64,
    #[diesel(sql_type = Timestamp)]
    held_until: NaiveDateTime,
}

/// SQLite reads the tables of a CROSS JOIN in the order in which they are named. With an INNER JOIN it would read the
/// lines of all bookings, because it does not know that there are few holds.
pub const HELD: &str = "
    SELECT l.ticket_type_id, CAST(SUM(l.quantity - l.returned) AS BIGINT) AS quantity,
           MAX(h.held_until) AS held_until
    FROM holds h CROSS JOIN booking_lines l WHERE l.booking_id = h.booking_id GROUP BY l.ticket_type_id";

/// What bookings hold for now, by ticket type. Each read of the board asks this.
pub fn held(db: &mut Db) -> QueryResult<Vec<HeldTickets>> {
    let rows: Vec<HeldRow> = diesel::sql_query(HELD).load(db)?;
    let held = |row: HeldRow| HeldTickets {
        ticket_type_id: row.ticket_type_id,
        quantity: i32::try_from(row.quantity).unwrap_or(i32::MAX),
        until: row.held_until,
    };
    Ok(rows.into_iter().map(held).collect())
}

/// The next version of a ticket type's stock: a time in milliseconds, so that it also grows when an older state was
/// restored. As `next_version` in PostgreSQL's migrations, but by this server's clock.
pub fn next_version() -> SqlLiteral<BigInt> {
    raised("version")
}

/// The next version of an event's or a ticket type's facts, in the same way.
pub fn next_facts_version() -> SqlLiteral<BigInt> {
    raised("facts_version")
}

fn raised(version: &str) -> SqlLiteral<BigInt> {
    let now = Utc::now().timestamp_millis();
    sql(&format!("CASE WHEN {version} + 1 > {now} THEN {version} + 1 ELSE {now} END"))
}

/// The concert that has that slug now.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn find_by_slug(db: &mut Db, slug: &str) -> QueryResult<Event> {
    events::table.filter(events::slug.eq(slug)).select(Event::as_select()).first(db)
}

/// The concert of that id.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn find(db: &mut Db, id: i64) -> QueryResult<Event> {
    events::table.find(id).select(Event::as_select()).first(db)
}

/// The clock for lists of several concerts: that of the next concert's venue, or of the last one's when none
/// is to come. UTC when there is no concert.
pub fn clock(db: &mut Db) -> QueryResult<VenueClock> {
    let next = events::table.filter(events::ends_at.gt(Utc::now().naive_utc())).order(events::starts_at);
    let zone: Option<String> = match next.select(events::time_zone).first(db).optional()? {
        Some(zone) => Some(zone),
        None => {
            events::table.order(events::starts_at.desc()).select(events::time_zone).first(db).optional()?
        }
    };
    Ok(VenueClock::parse(&zone.unwrap_or_default()))
}

/// The ticket types of a concert in the order in which they are shown.
pub fn ticket_types(db: &mut Db, event_id: i64) -> QueryResult<Vec<TicketType>> {
    ticket_types::table
        .filter(ticket_types::event_id.eq(event_id))
        .order((ticket_types::position, ticket_types::id))
        .select(TicketType::as_select())
        .load(db)
}

/// Whether there is no concert at all.
pub fn is_empty(db: &mut Db) -> QueryResult<bool> {
    Ok(events::table.count().get_result::<i64>(db)? == 0)
}

/// Adds the seed's concert when there is no concert at all; says whether it did.
pub fn seed_if_empty(db: &mut Db, seed: &Seed) -> QueryResult<bool> {
    lock_first_rows(db)?;
    if !is_empty(db)? {
        return Ok(false);
    }
    plant(db, seed)?;
    Ok(true)
}

/// Resets the facts that the seed has, the state and the sales windows of its concert, and makes all tickets available.
/// Other facts, such as the picture, stay. Ticket types that the seed does not have are deleted. All other rows are
/// kept and their versions grow, so that boards accept the new state. The concert's bookings must be deleted before.
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
        (
            events::state.eq(EventState::Published),
            events::sales_start_at.eq(None::<NaiveDateTime>),
            events::sales_end_at.eq(None::<NaiveDateTime>),
            events::paused.eq(false),
            events::listed.eq(true),
            events::postponed_from.eq(None::<NaiveDateTime>),
            events::returns_until.eq(None::<NaiveDateTime>),
            events::archived_from.eq(None::<String>),
        ),
    );
    let planted = events::table.filter(events::slug.eq(seed.slug)).select(events::id);
    let event_id = match planted.first::<i64>(db).optional()? {
        Some(id) => {
            diesel::update(events::table.find(id))
                .set((facts, events::facts_version.eq(next_facts_version())))
                .execute(db)?;
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
            ticket_types::icon.eq(ticket_type.icon),
            ticket_types::price_minor.eq(ticket_type.price_minor),
            ticket_types::capacity.eq(ticket_type.capacity),
            ticket_types::available.eq(ticket_type.capacity),
            ticket_types::max_per_booking.eq(ticket_type.max_per_booking),
            ticket_types::max_per_person.eq(ticket_type.max_per_person),
            ticket_types::position.eq(position),
            ticket_types::state.eq(TicketTypeState::OnSale),
            ticket_types::sales_start_at.eq(None::<NaiveDateTime>),
            ticket_types::sales_end_at.eq(None::<NaiveDateTime>),
        );
        let next_version = ticket_types::version.eq(next_version());
        let updated = diesel::update(of_event.filter(ticket_types::name.eq(ticket_type.name)))
            .set((facts, next_version, ticket_types::facts_version.eq(next_facts_version())))
            .execute(db)?;
        if updated == 0 {
            diesel::insert_into(ticket_types::table)
                .values((facts, ticket_types::version.eq(Utc::now().timestamp_millis())))
                .execute(db)?;
        }
    }
    Ok(())
}
