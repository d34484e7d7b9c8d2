//! The SQL of a cancellation.

use chrono::Utc;
use diesel::prelude::*;

use super::{Canceler, Cancellation, CancellationOutcome};
use crate::booking::release::ReleaseOutcome;
use crate::booking::release::store::release;
use crate::booking::store::{find_by_reference, find_by_token};
use crate::db::Db;

/// Cancels a booking or some of its tickets, puts them on sale again, and queues the mail that says so. Runs inside
/// the caller's write transaction, at its end. What is refused anyway is refused before anything is locked.
///
/// # Errors
/// `NotFound`, or what the database said.
pub fn cancel(db: &mut Db, cancellation: &Cancellation) -> QueryResult<CancellationOutcome> {
    let placed = match &cancellation.canceler {
        Canceler::Buyer { token } => find_by_token(db, token)?,
        Canceler::Organizer { reference } => find_by_reference(db, reference)?,
    };
    let (booking, event) = (placed.booking, placed.event);
    if !booking.is_confirmed() {
        return Ok(CancellationOutcome::AlreadyCanceled(booking));
    }
    let is_buyer = matches!(cancellation.canceler, Canceler::Buyer { .. });
    if is_buyer && !event.is_cancellable(Utc::now().naive_utc()) {
        return Ok(CancellationOutcome::TooLate);
    }
    Ok(match release(db, &booking, cancellation.seats.as_deref())? {
        ReleaseOutcome::Released { stock, .. } => {
            CancellationOutcome::Canceled { booking: find_by_token(db, &booking.token)?.booking, stock }
        }
        ReleaseOutcome::Admitted { count } => CancellationOutcome::Admitted { count },
        // Somebody else was faster.
        ReleaseOutcome::Ended => {
            CancellationOutcome::AlreadyCanceled(find_by_token(db, &booking.token)?.booking)
        }
        ReleaseOutcome::NoSuchTicket => CancellationOutcome::NoSuchTicket,
    })
}
