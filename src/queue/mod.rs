//! The waiting room: when more people come than there are tickets, who may book, and when.
//!
//! Each visitor takes a [`QueuePlace`], sealed in a cookie. When the sale starts, the places in the lobby are
//! drawn by lot ([`draw`]); visitors who come later stand behind them, in the order of arrival. One rising
//! number says how far the line is served ([`mover`]). Its pace follows the server's load and the stock
//! ([`pace`]). A visitor who is served gets a [`pass`]: the request key of one booking, good for ten minutes.
//!
//! No table lists the visitors who wait. The database knows how many have come in each second ([`line`]), how
//! far the line has moved, and which passes were issued. Everything else is computed from the cookie.
//!
//! Concerts and their sales windows do not belong here: see [`crate::events`]. Nor does booking: the desk's handlers
//! only ask [`rooms::Rooms`] whether an order may pass.

pub mod draw;
pub mod fragment;
pub mod line;
pub mod mover;
pub mod open_room;
pub mod pace;
pub mod pages;
pub mod pass;
mod place;
pub mod place_link;
pub(crate) mod place_token;
mod refusals;
pub mod registered_place;
pub mod registration;
pub mod rooms;
mod stage;
mod step;
pub mod store;
mod words;

use std::fmt;

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;

use self::draw::{Position, slot_of};
pub use self::place::QueuePlace;
use crate::db::text_enum;
use crate::schema::waiting_rooms;

text_enum! {
    /// When a concert has a waiting room.
    RoomMode {
        Off = "off",
        Always = "always",
        /// While a server is under stress, and until it has been calm for a while.
        UnderStress = "under_stress",
    }
}

text_enum! {
    /// How the organizer lets the line move.
    Flow {
        /// As fast as the server and the stock allow.
        Open = "open",
        /// A quarter of that.
        Slow = "slow",
        Stopped = "stopped",
    }
}

/// How long a pass is good.
pub const PASS_LASTS: TimeDelta = TimeDelta::minutes(10);
/// The lobby opens at most this long before the sale.
pub const OPENS_MINUTES_MAX: i32 = 1440;
/// The fastest line that an organizer may ask for, in people a second.
pub const PER_SECOND_MAX: i32 = 1000;
/// How long before the draw the lobby closes: longer than servers differ about the database's time, and
/// longer than a server needs to hear of a draw.
const LOBBY_CLOSES: TimeDelta = TimeDelta::seconds(2);
/// A room that is switched on this long after the start of its sale, or later, is drawn now: nobody was in
/// its lobby.
const LATE_OPENING: TimeDelta = TimeDelta::days(1);
/// The longest message to those who wait, in characters.
pub const MESSAGE_LENGTH_MAX: usize = 300;

/// A concert's waiting room, as the database keeps it.
#[derive(Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = waiting_rooms)]
pub struct Room {
    pub event_id: i64,
    pub mode: RoomMode,
    /// How long before the sale the lobby opens.
    pub opens_minutes: i32,
    pub flow: Flow,
    /// How many people are served a second at most.
    pub most_per_second: i32,
    /// From the organizer to those who wait.
    pub message: String,
    pub(crate) seed: String,
    /// Public before the draw, which the seed is not.
    pub seed_hash: String,
    /// UTC. When the lobby was drawn.
    pub opened_at: Option<NaiveDateTime>,
    pub(crate) served: i64,
    /// The pace of the line when it moved last.
    pub per_second: i32,
    /// UTC.
    pub moved_at: Option<NaiveDateTime>,
    /// How far the line had moved at the mark before the last one, and at the last one: see [`step`].
    pub(crate) served_earlier: i64,
    pub(crate) served_mark: i64,
    /// UTC. The last mark.
    pub(crate) marked_at: Option<NaiveDateTime>,
    /// UTC. When somebody who is served was last told that there is no pass right now.
    pub(crate) refused_at: Option<NaiveDateTime>,
    /// Places are given by email only, one for each address, from when the room is switched on.
    pub registration: bool,
}

/// Never shows the seed: before the draw it is a secret.
impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { event_id, mode, flow, opened_at, served, .. } = self;
        write!(
            f,
            "Room {{ event {event_id}, {mode:?}, {flow:?}, opened at {opened_at:?}, served {served}, .. }}"
        )
    }
}

/// What a room is at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoomPhase {
    /// Everybody books without a place.
    Idle,
    /// It opens then (UTC).
    Closed { opens_at: NaiveDateTime },
    /// Places are given, and drawn then (UTC).
    Lobby { draws_at: NaiveDateTime },
    /// Drawn: the line moves.
    Line { drawn_at: NaiveDateTime },
}

impl RoomPhase {
    /// One for each kind of phase.
    pub(crate) const COUNT: usize = 4;

    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Idle => 0,
            Self::Closed { .. } => 1,
            Self::Lobby { .. } => 2,
            Self::Line { .. } => 3,
        }
    }

    /// For pages and scripts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Closed { .. } => "closed",
            Self::Lobby { .. } => "lobby",
            Self::Line { .. } => "line",
        }
    }
}

impl Room {
    /// Tells this draw from earlier ones of the same concert: the start of the seed's hash.
    pub(crate) fn draw_name(&self) -> &str {
        self.seed_hash.get(..16).unwrap_or_default()
    }

    /// Every place whose position is below this one is served.
    #[must_use]
    pub fn served(&self) -> Position {
        Position::from_number(self.served)
    }

    /// How far the line had moved at the mark before the last one. People who were served since then may not
    /// have noticed it yet.
    #[must_use]
    pub fn served_earlier(&self) -> Position {
        Position::from_number(self.served_earlier)
    }

    /// Whether that position is served.
    #[must_use]
    pub fn serves(&self, position: Position) -> bool {
        position < self.served()
    }

    /// The seed, once the lobby is drawn.
    #[must_use]
    pub fn public_seed(&self) -> Option<&str> {
        self.opened_at.map(|_| self.seed.as_str())
    }

    /// Whether a booking needs a pass.
    #[must_use]
    pub fn needs_pass(&self) -> bool {
        match self.mode {
            RoomMode::Off => false,
            RoomMode::Always => true,
            RoomMode::UnderStress => self.opened_at.is_some(),
        }
    }

    /// What it is at the time `now` (UTC), for a sale that starts at `sale_starts_at`.
    #[must_use]
    pub fn phase(&self, sale_starts_at: Option<NaiveDateTime>, now: NaiveDateTime) -> RoomPhase {
        match (self.mode, self.opened_at, sale_starts_at) {
            (RoomMode::Off, _, _) | (RoomMode::UnderStress, None, _) => RoomPhase::Idle,
            (_, Some(drawn_at), _) => RoomPhase::Line { drawn_at },
            (_, None, Some(starts_at)) => {
                let opens_at = starts_at - TimeDelta::minutes(self.opens_minutes.into());
                if now < opens_at && !self.registration {
                    RoomPhase::Closed { opens_at }
                } else {
                    RoomPhase::Lobby { draws_at: starts_at }
                }
            }
            // No start is set: the lobby is drawn as soon as tickets are on sale.
            (_, None, None) => RoomPhase::Lobby { draws_at: now },
        }
    }

    /// The time of arrival of a place that is taken now. Once the lobby is drawn its seed is public, so
    /// nobody may join the lobby after that: neither at a server whose clock is behind, nor at one that has
    /// not heard of the draw. Who comes in the last seconds before the draw arrives in the first second after
    /// it.
    #[must_use]
    pub fn arrival(&self, sale_starts_at: Option<NaiveDateTime>, now: NaiveDateTime) -> NaiveDateTime {
        match (self.opened_at, sale_starts_at) {
            (Some(drawn_at), _) => now.max(drawn_at),
            (None, Some(starts_at)) if now >= starts_at - LOBBY_CLOSES => now.max(starts_at),
            (None, _) => now,
        }
    }

    /// The slot in which an arrival is counted, also between the start of the sale and its draw.
    #[must_use]
    pub fn slot_of(&self, sale_starts_at: Option<NaiveDateTime>, arrived_at: NaiveDateTime) -> i64 {
        let drawn_at = self.opened_at.or_else(|| sale_starts_at.filter(|at| arrived_at - *at < LATE_OPENING));
        drawn_at.map_or(0, |drawn_at| slot_of(arrived_at, drawn_at))
    }
}

#[cfg(test)]
pub(crate) mod tests;
