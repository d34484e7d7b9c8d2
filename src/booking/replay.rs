//! A form that is sent again. Its key is no second key to the booking: the next user of the same computer finds it in a
//! form that the browser has kept.

use chrono::TimeDelta;

use super::buyer::Buyer;
use super::form::FieldErrors;
use super::{Booking, BookingOutcome, messages};
use crate::db::{self, Database};
use crate::error::Error;

/// For so long a form that is sent again shows what it has booked.
const REPLAYED_FOR: TimeDelta = TimeDelta::hours(1);

/// A form that is sent again shows what it has booked for a while, in which people repeat what got no answer, and later
/// in the buyer's own browser only: then it is as if it were booked now. The database's clock has dated the booking,
/// and decides.
///
/// # Errors
/// What the database said.
pub(super) async fn shown(
    db: &Database,
    outcome: BookingOutcome,
    remembered: Option<&Buyer>,
) -> Result<BookingOutcome, Error> {
    let BookingOutcome::Replayed(booking) = outcome else { return Ok(outcome) };
    let now = db.read_primary(db::clock).await?;
    let is_shown = now - booking.created_at < REPLAYED_FOR || is_of(&booking, remembered);
    Ok(if is_shown { BookingOutcome::Booked(booking) } else { BookingOutcome::Replayed(booking) })
}

/// Whether the buyer that the browser remembers has made the booking.
fn is_of(booking: &Booking, remembered: Option<&Buyer>) -> bool {
    remembered.is_some_and(|buyer| buyer.contact == booking.buyer)
}

/// The form has booked before. Only the buyer's own browser gets a link to the booking.
#[must_use]
pub(super) fn already_booked(earlier: &Booking, remembered: Option<&Buyer>) -> FieldErrors {
    let is_theirs = is_of(earlier, remembered);
    let link = if is_theirs { format!("/bookings/{}", earlier.token) } else { "/bookings/find".to_owned() };
    FieldErrors { earlier_booking: Some(link), ..FieldErrors::of_form(messages::KEY_REUSED) }
}
