//! The SQL of the demo. It backdates what was just made, and marks its mails as sent, although none of them
//! is sent.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::Db;
use crate::outbox::{MailKind, MailState};
use crate::schema::{bookings, cancellation_notes, confirmation_batches, mails, used_tickets};

/// Backdates a booking, as if it had been made then (UTC).
pub(super) fn date_booking(db: &mut Db, id: i64, at: NaiveDateTime) -> QueryResult<()> {
    diesel::update(bookings::table.find(id))
        .set((bookings::created_at.eq(at), bookings::confirmed_at.eq(at)))
        .execute(db)?;
    Ok(())
}

/// Backdates a cancellation, as if it had been made then (UTC).
pub(super) fn date_cancellation(db: &mut Db, id: i64, at: NaiveDateTime) -> QueryResult<()> {
    diesel::update(bookings::table.find(id)).set(bookings::canceled_at.eq(at)).execute(db)?;
    diesel::update(used_tickets::table.filter(used_tickets::booking_id.eq(id)))
        .set(used_tickets::used_at.eq(at))
        .execute(db)?;
    diesel::update(cancellation_notes::table.filter(cancellation_notes::booking_id.eq(id)))
        .set(cancellation_notes::canceled_at.eq(at))
        .execute(db)?;
    Ok(())
}

/// Marks all waiting mails as if they had been sent when they were due: confirmations with the booking, the
/// others with its cancellation.
pub(super) fn deliver(db: &mut Db) -> QueryResult<()> {
    diesel::sql_query(format!(
        "INSERT INTO mails (booking_id, kind, dedupe_key, queued_at, due_at, sent_at, attempts, state)
         SELECT b.id, '{kind}', '{kind} ' || b.id, b.created_at, b.created_at, b.created_at, 1, '{sent}'
         FROM batched_confirmations c JOIN bookings b ON b.id = c.booking_id ORDER BY b.created_at, b.id",
        kind = MailKind::Confirmation.as_str(),
        sent = MailState::Sent.as_str(),
    ))
    .execute(db)?;
    diesel::delete(confirmation_batches::table).execute(db)?;
    diesel::sql_query(format!(
        "UPDATE mails SET state = '{sent}', attempts = 1,
         queued_at = COALESCE((SELECT canceled_at FROM bookings WHERE bookings.id = booking_id), queued_at),
         sent_at = COALESCE((SELECT canceled_at FROM bookings WHERE bookings.id = booking_id), queued_at)
         WHERE state = '{queued}'",
        sent = MailState::Sent.as_str(),
        queued = MailState::Queued.as_str(),
    ))
    .execute(db)?;
    Ok(())
}

/// Marks the confirmation of a booking as if the mail server had refused it for good.
pub(super) fn refuse_confirmation(db: &mut Db, booking_id: i64, reply: &str) -> QueryResult<()> {
    diesel::update(mails::table.filter(mails::booking_id.eq(booking_id)))
        .set((
            mails::state.eq(MailState::Failed.as_str()),
            mails::sent_at.eq(None::<NaiveDateTime>),
            mails::last_error.eq(reply),
        ))
        .execute(db)?;
    Ok(())
}
