//! The cancellation form, which asks which tickets of a booking to give back, and what it says when it is
//! shown again.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use serde::Deserialize;

use super::ChoiceError;
use crate::booking::{PlacedBooking, messages};
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

    /// What the organizer has written to the buyer, as it was typed.
    #[must_use]
    pub fn message(&self) -> &str {
        self.fields.get("message").map_or("", String::as_str)
    }
}

/// What the page that cancels asks, of the buyer and of the organizer.
pub struct CancellationQuestion {
    pub placed: PlacedBooking,
    /// The tickets that can be given back, each with whether it is chosen.
    pub choices: Vec<(Seat, bool)>,
    /// Why it cannot be canceled.
    pub refusal: Option<String>,
    /// What is wrong with the choice, or why the previous request was refused.
    pub error: Option<&'static str>,
    pub status: StatusCode,
}

impl CancellationQuestion {
    /// How much of the buyer's money goes back.
    #[must_use]
    pub fn refund_terms(&self) -> String {
        self.placed.refund_terms(self.choices.iter().map(|(seat, _)| seat.number))
    }

    /// With all tickets chosen.
    #[must_use]
    pub fn of_all(placed: PlacedBooking) -> Self {
        let choices = choices(&placed, None);
        let refusal = choices.is_empty().then(|| messages::ALL_SCANNED.to_owned());
        let status = if refusal.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
        Self { placed, choices, refusal, error: None, status }
    }

    /// With the tickets that were chosen before; `None`: all of them.
    #[must_use]
    pub fn resumed(placed: PlacedBooking, chosen: Option<&[i32]>) -> Self {
        let choices = choices(&placed, chosen);
        Self { choices, ..Self::of_all(placed) }
    }

    /// It cannot be canceled. `chosen`: the seats; `None`: all of them.
    #[must_use]
    pub fn refused(placed: PlacedBooking, chosen: Option<&[i32]>, why: String) -> Self {
        let choices = choices(&placed, chosen);
        Self { choices, refusal: Some(why), status: StatusCode::CONFLICT, ..Self::of_all(placed) }
    }

    /// With all tickets chosen, and why another request was refused.
    #[must_use]
    pub fn instead(placed: PlacedBooking, why: &'static str) -> Self {
        Self { error: Some(why), status: StatusCode::CONFLICT, ..Self::of_all(placed) }
    }

    /// With the tickets that were chosen before, because something else in the form is wrong. `None`: all of
    /// them.
    #[must_use]
    pub fn chosen(placed: PlacedBooking, chosen: Option<&[i32]>) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, ..Self::resumed(placed, chosen) }
    }

    /// The choice is wrong.
    #[must_use]
    pub fn again(placed: PlacedBooking, chosen: Option<&[i32]>, error: ChoiceError) -> Self {
        let choices = choices(&placed, chosen);
        let status = match error {
            ChoiceError::NothingChosen => StatusCode::UNPROCESSABLE_ENTITY,
            ChoiceError::Admitted | ChoiceError::Returned => StatusCode::CONFLICT,
        };
        Self { choices, error: Some(messages::choice(error)), status, ..Self::of_all(placed) }
    }
}

fn choices(placed: &PlacedBooking, chosen: Option<&[i32]>) -> Vec<(Seat, bool)> {
    let choice = |seat: Seat| {
        let is_chosen = chosen.is_none_or(|chosen| chosen.contains(&seat.number));
        (seat, is_chosen)
    };
    let can_be_canceled = |seat: &Seat| !placed.admitted_seats().contains(&seat.number);
    Seat::all_of(placed).into_iter().filter(can_be_canceled).map(choice).collect()
}
