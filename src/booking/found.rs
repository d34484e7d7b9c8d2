//! Where a booking that was just made, or found again, leads its buyer: to its own page, or to the payment
//! page.

use actix_web::http::StatusCode;

use super::{Booking, BookingStatus, PlacedBooking, messages};
use crate::app::App;
use crate::error::Error;
use crate::payment::store::online::is_in_review;

/// The path of the payment page.
pub(super) fn payment_page(booking: &Booking) -> String {
    format!("/bookings/{}/payment", booking.token)
}

/// The path to go to next: the payment page of a held booking, and the booking's own page otherwise.
pub(super) fn next_page(booking: &Booking) -> String {
    if booking.is_held() { payment_page(booking) } else { format!("/bookings/{}", booking.token) }
}

/// The status of the answer to the booking's form, and a message, where one is needed. A repeated form may
/// find its booking in any state; a confirmed booking needs no message. `wants_venue`: the form asks to pay
/// at the venue.
pub(super) fn answer_to_form(booking: &Booking, wants_venue: bool) -> (StatusCode, Option<&'static str>) {
    match booking.status {
        BookingStatus::Canceled => (StatusCode::OK, Some(messages::REPLAYED_CANCELED)),
        BookingStatus::Expired => (StatusCode::OK, Some(messages::REPLAYED_EXPIRED)),
        BookingStatus::Held if wants_venue => (StatusCode::OK, Some(messages::REPLAYED_HELD)),
        BookingStatus::Held | BookingStatus::Confirmed => (StatusCode::CREATED, None),
    }
}

/// Whether to show the payment page in place of the booking's own: while the booking is held, and while
/// people look into its payment.
pub(super) async fn is_to_be_paid(app: &App, placed: &PlacedBooking) -> Result<bool, Error> {
    let id = placed.booking.id;
    match placed.booking.status {
        _ if app.payments.is_none() => Ok(false),
        BookingStatus::Held => Ok(placed.event.is_paid_online()),
        BookingStatus::Expired => app.db.read_primary(move |db| is_in_review(db, id)).await,
        BookingStatus::Confirmed | BookingStatus::Canceled => Ok(false),
    }
}
