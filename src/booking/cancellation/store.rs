//! The SQL of a cancellation.

use chrono::Utc;
use diesel::prelude::*;

use super::{Canceler, Cancellation, CancellationOutcome, undo};
use crate::audit::Action;
use crate::booking::release::ReleaseOutcome;
use crate::booking::release::store::{Releaser, release};
use crate::booking::store::{find_by_reference, find_by_token};
use crate::db::{Db, clock};
use crate::events::editing::store::lock;
use crate::payment::RefundSource;
use crate::payment::store::returns::release_and_refund;

/// Cancels a booking or some of its tickets, puts them on sale again, and queues the mail that says so: see
/// [`release`]. On PostgreSQL, requests that are refused anyway are refused before anything is locked, and
/// the release is one statement. Only a booking that was paid for online needs a transaction, for its refund.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn cancel(db: &mut Db, cancellation: &Cancellation) -> QueryResult<CancellationOutcome> {
    let (placed, by) = match &cancellation.canceler {
        Canceler::Buyer { token, actor } => {
            let by = Releaser { actor, action: Action::CanceledByBuyer, note: None };
            (find_by_token(db, token)?, by)
        }
        Canceler::Organizer { reference, actor, note } => {
            let by = Releaser { actor, action: Action::BookingCanceled, note: Some(note) };
            (find_by_reference(db, reference)?, by)
        }
        Canceler::Undo { token, actor } => {
            let by = Releaser { actor, action: Action::BookingUndone, note: None };
            (find_by_token(db, token)?, by)
        }
    };
    if !placed.booking.is_confirmed() {
        return Ok(CancellationOutcome::AlreadyCanceled);
    }
    let is_in_time = match cancellation.canceler {
        Canceler::Buyer { .. } => placed.event.is_cancellable(Utc::now().naive_utc()),
        Canceler::Organizer { .. } => true,
        // The database's clock has dated the booking, so the same clock decides.
        Canceler::Undo { .. } => undo::is_open(&placed.booking, clock(db)?),
    };
    if !is_in_time {
        return Ok(CancellationOutcome::TooLate);
    }
    let seats = cancellation.seats.as_deref();
    let released = if placed.online.is_some() {
        let source = match cancellation.canceler {
            Canceler::Buyer { .. } => RefundSource::Buyer,
            Canceler::Organizer { .. } | Canceler::Undo { .. } => RefundSource::Organizer,
        };
        db.transaction(|db| {
            lock(db, placed.event.id)?;
            release_and_refund(db, &placed.booking, seats, Some(by), source)
        })?
    } else {
        release(db, &placed.booking, seats, Some(by))?
    };
    Ok(match released {
        ReleaseOutcome::Released { stock } => CancellationOutcome::Canceled { stock },
        ReleaseOutcome::Admitted { count } => CancellationOutcome::Admitted { count },
        // Another request was faster.
        ReleaseOutcome::Ended => CancellationOutcome::AlreadyCanceled,
        ReleaseOutcome::NoSuchTicket => CancellationOutcome::NoSuchTicket,
    })
}
