//! What a gate's page counts and lists.

use chrono::NaiveDateTime;

use super::scan::{Holder, ScanDecision};
use crate::events::TicketType;

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

/// A scan of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastScan {
    pub id: i64,
    /// When it was made. UTC.
    pub at: NaiveDateTime,
    pub gate: String,
    pub decision: ScanDecision,
    /// Reference and seat, or the start of what was typed.
    pub ticket: String,
    /// `None`: the code belongs to no booking.
    pub holder: Option<Holder>,
    pub by_hand: bool,
    pub is_undone: bool,
}

impl PastScan {
    /// Whether this scan admitted the ticket, and nobody has undone it.
    #[must_use]
    pub fn is_in(&self) -> bool {
        self.decision == ScanDecision::Admitted && !self.is_undone
    }
}

/// A scan that the staff had to decide without an answer, and that was refused when it arrived: they may have
/// let the person in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    pub scan: PastScan,
    /// The gate where the ticket was admitted instead, and when (UTC).
    pub first: Option<(String, NaiveDateTime)>,
}

/// What was found for a name, an address or a reference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    pub typed: String,
    pub tickets: Vec<FoundTicket>,
    /// There are more than are listed.
    pub is_cut: bool,
}

/// A ticket that can be admitted by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundTicket {
    pub holder: Holder,
    /// The gate where it was admitted, and when (UTC).
    pub admitted: Option<(String, NaiveDateTime)>,
}
