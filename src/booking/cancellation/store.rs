//! The SQL of a cancellation.

use chrono::Utc;
use diesel::prelude::*;

use super::{Canceler, Cancellation, CancellationOutcome, undo};
use crate::audit::Action;
use crate::booking::release::ReleaseOutcome;
use crate::booking::release::store::release;
use crate::booking::store::{find_by_reference, find_by_token};
use crate::db::{Db, clock};
use crate::schema::cancellation_notes;

/// As [`cancel`], by the organizer, with what the organizer tells the buyer. Runs inside the caller's write
/// transaction, which on PostgreSQL holds the ticket types until the note is written.
///
/// # Errors
/// `NotFound`, or what the database said.
pub fn cancel_with_note(
    db: &mut Db,
    booking_id: i64,
    cancellation: &Cancellation,
    message: &str,
) -> QueryResult<CancellationOutcome> {
    let outcome = cancel(db, cancellation)?;
    if let CancellationOutcome::Canceled { .. } = outcome {
        let canceled_at = clock(db)?;
        let seats = cancellation.seats.as_deref().unwrap_or_default();
        let seats: Vec<String> = seats.iter().map(i32::to_string).collect();
        diesel::insert_into(cancellation_notes::table)
            .values((
                cancellation_notes::booking_id.eq(booking_id),
                cancellation_notes::seats.eq(seats.join(" ")),
                cancellation_notes::message.eq(message),
                cancellation_notes::canceled_at.eq(canceled_at),
            ))
            .execute(db)?;
    }
    Ok(outcome)
}

/// Cancels a booking or some of its tickets, puts them on sale again, and queues the mail that says so: see
/// [`release`]. What is refused anyway is refused before anything is locked, and nothing is read while it is.
///
/// # Errors
/// `NotFound`, or what the database said.
pub fn cancel(db: &mut Db, cancellation: &Cancellation) -> QueryResult<CancellationOutcome> {
    let (placed, audited) = match &cancellation.canceler {
        Canceler::Buyer { token } => (find_by_token(db, token)?, None),
        Canceler::Organizer { reference, actor } => {
            (find_by_reference(db, reference)?, Some((actor, Action::BookingCanceled)))
        }
        Canceler::Undo { token, actor } => (find_by_token(db, token)?, Some((actor, Action::BookingUndone))),
    };
    if !placed.booking.is_confirmed() {
        return Ok(CancellationOutcome::AlreadyCanceled);
    }
    let is_in_time = match cancellation.canceler {
        Canceler::Buyer { .. } => placed.event.is_cancellable(Utc::now().naive_utc()),
        Canceler::Organizer { .. } => true,
        // The database's clock has told when it was booked.
        Canceler::Undo { .. } => undo::is_open(&placed.booking, clock(db)?),
    };
    if !is_in_time {
        return Ok(CancellationOutcome::TooLate);
    }
    let released = release(db, &placed.booking, cancellation.seats.as_deref(), audited)?;
    Ok(match released {
        ReleaseOutcome::Released { stock } => CancellationOutcome::Canceled { stock },
        ReleaseOutcome::Admitted { count } => CancellationOutcome::Admitted { count },
        // Somebody else was faster.
        ReleaseOutcome::Ended => CancellationOutcome::AlreadyCanceled,
        ReleaseOutcome::NoSuchTicket => CancellationOutcome::NoSuchTicket,
    })
}
