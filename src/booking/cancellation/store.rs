//! The SQL of a cancellation.

use chrono::{NaiveDateTime, Utc};
use diesel::prelude::*;

use super::{Canceler, Cancellation, CancellationOutcome};
use crate::booking::release::ReleaseOutcome;
use crate::booking::release::store::release;
use crate::booking::store::{find_by_reference, find_by_token};
use crate::booking::{Booking, BookingStatus};
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
    let is_in_time = placed.event.is_cancellable(Utc::now().naive_utc());
    let booking = placed.booking;
    if !booking.is_confirmed() {
        return Ok(CancellationOutcome::AlreadyCanceled(booking));
    }
    if organizer.is_none() && !is_in_time {
        return Ok(CancellationOutcome::TooLate);
    }
    let seats = cancellation.seats.as_deref();
    Ok(match release(db, &booking, seats, organizer)? {
        ReleaseOutcome::Released { at, stock } => {
            let booking = without(booking, seats, at);
            CancellationOutcome::Canceled { booking, stock }
        }
        ReleaseOutcome::Admitted { count } => CancellationOutcome::Admitted { count },
        // Somebody else was faster.
        ReleaseOutcome::Ended => {
            CancellationOutcome::AlreadyCanceled(find_by_token(db, &booking.token)?.booking)
        }
        ReleaseOutcome::NoSuchTicket => CancellationOutcome::NoSuchTicket,
    })
}

/// The booking after these seats, or all of them, were given back.
fn without(mut booking: Booking, seats: Option<&[i32]>, at: NaiveDateTime) -> Booking {
    let types: Vec<Option<i64>> =
        seats.unwrap_or_default().iter().map(|seat| booking.ticket_type_of_seat(*seat)).collect();
    for line in &mut booking.lines {
        let returned = types.iter().filter(|id| **id == Some(line.ticket_type_id)).count();
        line.returned += i32::try_from(returned).unwrap_or_default();
    }
    if seats.is_none() || booking.lines.iter().all(|line| line.kept() == 0) {
        booking.status = BookingStatus::Canceled;
        booking.canceled_at = Some(at);
    }
    booking
}
