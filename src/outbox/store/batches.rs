//! The SQL of confirmations whose bookings were made together: one row of the outbox until a sender comes to them.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamp};

use super::MailId;
use crate::db::Db;
use crate::outbox::MailKind;
use crate::schema::confirmation_batches;

/// The batches of confirmations that have waited longest, and that no other server is just opening.
const OLDEST_POSTGRES: &str =
    "SELECT id FROM confirmation_batches WHERE queued_at <= $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED";
const OLDEST_SQLITE: &str = "SELECT id FROM confirmation_batches WHERE queued_at <= ? ORDER BY id LIMIT ?";

/// Of the batches that have waited longest those whose bookings are all gone.
const SWEEP_POSTGRES: &str = "
    DELETE FROM confirmation_batches AS c
    WHERE id = ANY (ARRAY (SELECT id FROM confirmation_batches ORDER BY id LIMIT 5000 FOR UPDATE SKIP LOCKED))
    AND NOT EXISTS (SELECT 1 FROM batched_confirmations WHERE batch_id = c.id)";
const SWEEP_SQLITE: &str = "
    DELETE FROM confirmation_batches
    WHERE id IN (SELECT id FROM confirmation_batches ORDER BY id LIMIT 5000)
    AND NOT EXISTS (SELECT 1 FROM batched_confirmations WHERE batch_id = confirmation_batches.id)";

/// Waits until nobody is making mails of confirmations, and keeps it so until the caller's transaction ends. Mails know
/// of no foreign key, so whoever deletes bookings must call this first: a sender that has read one of them would write
/// its mail after it is gone. On SQLite a transaction that writes is alone anyway.
pub fn hold(db: &mut Db) -> QueryResult<()> {
    if let Db::Postgres(pg) = db {
        let batches =
            confirmation_batches::table.order(confirmation_batches::id).select(confirmation_batches::id);
        batches.for_update().load::<i64>(pg)?;
    }
    Ok(())
}

/// Makes mails of the confirmations that were booked together and have waited longest, of so many batches at most:
/// how many mails, and `None` when no batch waits. Not done by the desk, which has no time for it, and not before there
/// is time to send them.
pub(super) fn open(db: &mut Db, queued_until: NaiveDateTime, most: i64) -> QueryResult<Option<usize>> {
    let oldest: Vec<MailId> = match db {
        Db::Postgres(pg) => diesel::sql_query(OLDEST_POSTGRES)
            .bind::<Timestamp, _>(queued_until)
            .bind::<BigInt, _>(most)
            .load(pg)?,
        Db::Sqlite(sqlite) => diesel::sql_query(OLDEST_SQLITE)
            .bind::<Timestamp, _>(queued_until)
            .bind::<BigInt, _>(most)
            .load(sqlite)?,
    };
    if oldest.is_empty() {
        return Ok(None);
    }
    let ids: Vec<i64> = oldest.into_iter().map(|it| it.id).collect();
    let listed = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let made = diesel::sql_query(format!(
        "INSERT INTO mails (booking_id, kind, queued_at, due_at)
         SELECT booking_id, '{}', queued_at, queued_at FROM batched_confirmations WHERE batch_id IN ({listed})
         ORDER BY booking_id",
        MailKind::Confirmation.as_str()
    ))
    .execute(db)?;
    diesel::delete(confirmation_batches::table.filter(confirmation_batches::id.eq_any(ids))).execute(db)?;
    Ok(Some(made))
}

/// Takes batches away whose bookings are gone, some thousands at once: opened one by one, as many as a reseed leaves
/// would take PostgreSQL minutes, because each look for the oldest passes over all that were deleted before.
pub(super) fn sweep(db: &mut Db) -> QueryResult<()> {
    match db {
        Db::Postgres(pg) => diesel::sql_query(SWEEP_POSTGRES).execute(pg),
        Db::Sqlite(sqlite) => diesel::sql_query(SWEEP_SQLITE).execute(sqlite),
    }?;
    Ok(())
}
