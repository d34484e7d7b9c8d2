//! The SQL of passes. Their table is the log of who was served when.

use chrono::NaiveDateTime;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::db::{self, Db, on_either};
use crate::queue::QueuePlace;
use crate::queue::draw::Position;
use crate::queue::pass::{Pass, Passes};
use crate::queue_schema::queue_passes;
use crate::schema::bookings;

/// What has come of asking for a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PassOutcome {
    Issued(Pass),
    Expired,
    /// The place has booked already. The token of the booking.
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

/// The pass of a served place: a new one, or the one that it has had.
///
/// # Errors
/// What the database said.
pub fn issue(
    db: &mut Db,
    passes: &Passes,
    event_id: i64,
    place: &QueuePlace,
    position: Position,
) -> QueryResult<PassOutcome> {
    let now = db::clock(db)?;
    let pass = passes.pass(event_id, &place.number, now);
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
        return Ok(PassOutcome::Issued(pass));
    }
    found(db, passes, event_id, place, now)
}

/// What has become of the pass of a place; `None` while it has none.
///
/// # Errors
/// What the database said.
pub fn find(
    db: &mut Db,
    passes: &Passes,
    event_id: i64,
    place: &QueuePlace,
) -> QueryResult<Option<PassOutcome>> {
    let now = db::clock(db)?;
    found(db, passes, event_id, place, now).optional()
}

fn found(
    db: &mut Db,
    passes: &Passes,
    event_id: i64,
    place: &QueuePlace,
    now: NaiveDateTime,
) -> QueryResult<PassOutcome> {
    let (issued_at, booking): (NaiveDateTime, Option<String>) = queue_passes::table
        .left_join(bookings::table.on(bookings::request_key.eq(queue_passes::request_key)))
        .filter(queue_passes::event_id.eq(event_id))
        .filter(queue_passes::place.eq(&place.number))
        .select((queue_passes::issued_at, bookings::token.nullable()))
        .first(db)?;
    let pass = passes.pass(event_id, &place.number, issued_at);
    Ok(match booking {
        Some(token) => PassOutcome::Booked(token),
        None if now < pass.expires_at => PassOutcome::Issued(pass),
        None => PassOutcome::Expired,
    })
}

/// How many passes of a concert are good and not used.
///
/// # Errors
/// What the database said.
pub fn out(db: &mut Db, event_id: i64, now: NaiveDateTime) -> QueryResult<i64> {
    queue_passes::table
        .left_join(bookings::table.on(bookings::request_key.eq(queue_passes::request_key)))
        .filter(queue_passes::event_id.eq(event_id))
        .filter(queue_passes::expires_at.gt(now))
        .filter(bookings::id.is_null())
        .count()
        .get_result(db)
}

/// What has become of all passes of a concert.
///
/// # Errors
/// What the database said.
pub fn counts(db: &mut Db, event_id: i64) -> QueryResult<PassCounts> {
    let now = db::clock(db)?;
    let (issued, booked): (i64, i64) = queue_passes::table
        .left_join(bookings::table.on(bookings::request_key.eq(queue_passes::request_key)))
        .filter(queue_passes::event_id.eq(event_id))
        .select((sql::<BigInt>("COUNT(*)"), sql::<BigInt>("COUNT(bookings.id)")))
        .first(db)?;
    Ok(PassCounts { issued, booked, out: out(db, event_id, now)? })
}
