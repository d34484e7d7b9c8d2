//! The only code that gives tickets back. A cancellation, a hold whose time is over and a partial return all
//! use it. It gives each ticket back once, even if that is asked for several times, or at the same time.
//!
//! Who may cancel, and until when, does not belong here: see [`cancellation`](super::cancellation). Nor do
//! refunds.

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
    /// The booking had ended before, or does not exist.
    Ended,
    /// This many of the tickets were admitted, so none was given back.
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
