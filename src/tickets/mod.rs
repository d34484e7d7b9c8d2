//! Tickets: a booking of four has four tickets. Each admits one person, once.
//!
//! A ticket is a booking and a seat number from 1 to the booking's quantity. It has no row of its own, so it adds
//! no cost to a booking. Its code is signed, so it cannot be forged (see [`code`]). Only admissions are stored.

pub mod answer;
pub mod code;
pub mod gate;
pub mod pages;
pub mod qr;
pub mod store;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use self::code::{Code, TicketCodes};
use self::qr::QrCode;
use crate::audit::Actor;
use crate::booking::PlacedBooking;
use crate::events::TicketType;
use crate::schema::used_tickets;

/// One seat of a booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// From 1 to the booking's quantity.
    pub seat: i32,
    /// The booking's quantity.
    pub of: i32,
    pub ticket_type: String,
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

/// The tickets of a booking that were not given back, ordered by seat. The booking's status decides whether they are
/// valid. Empty for a reference that is not in this site's format.
#[must_use]
pub fn of_booking(codes: &TicketCodes, placed: &PlacedBooking) -> Vec<Ticket> {
    let booking = &placed.booking;
    let ticket = |Seat { number: seat, ticket_type }| {
        let code = codes.sign(&booking.reference, seat)?;
        Some(Ticket { seat, of: booking.quantity(), ticket_type, code })
    };
    Seat::all_of(placed).into_iter().filter_map(ticket).collect()
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

/// A ticket scanned at a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    pub code: Code,
    /// The event that this gate admits.
    pub event_id: i64,
    /// The name of the gate, as the staff typed it.
    pub gate: String,
    /// The account that is signed in at the gate.
    pub actor: Actor,
    /// UTC.
    pub at: NaiveDateTime,
}

/// The result of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScanOutcome {
    Admitted(Holder),
    /// This seat was already admitted.
    Used(Holder, Admission),
    Canceled(Holder),
    /// This ticket was given back.
    Returned(Holder),
    /// A good ticket for the concert of that name, which is not let in here.
    OtherEvent(Holder, String),
    /// Signed by this site, but its booking does not exist: the sale was reset.
    Unknown,
}

/// Whose ticket it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub reference: String,
    pub seat: i32,
    /// How many tickets the booking has.
    pub of: i32,
    pub ticket_type: String,
    pub name: String,
    /// How many of the booking's tickets were admitted.
    pub admitted: i64,
}

/// When and where a seat was admitted.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = used_tickets)]
pub struct Admission {
    pub gate: String,
    pub actor: String,
    /// UTC.
    #[diesel(column_name = used_at)]
    pub admitted_at: NaiveDateTime,
}

/// A scan that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedScan {
    /// Reference and seat, or the start of the typed text.
    pub ticket: String,
    /// One of the reasons in the schema: used, cancelled, other event, unknown.
    pub reason: &'static str,
    pub gate: String,
    pub actor: String,
    /// UTC.
    pub at: NaiveDateTime,
}

impl ScanOutcome {
    /// The reason for a refusal, as stored; `None` if admitted.
    #[must_use]
    pub fn refusal(&self) -> Option<&'static str> {
        match self {
            Self::Admitted(_) => None,
            Self::Used(..) => Some("used"),
            Self::Canceled(_) => Some("canceled"),
            Self::Returned(_) => Some("returned"),
            Self::OtherEvent(..) => Some("other event"),
            Self::Unknown => Some("unknown"),
        }
    }
}

/// A recent scan and its result, with its time (UTC).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecentScan {
    Admitted(NaiveDateTime, Holder),
    Refused { at: NaiveDateTime, ticket: String, reason: String },
}

impl RecentScan {
    #[must_use]
    pub fn at(&self) -> NaiveDateTime {
        match self {
            Self::Admitted(at, _) | Self::Refused { at, .. } => *at,
        }
    }
}

/// How many of an event's tickets were admitted.
pub struct Attendance {
    pub ticket_types: Vec<TicketTypeAttendance>,
    /// Refused scans at all gates.
    pub refused: i64,
}

/// How many of a ticket type's tickets were admitted.
pub struct TicketTypeAttendance {
    pub ticket_type: TicketType,
    pub admitted: i64,
    /// Tickets in confirmed bookings that were not given back.
    pub sold: i64,
}

impl Attendance {
    #[must_use]
    pub fn admitted(&self) -> i64 {
        self.ticket_types.iter().map(|it| it.admitted).sum()
    }

    #[must_use]
    pub fn sold(&self) -> i64 {
        self.ticket_types.iter().map(|it| it.sold).sum()
    }
}
