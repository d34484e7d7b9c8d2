//! A room in memory, as of the last second.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

use actix_web::http::header::HeaderValue;
use actix_web::web::Bytes;
use chrono::NaiveDateTime;

use super::draw::{DrawSeed, Position};
use super::line::QueueLine;
use super::pace::Supply;
use super::{QueuePlace, Room, RoomPhase};
use crate::error::Error;

/// What everybody who waits polls: see [`super::fragment`].
pub struct RoomFragment {
    pub etag: HeaderValue,
    pub html: Bytes,
}

/// A room as of the last second.
pub struct OpenRoom {
    pub room: Room,
    pub line: QueueLine,
    pub supply: Supply,
    /// UTC. When this server last saw that the sale was still to start.
    pub(super) lobby_seen_at: Option<NaiveDateTime>,
    /// How many passes this server may have issued since the last move.
    taken: AtomicI64,
    /// For each phase, which may change while the database is away: one for a line that moves, and one for a line that
    /// stands still.
    fragments: [[OnceLock<RoomFragment>; 2]; RoomPhase::COUNT],
}

impl OpenRoom {
    #[must_use]
    pub fn new(room: Room, line: QueueLine, supply: Supply) -> Self {
        let (taken, fragments) = (AtomicI64::new(0), Default::default());
        Self { room, line, supply, lobby_seen_at: None, taken, fragments }
    }

    /// Where a place stands, once the lobby is drawn.
    #[must_use]
    pub fn position(&self, place: &QueuePlace) -> Option<Position> {
        let drawn_at = self.room.opened_at?;
        Some(DrawSeed::parse(&self.room.seed)?.position(place, drawn_at))
    }

    /// Whether the room is drawn, nothing is left, and nothing may come back.
    #[must_use]
    pub fn is_sold_out(&self) -> bool {
        self.room.opened_at.is_some() && self.supply.is_sold_out()
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn line_is_empty(&self) -> bool {
        self.line.len() <= self.line.before(self.room.served())
    }

    /// How many more passes this server may issue in this second. People who were served long ago may all come at once.
    #[must_use]
    pub fn passes_left(&self) -> i64 {
        self.supply.passes_left() - self.taken.load(Ordering::Relaxed)
    }

    /// Takes one of the passes that this server may issue in this second. Returns whether there was one.
    pub fn take_pass(&self) -> bool {
        self.taken.fetch_add(1, Ordering::Relaxed) < self.supply.passes_left()
    }

    /// About how many people stand before somebody who has that position: of all who have come, and of those who are
    /// not served yet.
    #[must_use]
    pub fn before(&self, position: Position) -> (i64, i64) {
        let before = self.line.before_place(position);
        (before, (before - self.line.before(self.room.served())).max(0))
    }

    /// What everybody who waits polls, rendered on the first request of the second.
    ///
    /// # Errors
    /// Those of `render`.
    pub fn fragment(
        &self,
        phase: RoomPhase,
        stands_still: bool,
        render: impl FnOnce() -> Result<RoomFragment, Error>,
    ) -> Result<&RoomFragment, Error> {
        let cell = &self.fragments[phase.index()][usize::from(stands_still)];
        if let Some(fragment) = cell.get() {
            return Ok(fragment);
        }
        let fragment = render()?;
        Ok(cell.get_or_init(|| fragment))
    }
}
