//! The fragment that all waiting visitors poll: how far the line is, and what is left. It is the same for
//! all, so it is rendered once a second at most, and caches in front may keep it. The page around it knows
//! the visitor's own place and compares.

use actix_web::http::header::HeaderValue;
use askama::Template;
use chrono::NaiveDateTime;
use sha2::{Digest as _, Sha256};

use super::open_room::{OpenRoom, RoomFragment};
use super::pace::flowing;
use super::{RoomPhase, words};
use crate::error::Error;
use crate::events::board::Listing;
use crate::page;

/// The line as it stands, for the fragment and for the page around it.
pub struct LineView {
    pub(super) slug: String,
    pub(super) phase: &'static str,
    /// When the lobby opens, or is drawn: as people read it, and as scripts do.
    pub(super) turns_at: Option<(String, String)>,
    pub(super) served: i64,
    pub(super) served_people: i64,
    /// All who have come.
    pub(super) people: i64,
    pub(super) per_minute: i64,
    pub(super) stock: String,
    pub(super) movement: &'static str,
    pub(super) message: String,
    pub(super) is_sold_out: bool,
    pub(super) poll_seconds: u32,
}

impl LineView {
    #[must_use]
    pub fn new(
        open: &OpenRoom,
        listing: &Listing,
        phase: RoomPhase,
        poll_seconds: u32,
        stands_still: bool,
    ) -> Self {
        let turns_at = match phase {
            RoomPhase::Closed { opens_at } => Some(opens_at),
            RoomPhase::Lobby { draws_at } => Some(draws_at),
            RoomPhase::Idle | RoomPhase::Line { .. } => None,
        };
        let turn = |at: NaiveDateTime| (listing.event.local_time(&at), listing.event.clock().iso(&at));
        let served = open.room.served();
        Self {
            slug: listing.event.slug.clone(),
            phase: phase.name(),
            turns_at: turns_at.map(turn),
            served: served.number(),
            served_people: open.line.before(served),
            people: open.line.len(),
            per_minute: if stands_still { 0 } else { per_minute(open) },
            stock: words::stock(open, listing),
            movement: words::movement(open, stands_still),
            message: open.room.message.clone(),
            is_sold_out: open.is_sold_out(),
            poll_seconds,
        }
    }

    /// How long a visitor waits behind that many people.
    #[must_use]
    pub fn wait(&self, ahead: i64) -> Option<String> {
        words::wait(ahead, self.per_minute)
    }
}

/// How many people the line serves in a minute, as it moves now.
fn per_minute(open: &OpenRoom) -> i64 {
    if open.supply.left == 0 || open.supply.is_closed {
        return 0;
    }
    flowing(open.room.per_second, open.room.flow) * 60
}

#[derive(Template)]
#[template(path = "queue/show.html", block = "line")]
struct LineBlock {
    line: LineView,
}

/// The fragment of one second.
///
/// # Errors
/// When the template does not render.
pub fn render(line: LineView) -> Result<RoomFragment, Error> {
    let html = page::html(&LineBlock { line })?;
    let digest = Sha256::digest(&html);
    let digest = hex::encode(&digest[..8]);
    let etag = HeaderValue::try_from(format!("\"{digest}\""));
    let etag = etag.map_err(|e| Error::Internal(format!("the tag of a fragment: {e}")))?;
    Ok(RoomFragment { etag, html: html.into() })
}
