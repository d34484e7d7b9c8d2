//! The place of somebody who has registered, as its mail in the outbox keeps it.

use serde::{Deserialize, Serialize};

use super::open_room::OpenRoom;
use super::{QueuePlace, rooms};
use crate::events::board::Listing;

/// What the mail with a place says, and which place it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredPlace {
    pub slug: String,
    /// "Midnight Parade, Saturday, June 19, 2027"
    pub concert: String,
    /// When the lobby is drawn: "Friday, May 7, 2027, 10:00 AM CDT". Empty: it is drawn already, or sales
    /// have no start.
    pub draws_at: String,
    pub event_id: i64,
    pub draw: String,
    place: String,
}

impl RegisteredPlace {
    pub(super) fn new(open: &OpenRoom, listing: &Listing, place: &QueuePlace) -> Self {
        let event = &listing.event;
        let sale_start = rooms::sale_start(listing).filter(|_| open.room.opened_at.is_none());
        Self {
            slug: event.slug.clone(),
            concert: format!("{}, {}", event.name, event.date()),
            draws_at: sale_start.map(|at| event.local_time(&at)).unwrap_or_default(),
            event_id: event.id,
            draw: open.room.draw_name().to_owned(),
            place: place.text(),
        }
    }

    /// `None`: it was written by another release.
    #[must_use]
    pub fn place(&self) -> Option<QueuePlace> {
        QueuePlace::parse(&self.place)
    }
}
