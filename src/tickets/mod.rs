//! Tickets: a booking of four is four tickets, one a seat, and each opens the gate once.
//!
//! A ticket is a booking and a seat number from 1 to its quantity. It has no row of its own, so booking
//! costs nothing for it; its code is signed, so nobody makes one up (see [`code`]). What is written down
//! is that somebody came in.

pub mod code;
pub mod qr;

use self::code::TicketCodes;
use self::qr::QrCode;
use crate::booking::Booking;

/// One seat of a booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// From 1 to the booking's quantity.
    pub seat: i32,
    /// The booking's quantity: how many tickets there are with this one.
    pub of: i32,
    /// What is printed and scanned: `7F3K-9QXM-222R-KD84-TQ2H`.
    pub code: String,
}

impl Ticket {
    /// The code as a scanner reads it.
    #[must_use]
    pub fn qr(&self) -> QrCode {
        QrCode::of(&self.code)
    }
}

/// The tickets of a booking, the first seat first. Whether they still open the gate is for its status to
/// say. None for a reference that this site has not made.
#[must_use]
pub fn of_booking(codes: &TicketCodes, booking: &Booking) -> Vec<Ticket> {
    let of = booking.quantity;
    let ticket = |seat| Some(Ticket { seat, of, code: codes.mint(&booking.reference, seat)? });
    (1..=of).filter_map(ticket).collect()
}
