//! The SQL of rehearsals. That of the copy of the concert is [`copy`].
//!
//! When a rehearsal begins and ends does not belong here: see `rehearsal::runner`.

pub mod copy;

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};

use super::Rehearsal;
use crate::audit::{self, Action, Actor};
use crate::db::{self, Db};
use crate::schema::rehearsals;

/// A server that has not reported for this long that it still runs its rehearsal counts as gone.
const LEASE: TimeDelta = TimeDelta::seconds(20);

/// The rehearsal that waits or runs.
pub fn open(db: &mut Db) -> QueryResult<Option<Rehearsal>> {
    let open = rehearsals::table.filter(rehearsals::slot.is_not_null());
    open.select(Rehearsal::as_select()).first(db).optional()
}

/// A rehearsal.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn find(db: &mut Db, id: i64) -> QueryResult<Rehearsal> {
    rehearsals::table.find(id).select(Rehearsal::as_select()).first(db)
}

/// The last rehearsal of a concert.
pub fn last_of(db: &mut Db, concert_id: i64) -> QueryResult<Option<Rehearsal>> {
    let of_concert = rehearsals::table.filter(rehearsals::concert_id.eq(concert_id));
    of_concert.order(rehearsals::id.desc()).select(Rehearsal::as_select()).first(db).optional()
}

/// Asks for a rehearsal. `None`: there is one already.
pub fn ask(
    db: &mut Db,
    (concert_id, slug): (i64, &str),
    (buyers, minutes): (i32, i32),
    actor: &Actor,
) -> QueryResult<Option<i64>> {
    if open(db)?.is_some() {
        return Ok(None);
    }
    let asked = (
        rehearsals::concert_id.eq(concert_id),
        rehearsals::buyers.eq(buyers),
        rehearsals::minutes.eq(minutes),
        rehearsals::slot.eq(1),
        rehearsals::asked_at.eq(db::clock(db)?),
    );
    let inserted =
        diesel::insert_into(rehearsals::table).values(asked).returning(rehearsals::id).get_result(db);
    match inserted {
        Ok(id) => {
            let subject = format!("{slug}: {buyers} buyers");
            audit::store::record(db, actor, Action::RehearsalStarted, &subject, 1)?;
            Ok(Some(id))
        }
        Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Asks the rehearsal to stop. One that no server has begun ends at once.
pub fn stop(db: &mut Db, id: i64) -> QueryResult<()> {
    diesel::update(rehearsals::table.find(id)).set(rehearsals::stopped.eq(true)).execute(db)?;
    let unbegun = rehearsals::table.find(id).filter(rehearsals::started_at.is_null());
    let ended = (rehearsals::slot.eq(None::<i32>), rehearsals::failure.eq("It was stopped before it began."));
    diesel::update(unbegun).set(ended).execute(db)?;
    Ok(())
}

/// Takes the rehearsal that waits, unless another server has.
pub fn take(db: &mut Db) -> QueryResult<Option<Rehearsal>> {
    let now = db::clock(db)?;
    let waiting =
        rehearsals::table.filter(rehearsals::slot.is_not_null()).filter(rehearsals::started_at.is_null());
    let taken = (rehearsals::started_at.eq(now), rehearsals::leased_until.eq(now + LEASE));
    let id: Option<i64> =
        diesel::update(waiting).set(taken).returning(rehearsals::id).get_result(db).optional()?;
    id.map(|id| find(db, id)).transpose()
}

/// Notes which copy the rehearsal has, in the transaction that makes it.
pub fn note_copy(db: &mut Db, id: i64, event_id: i64) -> QueryResult<()> {
    diesel::update(rehearsals::table.find(id)).set(rehearsals::event_id.eq(event_id)).execute(db)?;
    Ok(())
}

/// Shows that the rehearsal goes on, and how far it is. Returns whether it is to stop: somebody has asked it
/// to, or another server has ended it.
pub fn go_on(db: &mut Db, id: i64, progress: &str) -> QueryResult<bool> {
    let leased_until = db::clock(db)? + LEASE;
    let running = rehearsals::table.find(id).filter(rehearsals::slot.is_not_null());
    let set = (rehearsals::progress.eq(progress), rehearsals::leased_until.eq(leased_until));
    let stopped: Option<bool> =
        diesel::update(running).set(set).returning(rehearsals::stopped).get_result(db).optional()?;
    Ok(stopped.unwrap_or(true))
}

/// Ends a rehearsal: deletes its copy, and keeps what was measured, or why there is nothing.
pub fn end(db: &mut Db, id: i64, result: &Result<String, String>) -> QueryResult<()> {
    if let Some(event_id) = find(db, id)?.event_id {
        copy::remove(db, event_id)?;
    }
    let ended = (
        rehearsals::slot.eq(None::<i32>),
        rehearsals::event_id.eq(None::<i64>),
        rehearsals::report.eq(result.as_ref().ok()),
        rehearsals::failure.eq(result.as_ref().err()),
    );
    diesel::update(rehearsals::table.find(id)).set(ended).execute(db)?;
    Ok(())
}

/// Ends a rehearsal whose server is gone. Returns whether there was one.
pub fn end_abandoned(db: &mut Db) -> QueryResult<bool> {
    let now: NaiveDateTime = db::clock(db)?;
    let abandoned =
        rehearsals::table.filter(rehearsals::slot.is_not_null()).filter(rehearsals::leased_until.lt(now));
    let id: Option<i64> = abandoned.select(rehearsals::id).first(db).optional()?;
    let Some(id) = id else { return Ok(false) };
    end(db, id, &Err("The server that ran it was stopped.".to_owned()))?;
    Ok(true)
}
