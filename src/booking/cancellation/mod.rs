//! Cancellation: a booking ends, and its tickets go back on sale ([`release`](super::release)).
//!
//! A buyer may cancel until the concert's deadline, the organizer at any time. A booking that took one click
//! can be undone for some seconds ([`undo`]). Nobody can cancel a ticket that was scanned: its seat is taken,
//! so it cannot be sold again. Refunds do not belong here.

pub mod form;
pub mod note;
pub mod pages;
pub mod store;
pub mod undo;

use chrono::NaiveDateTime;

use crate::audit::Actor;
use crate::events::{Event, Stock};

/// Which booking is to be canceled, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Canceler {
    /// The holder of the booking's link.
    Buyer { token: String, actor: Actor },
    Organizer {
        reference: String,
        actor: Actor,
        /// What the buyer is told; may be empty.
        note: String,
    },
    /// The browser that has just made the booking with one click.
    Undo { token: String, actor: Actor },
}

/// What is to be canceled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancellation {
    pub canceler: Canceler,
    /// The tickets that are given back. `None`: all of them.
    pub seats: Option<Vec<i32>>,
}

impl Cancellation {
    /// Of all tickets.
    #[must_use]
    pub fn of_all(canceler: Canceler) -> Self {
        Self { canceler, seats: None }
    }
}

/// What is wrong with a choice of tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChoiceError {
    NothingChosen,
    /// Some of them were scanned meanwhile.
    Admitted,
    /// Some of them were given back before.
    Returned,
}

/// How the request to cancel ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancellationOutcome {
    /// The tickets are on sale again.
    Canceled { stock: Vec<Stock> },
    /// The booking is not confirmed: it was canceled before, as a rule.
    AlreadyCanceled,
    /// The deadline has passed, or the moment to undo, or buyers may not cancel at all.
    TooLate,
    /// This many of the tickets were scanned.
    Admitted { count: i32 },
    /// One of the tickets is not the booking's, or was given back before.
    NoSuchTicket,
}

impl Event {
    /// Until when a buyer may cancel, in UTC. `None`: buyers may not cancel. After a postponement it is the
    /// later of the deadline and the time that the organizer has set.
    #[must_use]
    pub fn cancellable_until(&self) -> Option<NaiveDateTime> {
        let before_start =
            |minutes: i32| self.starts_at.checked_sub_signed(chrono::TimeDelta::minutes(minutes.into()));
        self.cancellation_deadline_minutes.and_then(before_start).max(self.returns_until)
    }

    /// Whether a buyer may cancel at that time (UTC).
    #[must_use]
    pub fn is_cancellable(&self, now: NaiveDateTime) -> bool {
        self.cancellable_until().is_some_and(|until| now < until)
    }

    /// [`Event::cancellable_until`] on the venue's clock: "Friday, June 18, 2027, 8:00 PM CDT".
    #[must_use]
    pub fn cancellation_deadline(&self) -> Option<String> {
        Some(self.local_time(&self.cancellable_until()?))
    }
}

impl CancellationOutcome {
    /// What is left of the ticket types that have got tickets back.
    #[must_use]
    pub fn stock(&self) -> &[Stock] {
        match self {
            Self::Canceled { stock } => stock,
            _ => &[],
        }
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
        assert_eq!(event.cancellation_deadline().unwrap(), "Friday, June 18, 2027, 8:00\u{a0}PM\u{a0}CDT");
        let until_the_start = Event { cancellation_deadline_minutes: Some(0), ..event.clone() };
        assert!(until_the_start.is_cancellable(starts_at - second));
        let postponed = Event { returns_until: Some(until + second), ..event.clone() };
        assert!(postponed.is_cancellable(until) && !postponed.is_cancellable(until + second));
        let earlier = Event { returns_until: Some(until - second), ..event.clone() };
        assert_eq!(earlier.cancellable_until(), Some(until), "the later of the two");
        let never = Event { cancellation_deadline_minutes: None, ..event };
        assert!(!never.is_cancellable(starts_at - chrono::TimeDelta::days(365)));
    }
}
