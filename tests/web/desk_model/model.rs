//! The model: it computes in memory what the desk must answer.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use techkraft::booking::{Booking, BookingOutcome};

use crate::desk_model::operation::{Asked, CAPACITIES, PERSON_LIMITS};

#[derive(Clone)]
pub struct Model {
    left: Vec<i32>,
    booked: BTreeMap<u8, Entry>,
}

#[derive(Clone)]
struct Entry {
    asked: Asked,
    token: String,
    is_canceled: bool,
}

impl Model {
    pub fn new() -> Self {
        Self { left: CAPACITIES.to_vec(), booked: BTreeMap::new() }
    }

    /// One order alone has exactly one right answer.
    pub fn one(&mut self, asked: &Asked, outcome: &BookingOutcome) -> TestCaseResult {
        let known = self.booked.get(&asked.key).cloned();
        let left = self.left.get(asked.tier).copied();
        let (limit, held) = (limit(asked), self.held(asked));
        let is_over = limit.is_some_and(|limit| held + asked.quantity > limit);
        match (known, left, outcome) {
            (Some(entry), _, BookingOutcome::Replayed(booking)) if entry.asked == *asked => {
                prop_assert_eq!(&booking.token, &entry.token, "{:?}", asked);
            }
            (Some(entry), _, BookingOutcome::KeyReused(booking)) if entry.asked != *asked => {
                prop_assert_eq!(&booking.token, &entry.token, "{:?}", asked);
            }
            (None, None, BookingOutcome::UnknownTicketType) => {}
            (None, Some(left), BookingOutcome::Booked(booking)) if asked.quantity <= left && !is_over => {
                self.note(asked, booking);
            }
            (None, Some(left), BookingOutcome::NotEnough { left: said }) if asked.quantity > left => {
                prop_assert_eq!(said, &vec![left], "what is said to be left for {:?}", asked);
            }
            (None, Some(left), BookingOutcome::OverPersonLimit { limit: most, held: said, .. })
                if asked.quantity <= left && is_over =>
            {
                prop_assert_eq!((Some(*most), *said), (limit, held), "{:?}", asked);
            }
            _ => prop_assert!(false, "{asked:?} got {outcome:?} with {left:?} left"),
        }
        Ok(())
    }

    /// Simultaneous orders may be handled in any order, so there can be more than one right answer. But no tickets
    /// come back meanwhile, so the number left at the end is the lowest: a refused order must have asked for more
    /// than that. In the same way, the number that a person holds is highest at the end.
    pub fn many(&mut self, orders: &[Asked], outcomes: &[BookingOutcome]) -> TestCaseResult {
        let before = self.clone();
        for (asked, outcome) in orders.iter().zip(outcomes) {
            if let BookingOutcome::Booked(booking) = outcome {
                prop_assert!(!self.booked.contains_key(&asked.key), "{asked:?} was booked twice");
                self.note(asked, booking);
            }
        }
        for (asked, outcome) in orders.iter().zip(outcomes) {
            let known = self.booked.get(&asked.key);
            let (most, least) = (before.left.get(asked.tier), self.left.get(asked.tier));
            let is_right = match outcome {
                BookingOutcome::Booked(_) => true,
                BookingOutcome::Replayed(booking) => {
                    known.is_some_and(|entry| entry.asked == *asked && entry.token == booking.token)
                }
                BookingOutcome::KeyReused(booking) => {
                    known.is_some_and(|entry| entry.asked != *asked && entry.token == booking.token)
                }
                BookingOutcome::NotEnough { left } => {
                    let left = left.first();
                    let is_possible = left.is_some() && least <= left && left <= most;
                    least.is_some_and(|least| asked.quantity > *least) && is_possible
                        // An order that is booked already must be answered with its booking.
                        && known.is_none_or(|entry| entry.asked != *asked)
                }
                BookingOutcome::OverPersonLimit { limit: said, held, .. } => {
                    let is_possible = (before.held(asked)..=self.held(asked)).contains(held);
                    limit(asked) == Some(*said)
                        && is_possible
                        && held + asked.quantity > *said
                        && known.is_none_or(|entry| entry.asked != *asked)
                }
                BookingOutcome::UnknownTicketType => least.is_none(),
                BookingOutcome::NotOnSale { .. } | BookingOutcome::OtherTotal { .. } => false,
            };
            prop_assert!(
                is_right,
                "{asked:?} got {outcome:?}; left before {:?}, after {:?}",
                before.left,
                self.left
            );
        }
        let is_over = |asked: &Asked| limit(asked).is_some_and(|limit| self.held(asked) > limit);
        prop_assert!(!orders.iter().any(is_over), "somebody holds too much after {orders:?}");
        Ok(())
    }

    /// How many tickets the buyer holds of the tier.
    fn held(&self, asked: &Asked) -> i32 {
        let is_theirs = |entry: &&Entry| {
            !entry.is_canceled && (entry.asked.tier, entry.asked.is_ada) == (asked.tier, asked.is_ada)
        };
        self.booked.values().filter(is_theirs).map(|entry| entry.asked.quantity).sum()
    }

    fn note(&mut self, asked: &Asked, booking: &Booking) {
        self.left[asked.tier] -= asked.quantity;
        let entry = Entry { asked: asked.clone(), token: booking.token.clone(), is_canceled: false };
        self.booked.insert(asked.key, entry);
    }

    pub fn cancel(&mut self, key: u8) {
        if let Some(entry) = self.booked.get_mut(&key).filter(|entry| !entry.is_canceled) {
            entry.is_canceled = true;
            self.left[entry.asked.tier] += entry.asked.quantity;
        }
    }

    pub fn reseed(&mut self) {
        *self = Self::new();
    }

    /// What is left of each tier.
    pub fn tiers(&self) -> Vec<i32> {
        self.left.clone()
    }

    /// Key, token, quantity and status of every booking, sorted by key.
    pub fn bookings(&self) -> Vec<(String, String, i32, String)> {
        let line = |(key, entry): (&u8, &Entry)| {
            let status = if entry.is_canceled { "canceled" } else { "confirmed" };
            (format!("key {key}"), entry.token.clone(), entry.asked.quantity, status.to_owned())
        };
        self.booked.iter().map(line).collect()
    }
}

fn limit(asked: &Asked) -> Option<i32> {
    PERSON_LIMITS.get(asked.tier).copied().flatten()
}
