//! The secret part of a link to a place: the place, sealed for its draw.

use super::{QueuePlace, Room};
use crate::guard::sealing::Sealer;
use crate::guard::secret::{Purpose, Secrets};

/// Makes and reads the links to places.
#[derive(Clone)]
pub struct PlaceLinks {
    sealer: Sealer,
}

impl PlaceLinks {
    #[must_use]
    pub fn new(secrets: &Secrets) -> Self {
        Self { sealer: Sealer::new(secrets, Purpose::QueuePlaceLinks) }
    }

    /// The link's last part.
    #[must_use]
    pub fn token(&self, room: &Room, place: &QueuePlace) -> String {
        self.token_of(room.event_id, room.draw_name(), place)
    }

    /// As [`PlaceLinks::token`], for a caller that knows only the name of the draw.
    #[must_use]
    pub fn token_of(&self, event_id: i64, draw: &str, place: &QueuePlace) -> String {
        self.sealer.seal_for_url(&name(event_id, draw), &place.text())
    }

    /// The place of a link; `None`: it is no link of this draw.
    #[must_use]
    pub fn open(&self, room: &Room, token: &str) -> Option<QueuePlace> {
        QueuePlace::parse(&self.sealer.open_from_url(&name(room.event_id, room.draw_name()), token)?)
    }
}

/// What the seal is bound to: a link is good for its draw only.
fn name(event_id: i64, draw: &str) -> String {
    format!("place-{event_id}-{draw}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::tests::{at, room};

    #[test]
    fn a_link_keeps_a_place_of_its_own_draw() {
        let links = PlaceLinks::new(&"a secret".into());
        let place = QueuePlace::generate(at(5));
        let token = links.token(&room(), &place);
        assert_eq!(links.open(&room(), &token), Some(place.clone()));
        let again = Room { seed_hash: "0".repeat(64), ..room() };
        assert_eq!(links.open(&again, &token), None, "of an earlier draw");
        assert_eq!(links.open(&Room { event_id: 2, ..room() }, &token), None, "of another concert");
        let foreign = PlaceLinks::new(&"another".into()).token(&room(), &place);
        for bad in ["", "x", &token[1..], &foreign, &"A".repeat(2000), &place.text()] {
            assert_eq!(links.open(&room(), bad), None, "{bad}");
        }
    }
}
