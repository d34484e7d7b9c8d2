//! Tickets: a booking of four has four tickets. Each admits one person, once.
//!
//! A ticket is a booking and a seat number from 1 to the booking's quantity. It has no row of its own until
//! it is admitted or given back, so it adds no cost to a booking. Its code is signed, so it cannot be forged
//! (see [`code`]). Each decision about a [`scan`] is stored. A gate is a device on which somebody of the
//! organizer's team is signed in, or one that has a [`gate_link`].
//!
//! Booking tickets and giving them back do not belong here: see `booking`.

pub mod answer;
pub mod attendance;
pub mod code;
pub mod gate;
pub mod gate_link;
pub mod keyboards;
pub mod link;
pub mod pages;
pub mod qr;
pub mod scan;
pub mod shared;
pub mod signers;
pub mod store;

use chrono::NaiveDateTime;

use self::code::TicketCodes;
use self::qr::QrCode;
use crate::booking::PlacedBooking;
use crate::events::Event;

/// One seat of a booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// From 1 to the booking's quantity.
    pub seat: i32,
    /// The booking's quantity.
    pub of: i32,
    pub ticket_type: String,
    /// When it was scanned at the entrance: UTC.
    pub admitted_at: Option<NaiveDateTime>,
    /// The code that is printed and scanned: `7F3K-9QXM-222R-KD84-TQ2H`.
    pub code: String,
}

impl Ticket {
    /// The code as a QR code.
    #[must_use]
    pub fn qr(&self) -> QrCode {
        QrCode::of(&self.code)
    }
}

/// The tickets of a booking that were not given back, ordered by seat. Whether they are valid depends on the
/// booking's status, which is not checked here. Empty for a reference that is not in this site's format.
#[must_use]
pub fn of_booking(codes: &TicketCodes, placed: &PlacedBooking) -> Vec<Ticket> {
    let booking = &placed.booking;
    let ticket = |Seat { number: seat, ticket_type }| {
        let code = codes.sign(&booking.reference, seat)?;
        let admitted_at = placed.admissions.iter().find(|(admitted, _)| *admitted == seat).map(|(_, at)| *at);
        Some(Ticket { seat, of: booking.quantity(), ticket_type, admitted_at, code })
    };
    Seat::all_of(placed).into_iter().filter_map(ticket).collect()
}

/// Whether tickets are shown at the top: all day on the concert's day at the venue, and after midnight until it is
/// over. `now`: UTC.
#[must_use]
pub fn is_event_day(event: &Event, now: NaiveDateTime) -> bool {
    let date = |at: &NaiveDateTime| event.clock().local(at).date_naive();
    date(&now) == date(&event.starts_at) || (event.starts_at..event.ends_at).contains(&now)
}

/// A ticket of a booking without its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// From 1 to the booking's quantity.
    pub number: i32,
    pub ticket_type: String,
}

impl Seat {
    /// Those of a booking that were not given back.
    #[must_use]
    pub fn all_of(placed: &PlacedBooking) -> Vec<Self> {
        let seat = |number| {
            let ticket_type = placed.ticket_type_of_seat(number)?.name.clone();
            Some(Self { number, ticket_type })
        };
        let kept = |seat: &i32| !placed.returned_seats.contains(seat);
        (1..=placed.booking.quantity()).filter(kept).filter_map(seat).collect()
    }
}
