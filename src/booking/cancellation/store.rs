//! The SQL of a cancellation.

use chrono::Utc;
use diesel::prelude::*;

use super::{Canceler, CancellationOutcome};
use crate::booking::release::ReleaseOutcome;
use crate::booking::release::store::release;
use crate::booking::store::{find_by_reference, find_by_token};
use crate::booking::{Booking, BookingStatus};
use crate::db::Db;

/// Cancels a booking, puts its tickets on sale again, and queues the mail that says so. Runs inside the
/// caller's write transaction, at its end. What is refused anyway is refused before anything is locked.
///
/// # Errors
/// `NotFound`, or what the database said.
pub fn cancel(db: &mut Db, canceler: &Canceler) -> QueryResult<CancellationOutcome> {
    let placed = match canceler {
        Canceler::Buyer { token } => find_by_token(db, token)?,
        Canceler::Organizer { reference } => find_by_reference(db, reference)?,
    };
    let booking = placed.booking;
    if !booking.is_confirmed() {
        return Ok(CancellationOutcome::AlreadyCanceled(booking));
    }
    if matches!(canceler, Canceler::Buyer { .. }) && !placed.event.is_cancellable(Utc::now().naive_utc()) {
        return Ok(CancellationOutcome::TooLate);
    }
    Ok(match release(db, &booking, None)? {
        ReleaseOutcome::Released { at, stock } => {
            let booking = Booking { status: BookingStatus::Canceled, canceled_at: Some(at), ..booking };
            CancellationOutcome::Canceled { booking, stock }
        }
        ReleaseOutcome::Admitted { count } => CancellationOutcome::Admitted { count },
        // Somebody else was faster.
        ReleaseOutcome::Ended | ReleaseOutcome::NoSuchTicket => {
            CancellationOutcome::AlreadyCanceled(find_by_token(db, &booking.token)?.booking)
        }
    })
}
