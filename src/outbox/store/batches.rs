//! The SQL of batches: the confirmations of bookings that were made together are one row until a sender lists them.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamp};

use super::MailId;
use crate::db::Db;
use crate::outbox::MailKind;
use crate::schema::confirmation_batches;

/// The oldest batches that no other server is listing.
const OLDEST_POSTGRES: &str =
    "SELECT id FROM confirmation_batches WHERE queued_at <= $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED";
const OLDEST_SQLITE: &str = "SELECT id FROM confirmation_batches WHERE queued_at <= ? ORDER BY id LIMIT ?";

/// Those of the oldest batches whose bookings are all deleted.
const SWEEP_POSTGRES: &str = "
    DELETE FROM confirmation_batches AS c
    WHERE id = ANY (ARRAY (SELECT id FROM confirmation_batches ORDER BY id LIMIT 5000 FOR UPDATE SKIP LOCKED))
    AND NOT EXISTS (SELECT 1 FROM batched_confirmations WHERE batch_id = c.id)";
const SWEEP_SQLITE: &str = "
    DELETE FROM confirmation_batches
    WHERE id IN (SELECT id FROM confirmation_batches ORDER BY id LIMIT 5000)
    AND NOT EXISTS (SELECT 1 FROM batched_confirmations WHERE batch_id = confirmation_batches.id)";

/// Locks all batches until the caller's transaction ends. Call this before deleting bookings: `mails` has no foreign
/// key, and a sender that has read a booking would write its mail after the booking is deleted. SQLite has one writer
/// anyway.
pub fn hold(db: &mut Db) -> QueryResult<()> {
    if let Db::Postgres(pg) = db {
        let batches =
            confirmation_batches::table.order(confirmation_batches::id).select(confirmation_batches::id);
        batches.for_update().load::<i64>(pg)?;
    }
    Ok(())
}

/// Writes the confirmations of the oldest batches, at most `limit`, into `mails`. Returns how many there were; `None`
/// when no batch waits. Those of a rehearsal are dropped at once: its buyers have no mailboxes. The desk leaves this to
/// the sender, to keep its own transaction short.
pub(super) fn list(db: &mut Db, queued_until: NaiveDateTime, limit: i64) -> QueryResult<Option<usize>> {
    let oldest: Vec<MailId> = match db {
        Db::Postgres(pg) => diesel::sql_query(OLDEST_POSTGRES)
            .bind::<Timestamp, _>(queued_until)
            .bind::<BigInt, _>(limit)
            .load(pg)?,
        Db::Sqlite(sqlite) => diesel::sql_query(OLDEST_SQLITE)
            .bind::<Timestamp, _>(queued_until)
            .bind::<BigInt, _>(limit)
            .load(sqlite)?,
    };
    if oldest.is_empty() {
        return Ok(None);
    }
    let ids: Vec<i64> = oldest.into_iter().map(|it| it.id).collect();
    let listed = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let made = diesel::sql_query(format!(
        "INSERT INTO mails (booking_id, kind, dedupe_key, queued_at, due_at, state)
         SELECT booking_id, '{kind}', '{kind} ' || booking_id, queued_at, queued_at,
                CASE WHEN booking_id IN (
                    SELECT id FROM bookings WHERE event_id = (SELECT event_id FROM rehearsals WHERE slot = 1)
                ) THEN 'dropped' ELSE 'queued' END
         FROM batched_confirmations WHERE batch_id IN ({listed})
         ORDER BY booking_id ON CONFLICT (dedupe_key) DO NOTHING",
        kind = MailKind::Confirmation.as_str()
    ))
    .execute(db)?;
    diesel::delete(confirmation_batches::table.filter(confirmation_batches::id.eq_any(ids))).execute(db)?;
    Ok(Some(made))
}

/// Deletes the batches whose bookings are gone, among the oldest 5,000. Listed one by one, the batches that a
/// reseed leaves would take PostgreSQL minutes, because each search for the oldest passes over all rows
/// deleted before.
pub(super) fn sweep(db: &mut Db) -> QueryResult<()> {
    match db {
        Db::Postgres(pg) => diesel::sql_query(SWEEP_POSTGRES).execute(pg),
        Db::Sqlite(sqlite) => diesel::sql_query(SWEEP_SQLITE).execute(sqlite),
    }?;
    Ok(())
}
