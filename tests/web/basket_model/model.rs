//! The model: it computes in memory what the shop must answer.

use std::collections::{BTreeMap, BTreeSet};

use techkraft::booking::BookingOutcome;

use crate::basket_model::Basket;
use crate::desk_model::operation::{CAPACITIES, PERSON_LIMITS};

pub struct Model {
    pub event_is_paused: bool,
    pub type_is_paused: [bool; 3],
    entries: BTreeMap<u8, Entry>,
}

struct Entry {
    basket: Basket,
    status: &'static str,
    returned: BTreeSet<i32>,
}

/// An outcome in short.
#[derive(Debug, PartialEq, Eq)]
pub enum Short {
    Booked,
    Replayed,
    KeyReused,
    /// The tickets left, by line.
    NotEnough(Vec<i32>),
    /// The limit, and how many tickets the person has.
    OverLimit(i32, i32),
    NotOnSale,
    Unknown,
}

/// An outcome in short.
pub fn short(outcome: &BookingOutcome) -> Short {
    match outcome {
        BookingOutcome::Booked(_) => Short::Booked,
        BookingOutcome::Replayed(_) => Short::Replayed,
        BookingOutcome::KeyReused(_) => Short::KeyReused,
        BookingOutcome::NotEnough { left } => Short::NotEnough(left.clone()),
        BookingOutcome::OverPersonLimit { limit, held, .. } => Short::OverLimit(*limit, *held),
        BookingOutcome::NotOnSale { .. } => Short::NotOnSale,
        BookingOutcome::OtherTotal { .. } => unreachable!("no basket names a total"),
        BookingOutcome::UnknownTicketType => Short::Unknown,
    }
}

impl Model {
    pub fn new() -> Self {
        Self { event_is_paused: false, type_is_paused: [false; 3], entries: BTreeMap::new() }
    }

    pub fn order(&mut self, basket: &Basket) -> Short {
        if let Some(entry) = self.entries.get(&basket.key) {
            return if entry.basket.is_same(basket) { Short::Replayed } else { Short::KeyReused };
        }
        let left = self.left();
        for (index, quantity) in lines(basket) {
            if self.event_is_paused || self.type_is_paused[index] {
                return Short::NotOnSale;
            }
            if left[index] < quantity {
                return Short::NotEnough(lines(basket).map(|(index, _)| left[index]).collect());
            }
            let held = self.held(index, basket.is_ada);
            if let Some(limit) = PERSON_LIMITS[index].filter(|limit| held + quantity > *limit) {
                return Short::OverLimit(limit, held);
            }
        }
        let status = if basket.is_held { "held" } else { "confirmed" };
        let entry = Entry { basket: basket.clone(), status, returned: BTreeSet::new() };
        self.entries.insert(basket.key, entry);
        Short::Booked
    }

    pub fn confirm(&mut self, key: u8) -> bool {
        let held = self.entries.get_mut(&key).filter(|entry| entry.status == "held");
        held.map(|entry| entry.status = "confirmed").is_some()
    }

    pub fn expire(&mut self, key: u8) {
        if let Some(entry) = self.entries.get_mut(&key).filter(|entry| entry.status == "held") {
            entry.status = "expired";
        }
    }

    /// Returns whether any ticket was given back.
    pub fn give_back(&mut self, key: u8, seat: Option<i32>) -> bool {
        let Some(entry) = self.entries.get_mut(&key).filter(|entry| entry.takes_places()) else {
            return false;
        };
        let all = entry.basket.quantities.iter().sum();
        let wanted: Vec<i32> = (1..=all)
            .filter(|it| seat.is_none_or(|seat| seat == *it) && !entry.returned.contains(it))
            .collect();
        entry.returned.extend(&wanted);
        if i32::try_from(entry.returned.len()) == Ok(all) {
            entry.status = if entry.status == "held" { "expired" } else { "canceled" };
        }
        !wanted.is_empty()
    }

    /// What is left of each ticket type.
    pub fn left(&self) -> Vec<i32> {
        let taken = |index| self.entries.values().map(|entry| entry.taken(index)).sum::<i32>();
        CAPACITIES.iter().enumerate().map(|(index, capacity)| capacity - taken(index)).collect()
    }

    /// Key, status and number of returned tickets of every booking, sorted by key.
    pub fn bookings(&self) -> Vec<(String, String, i64)> {
        let line = |(key, entry): (&u8, &Entry)| {
            (format!("key {key}"), entry.status.to_owned(), i64::try_from(entry.returned.len()).expect("few"))
        };
        self.entries.iter().map(line).collect()
    }

    fn held(&self, index: usize, is_ada: bool) -> i32 {
        self.entries
            .values()
            .filter(|entry| entry.basket.is_ada == is_ada)
            .map(|entry| entry.taken(index))
            .sum()
    }
}

impl Entry {
    fn takes_places(&self) -> bool {
        matches!(self.status, "held" | "confirmed")
    }

    /// How many tickets of a ticket type the booking takes.
    fn taken(&self, index: usize) -> i32 {
        if !self.takes_places() {
            return 0;
        }
        let first = 1 + self.basket.quantities[..index].iter().sum::<i32>();
        let seats = first..first + self.basket.quantities[index];
        i32::try_from(seats.filter(|seat| !self.returned.contains(seat)).count()).expect("few")
    }
}

/// Index and quantity of each ticket type that the basket contains.
fn lines(basket: &Basket) -> impl Iterator<Item = (usize, i32)> + '_ {
    basket.quantities.iter().copied().enumerate().filter(|(_, quantity)| *quantity > 0)
}
