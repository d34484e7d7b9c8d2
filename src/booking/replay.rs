//! A form that is sent again. Its request key must not open the booking forever: the next user of the same
//! computer may find the key in a form that the browser has kept.

use chrono::TimeDelta;

use super::buyer::Buyer;
use super::form::FieldErrors;
use super::{Booking, BookingOutcome, messages};
use crate::db::{self, Database};
use crate::error::Error;

/// How long a form that is sent again shows what it has booked, in any browser.
const REPLAYED_FOR: TimeDelta = TimeDelta::hours(1);

/// Turns a replayed booking into a booked one if the form may still show it. For a while any browser may,
/// because people repeat a form that got no answer; later only the buyer's own browser may. The database's
/// clock decides, because it has dated the booking.
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

/// The error of a form that has booked before. Only the buyer's own browser gets a link to the booking,
/// others one to the search.
#[must_use]
pub(super) fn already_booked(earlier: &Booking, remembered: Option<&Buyer>) -> FieldErrors {
    let is_theirs = is_of(earlier, remembered);
    let link = if is_theirs { format!("/bookings/{}", earlier.token) } else { "/bookings/find".to_owned() };
    FieldErrors { link: Some(link), ..FieldErrors::of_form(messages::KEY_REUSED) }
}
