//! The form that cancels: which tickets of a booking are given back.

use std::collections::HashMap;

use serde::Deserialize;

use crate::booking::PlacedBooking;
use crate::tickets::Seat;

/// The fields as a browser sends them: `seat_1`, `seat_2`, … for each ticket that is chosen.
#[derive(Debug, Default, Deserialize)]
pub struct CancellationForm {
    /// Stands in every form with a choice. Without it all tickets are meant.
    #[serde(default)]
    choice: String,
    #[serde(flatten)]
    fields: HashMap<String, String>,
}

impl CancellationForm {
    /// The chosen seats, in order; `None`: all of them.
    #[must_use]
    pub fn seats(&self) -> Option<Vec<i32>> {
        if self.choice.is_empty() {
            return None;
        }
        let seat = |field: &String| field.strip_prefix("seat_")?.parse().ok();
        let mut seats: Vec<i32> = self.fields.keys().filter_map(seat).collect();
        seats.sort_unstable();
        seats.dedup();
        Some(seats)
    }
}

/// The tickets that can still be chosen, each with whether it is.
#[must_use]
pub fn choices(placed: &PlacedBooking, chosen: Option<&[i32]>) -> Vec<(Seat, bool)> {
    let choice = |seat: Seat| {
        let is_chosen = chosen.is_none_or(|chosen| chosen.contains(&seat.number));
        (seat, is_chosen)
    };
    Seat::all_of(placed).into_iter().map(choice).collect()
}
