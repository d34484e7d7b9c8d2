//! The one way out for tickets: whatever ends a booking or a part of it gives the tickets back here, once, however
//! often and however simultaneously it is asked for. A cancellation, a hold whose time is over and a partial return
//! are the three.
//!
//! Who may cancel, and until when, does not belong here: see [`cancellation`](super::cancellation). Refunds neither.

pub mod expiry;
pub mod store;

use super::desk::Desk;
use crate::events::Stock;
use crate::events::board::Board;
use crate::outbox::wakeup::Wakeup;

/// How the request to give tickets back ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleaseOutcome {
    /// The tickets are on sale again.
    Released { stock: Vec<Stock> },
    /// The booking had ended before.
    Ended,
    /// This many of the tickets were admitted.
    Admitted { count: i32 },
    /// One of the tickets is not the booking's, or was given back before.
    NoSuchTicket,
}

/// Tells the board (here and on the other servers) and the desk that tickets are back on sale, and wakes the
/// outbox. The desks of other servers trust their memory of sold-out ticket types for 0.1 s at most.
pub fn announce(board: &Board, desk: &Desk, outbox_wakeup: &Wakeup, stock: &[Stock]) {
    if !stock.is_empty() {
        board.announce(stock);
        desk.restocked();
        outbox_wakeup.notify();
    }
}
