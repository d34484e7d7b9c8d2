//! The SQL of passes. Their table is the log of who was served when.

use chrono::NaiveDateTime;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::db::{self, Db, on_either};
use crate::queue::draw::Position;
use crate::queue::pass::{Pass, Passes};
use crate::queue::{QueuePlace, Room};
use crate::schema::{bookings, queue_passes, waiting_rooms};

/// If fewer passes than this may be out, each one is counted as it is issued.
const SCARCE: i64 = 200;

/// The result of asking for a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PassOutcome {
    Issued(Pass),
    Expired,
    /// The place has booked already; this is the booking's token.
    Booked(String),
}

/// What has become of the passes of a concert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PassCounts {
    pub issued: i64,
    /// Good and not used.
    pub out: i64,
    pub booked: i64,
}

/// The pass of a served place: a new one, or the one that was issued before. `None`: `most` passes are out
/// already, or the room has begun again.
pub fn issue(
    db: &mut Db,
    passes: &Passes,
    room: &Room,
    place: &QueuePlace,
    position: Position,
    most: i64,
) -> QueryResult<Option<PassOutcome>> {
    let event_id = room.event_id;
    // Servers issue the last passes one after the other, and count each other's.
    let is_scarce = most < SCARCE;
    if is_scarce && !lock(db, room)? {
        return Ok(None);
    }
    let now = db::clock(db)?;
    if is_scarce && out(db, event_id, now)? >= most {
        return found(db, passes, room, place, now).optional();
    }
    let pass = passes.pass(room, &place.number, now);
    let insertion = diesel::insert_into(queue_passes::table)
        .values((
            queue_passes::event_id.eq(event_id),
            queue_passes::place.eq(&place.number),
            queue_passes::position.eq(position.number()),
            queue_passes::request_key.eq(pass.as_str()),
            queue_passes::issued_at.eq(now),
            queue_passes::expires_at.eq(pass.expires_at),
        ))
        .on_conflict_do_nothing();
    if on_either!(db, connection => insertion.execute(connection)?) > 0 {
        return Ok(Some(PassOutcome::Issued(pass)));
    }
    found(db, passes, room, place, now).optional()
}

/// Locks a room until the end of the transaction. Returns whether its draw is still the same.
fn lock(db: &mut Db, room: &Room) -> QueryResult<bool> {
    let seed_hash = waiting_rooms::table.find(room.event_id).select(waiting_rooms::seed_hash);
    let found: Option<String> = match db {
        Db::Postgres(pg) => seed_hash.for_no_key_update().first(pg).optional()?,
        Db::Sqlite(sqlite) => seed_hash.first(sqlite).optional()?,
    };
    Ok(found.is_some_and(|hash| hash == room.seed_hash))
}

/// What has become of the pass of a place; `None` while it has none.
pub fn find(
    db: &mut Db,
    passes: &Passes,
    room: &Room,
    place: &QueuePlace,
) -> QueryResult<Option<PassOutcome>> {
    let now = db::clock(db)?;
    found(db, passes, room, place, now).optional()
}

fn found(
    db: &mut Db,
    passes: &Passes,
    room: &Room,
    place: &QueuePlace,
    now: NaiveDateTime,
) -> QueryResult<PassOutcome> {
    let (issued_at, booking): (NaiveDateTime, Option<String>) = queue_passes::table
        .left_join(bookings::table.on(bookings::request_key.eq(queue_passes::request_key)))
        .filter(queue_passes::event_id.eq(room.event_id))
        .filter(queue_passes::place.eq(&place.number))
        .select((queue_passes::issued_at, bookings::token.nullable()))
        .first(db)?;
    let pass = passes.pass(room, &place.number, issued_at);
    Ok(match booking {
        Some(token) => PassOutcome::Booked(token),
        None if now < pass.expires_at => PassOutcome::Issued(pass),
        None => PassOutcome::Expired,
    })
}

/// How many passes of a concert are good and not used.
pub fn out(db: &mut Db, event_id: i64, now: NaiveDateTime) -> QueryResult<i64> {
    queue_passes::table
        .left_join(bookings::table.on(bookings::request_key.eq(queue_passes::request_key)))
        .filter(queue_passes::event_id.eq(event_id))
        .filter(queue_passes::expires_at.gt(now))
        .filter(bookings::id.is_null())
        .count()
        .get_result(db)
}

/// How many passes were issued in the last minutes to people who stand at this position or behind it.
pub fn issued_from(db: &mut Db, event_id: i64, from: Position, now: NaiveDateTime) -> QueryResult<i64> {
    queue_passes::table
        .filter(queue_passes::event_id.eq(event_id))
        .filter(queue_passes::expires_at.gt(now))
        .filter(queue_passes::position.ge(from.number()))
        .count()
        .get_result(db)
}

/// What has become of all passes of a concert.
pub fn counts(db: &mut Db, event_id: i64) -> QueryResult<PassCounts> {
    let now = db::clock(db)?;
    let (issued, booked): (i64, i64) = queue_passes::table
        .left_join(bookings::table.on(bookings::request_key.eq(queue_passes::request_key)))
        .filter(queue_passes::event_id.eq(event_id))
        .select((sql::<BigInt>("COUNT(*)"), sql::<BigInt>("COUNT(bookings.id)")))
        .first(db)?;
    Ok(PassCounts { issued, booked, out: out(db, event_id, now)? })
}
