//! The SQL of a concert's copy: how it is made, and how it is deleted completely.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamp};

use crate::booking::search;
use crate::db::{Db, on_either};
use crate::events::store::next_version;
use crate::events::{Event, TicketType};
use crate::outbox;
use crate::queue::draw::DrawSeed;
use crate::queue::pace::FIRST_PER_SECOND;
use crate::schema::{bookings, events, holds, mails, ticket_types};
use crate::tickets;

/// A copy is published, so that the site sells it, but it is on no list.
const COPY_EVENT: &str = "
    INSERT INTO events (slug, name, tagline, description, description_html, venue, address, city, starts_at, ends_at,
                        time_zone, currency, age_limit, organizer_name, state, sales_start_at, listed)
    SELECT $1, $2, 'Nothing here is on sale.', description, description_html, venue, address, city, starts_at, ends_at,
           time_zone, currency, age_limit, organizer_name, 'published', $3, false
    FROM events WHERE id = $4";

/// All tickets of its types are available, and on sale from the start.
const COPY_TICKET_TYPES: &str = "
    INSERT INTO ticket_types (event_id, name, description, price_minor, capacity, available, max_per_booking,
                              max_per_person, position, icon, accent, version)
    SELECT $1, name, description, price_minor, capacity, capacity, max_per_booking,
           max_per_person, position, icon, accent, version
    FROM ticket_types WHERE event_id = $2 AND state <> 'hidden'";

/// The lobby is open at once.
const COPY_ROOM: &str = "
    INSERT INTO waiting_rooms (event_id, mode, opens_minutes, flow, most_per_second, seed, seed_hash, per_second)
    SELECT $1, mode, 1440, 'open', most_per_second, $2, $3, CAST($4 AS INTEGER)
    FROM waiting_rooms WHERE event_id = $5 AND mode <> 'off'";

/// A copy of a concert, its ticket types, and whether it has a waiting room.
pub type Copied = (Event, Vec<TicketType>, bool);

/// Copies a concert under that slug. Its sale starts at `sale_starts_at` (UTC).
pub fn make(db: &mut Db, concert: &Event, slug: &str, sale_starts_at: NaiveDateTime) -> QueryResult<Copied> {
    let name = format!("Rehearsal of {}", concert.name);
    let copied = diesel::sql_query(COPY_EVENT)
        .bind::<Text, _>(slug)
        .bind::<Text, _>(name)
        .bind::<Timestamp, _>(sale_starts_at)
        .bind::<BigInt, _>(concert.id);
    on_either!(db, connection => copied.execute(connection)?);
    let event: Event = events::table.filter(events::slug.eq(slug)).select(Event::as_select()).first(db)?;
    let copied =
        diesel::sql_query(COPY_TICKET_TYPES).bind::<BigInt, _>(event.id).bind::<BigInt, _>(concert.id);
    on_either!(db, connection => copied.execute(connection)?);
    let of_event = ticket_types::table.filter(ticket_types::event_id.eq(event.id));
    diesel::update(of_event).set(ticket_types::version.eq(next_version())).execute(db)?;
    let seed = DrawSeed::generate();
    let copied = diesel::sql_query(COPY_ROOM)
        .bind::<BigInt, _>(event.id)
        .bind::<Text, _>(seed.as_str())
        .bind::<Text, _>(seed.hash())
        .bind::<BigInt, _>(i64::from(FIRST_PER_SECOND))
        .bind::<BigInt, _>(concert.id);
    let rooms = on_either!(db, connection => copied.execute(connection)?);
    let types = of_event.order(ticket_types::position).select(TicketType::as_select()).load(db)?;
    Ok((event, types, rooms > 0))
}

/// Deletes a copy, its bookings, and everything about them. If the concert is not a rehearsal's copy, nothing
/// is deleted.
pub fn remove(db: &mut Db, event_id: i64) -> QueryResult<()> {
    let event: Option<Event> =
        events::table.find(event_id).select(Event::as_select()).first(db).optional()?;
    let Some(event) = event.filter(Event::is_rehearsal) else { return Ok(()) };
    // In the order of the whole program, so that the desk cannot deadlock with this.
    if let Db::Postgres(pg) = db {
        let types = ticket_types::table.filter(ticket_types::event_id.eq(event_id)).order(ticket_types::id);
        types.select(ticket_types::id).for_no_key_update().load::<i64>(pg)?;
    }
    outbox::store::batches::hold(db)?;
    let of_event = bookings::table.filter(bookings::event_id.eq(event_id));
    diesel::delete(holds::table.filter(holds::booking_id.eq_any(of_event.select(bookings::id))))
        .execute(db)?;
    let ids = of_event.select(bookings::id.nullable());
    diesel::delete(mails::table.filter(mails::booking_id.eq_any(ids))).execute(db)?;
    search::store::forget(db, &event.slug)?;
    diesel::delete(of_event).execute(db)?;
    tickets::store::forget_scans(db, &event.slug)?;
    diesel::delete(events::table.find(event_id)).execute(db)?;
    Ok(())
}
