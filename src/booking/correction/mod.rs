//! Correction: the buyer's name or email address is changed. The buyer may do that until the first ticket is
//! admitted, the organizer also later, and for a canceled booking.
//!
//! Everything that depends on the address follows: the limit for each person, the list of one's bookings, and
//! all further mails. A new address gets a mail with the tickets, and the booking gets a new link. The old
//! link was mailed to an address that may be a stranger's, and stops working.
//!
//! The organizer's page for it does not belong here: see `admin::correction`.

pub mod form;
pub mod pages;
pub mod store;

use crate::audit::Actor;

/// How often the buyer may change the address of one booking: each change sends a mail to an address that nobody has
/// verified.
pub const ADDRESSES_MAX: i64 = 5;

/// Who corrects which booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Corrector {
    /// The holder of the booking's link.
    Buyer {
        token: String,
        actor: Actor,
    },
    Organizer {
        reference: String,
        actor: Actor,
    },
}

/// What the buyer's name and address are to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    pub corrector: Corrector,
    pub name: String,
    /// `None`: the booking has no address.
    pub email: Option<String>,
}

/// How a correction ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CorrectionOutcome {
    Corrected {
        /// The booking's token from now on.
        token: String,
        /// The address that the tickets are sent to, when it is a new one.
        new_email: Option<String>,
    },
    /// The name and the address are the same as before.
    Unchanged,
    /// The booking is held or expired. For a buyer, also: it is canceled.
    Ended,
    /// A ticket was admitted, so the buyer can change nothing.
    Admitted,
    /// The owner of the new address would hold more tickets than one person may.
    OverPersonLimit { ticket_type_id: i64, limit: i32 },
    /// See [`ADDRESSES_MAX`].
    TooOften,
}
