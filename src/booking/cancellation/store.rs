//! The SQL of a cancellation.

use chrono::Utc;
use diesel::prelude::*;

use super::{Canceler, Cancellation, CancellationOutcome};
use crate::booking::release::ReleaseOutcome;
use crate::booking::release::store::release;
use crate::booking::store::{find_by_reference, find_by_token};
use crate::db::Db;

/// Cancels a booking or some of its tickets, puts them on sale again, and queues the mail that says so: see
/// [`release`]. What is refused anyway is refused before anything is locked, and nothing is read while it is.
///
/// # Errors
/// `NotFound`, or what the database said.
pub fn cancel(db: &mut Db, cancellation: &Cancellation) -> QueryResult<CancellationOutcome> {
    let (placed, organizer) = match &cancellation.canceler {
        Canceler::Buyer { token } => (find_by_token(db, token)?, None),
        Canceler::Organizer { reference, actor } => (find_by_reference(db, reference)?, Some(actor)),
    };
    if !placed.booking.is_confirmed() {
        return Ok(CancellationOutcome::AlreadyCanceled);
    }
    if organizer.is_none() && !placed.event.is_cancellable(Utc::now().naive_utc()) {
        return Ok(CancellationOutcome::TooLate);
    }
    let released = release(db, &placed.booking, cancellation.seats.as_deref(), organizer)?;
    Ok(match released {
        ReleaseOutcome::Released { stock } => CancellationOutcome::Canceled { stock },
        ReleaseOutcome::Admitted { count } => CancellationOutcome::Admitted { count },
        // Somebody else was faster.
        ReleaseOutcome::Ended => CancellationOutcome::AlreadyCanceled,
        ReleaseOutcome::NoSuchTicket => CancellationOutcome::NoSuchTicket,
    })
}
