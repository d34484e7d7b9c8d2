//! Canceling: a booking ends, and its tickets are on sale again. Both happen in one transaction, once,
//! whatever is clicked twice or at the same time; the update that finds the booking still confirmed decides.
//!
//! A buyer may cancel until the concert's deadline, the organizer at any time. Neither may once somebody is
//! in on one of the tickets: that seat is taken, so it cannot be sold again.

pub mod pages;
pub mod store;

use chrono::NaiveDateTime;

use super::Booking;
use crate::app::App;
use crate::error::Error;
use crate::events::{Event, Stock};

/// Which booking is to be canceled, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Canceler {
    /// Whoever holds the booking's link.
    Buyer {
        token: String,
    },
    Organizer {
        reference: String,
    },
}

/// What became of the wish to cancel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The tickets are on sale again.
    Canceled { booking: Booking, stock: Stock },
    /// They have been for a while: the same was asked before.
    AlreadyCanceled(Booking),
    /// The deadline is over, or buyers may not cancel at all.
    TooLate,
    /// So many people are in on its tickets.
    Admitted { count: i64 },
}

impl Event {
    /// When a buyer's right to cancel ends, in UTC. `None`: buyers may not cancel.
    #[must_use]
    pub fn cancellable_until(&self) -> Option<NaiveDateTime> {
        let minutes = self.cancellation_deadline_minutes?;
        self.starts_at.checked_sub_signed(chrono::TimeDelta::minutes(minutes.into()))
    }

    /// Whether a buyer may cancel at that time (UTC).
    #[must_use]
    pub fn is_cancellable(&self, now: NaiveDateTime) -> bool {
        self.cancellable_until().is_some_and(|until| now < until)
    }

    /// The same on the venue's clock: "Friday, June 18, 2027, 8:00 PM CDT".
    #[must_use]
    pub fn cancellation_deadline(&self) -> Option<String> {
        Some(self.local_time(&self.cancellable_until()?))
    }
}

/// Cancels the buyer's booking, and shows at once what that has put on sale again.
///
/// # Errors
/// [`Error::NotFound`] when no booking has that link; what the database said.
pub async fn cancel(app: &App, token: String) -> Result<Outcome, Error> {
    let canceler = Canceler::Buyer { token };
    let outcome = app.db.write(move |db| store::cancel(db, &canceler)).await?;
    announce(app, &outcome);
    Ok(outcome)
}

/// Shows what a cancellation has put on sale again, here and on the other servers, and has the desk forget
/// what was sold out; the mail goes out. The desks of other servers remember that for a tenth of a second only.
pub fn announce(app: &App, outcome: &Outcome) {
    if let Outcome::Canceled { stock, .. } = outcome {
        app.board.announce(&[*stock]);
        app.desk.restocked();
        app.outbox_wakeup.notify();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::tests::event;

    #[test]
    fn a_buyer_may_cancel_until_the_deadline_and_not_at_it() {
        let starts_at = chrono::NaiveDate::from_ymd_opt(2027, 6, 20).unwrap().and_hms_opt(1, 0, 0).unwrap();
        let event = Event { starts_at, cancellation_deadline_minutes: Some(24 * 60), ..event() };
        let second = chrono::TimeDelta::seconds(1);
        let until = event.cancellable_until().unwrap();
        assert!(event.is_cancellable(until - second) && !event.is_cancellable(until));
        assert_eq!(event.cancellation_deadline().unwrap(), "Friday, June 18, 2027, 8:00 PM CDT");
        let until_the_start = Event { cancellation_deadline_minutes: Some(0), ..event.clone() };
        assert!(until_the_start.is_cancellable(starts_at - second));
        let never = Event { cancellation_deadline_minutes: None, ..event };
        assert!(!never.is_cancellable(starts_at - chrono::TimeDelta::days(365)));
    }
}
