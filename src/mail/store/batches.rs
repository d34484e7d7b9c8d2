//! The SQL of confirmations whose bookings were made together: one row of the outbox until a sender comes to them.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::Timestamp;

use super::Id;
use crate::db::Db;
use crate::mail::Kind;
use crate::schema::confirmation_batches;

/// The batch of confirmations that has waited longest, and that no other server is just opening.
const OLDEST_BATCH_POSTGRES: &str =
    "SELECT id FROM confirmation_batches WHERE queued_at <= $1 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED";
const OLDEST_BATCH_SQLITE: &str =
    "SELECT id FROM confirmation_batches WHERE queued_at <= ? ORDER BY id LIMIT 1";

/// Waits until nobody is making mails of confirmations, and keeps it so until the caller's transaction ends. Mails know
/// of no foreign key, so whoever deletes bookings must call this first: a sender that has read one of them would write
/// its mail after it is gone. On SQLite a transaction that writes is alone anyway.
///
/// # Errors
/// What the database said.
pub fn hold(db: &mut Db) -> QueryResult<()> {
    if let Db::Postgres(pg) = db {
        let batches =
            confirmation_batches::table.order(confirmation_batches::id).select(confirmation_batches::id);
        batches.for_update().load::<i64>(pg)?;
    }
    Ok(())
}

/// Makes mails of the confirmations that were booked together and have waited longest; whether there were any.
/// Not done by the desk, which has no time for it, and not before there is time to send them.
pub(super) fn open(db: &mut Db, queued_until: NaiveDateTime) -> QueryResult<bool> {
    let oldest: Vec<Id> = match db {
        Db::Postgres(pg) => {
            diesel::sql_query(OLDEST_BATCH_POSTGRES).bind::<Timestamp, _>(queued_until).load(pg)?
        }
        Db::Sqlite(sqlite) => {
            diesel::sql_query(OLDEST_BATCH_SQLITE).bind::<Timestamp, _>(queued_until).load(sqlite)?
        }
    };
    let Some(Id { id }) = oldest.first() else { return Ok(false) };
    diesel::sql_query(format!(
        "INSERT INTO mails (booking_id, kind, queued_at, due_at)
         SELECT booking_id, '{}', queued_at, queued_at FROM batched_confirmations WHERE batch_id = {id}
         ORDER BY booking_id",
        Kind::Confirmation.as_str()
    ))
    .execute(db)?;
    diesel::delete(confirmation_batches::table.find(id)).execute(db)?;
    Ok(true)
}
