//! A concert's poster as a picture of 1200×630 pixels, which other sites show beside a link to the concert.
//!
//! It is drawn here and not by a browser: the sky, the moon and the crowd of the concert's page ([`stage`]), and the
//! facts in the site's own font ([`drawing`], [`lettering`]). The pictures that were drawn last are kept ([`gallery`]).
//!
//! Pictures that an organizer sends do not belong here: see `events::pictures`.

mod canvas;
mod drawing;
pub mod gallery;
mod lettering;
pub mod pages;
mod stage;

use sha2::{Digest as _, Sha256};

use super::{Event, EventState};

/// Raise it whenever the same facts are drawn in another way.
const LOOK: u32 = 2;

/// What stands on a poster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poster {
    pub name: String,
    /// "JUN"
    pub month: String,
    /// "19"
    pub day: String,
    /// "Saturday, June 19, 2027"
    pub date: String,
    /// "8:00 PM CDT"
    pub time: String,
    pub venue: String,
    pub city: String,
    pub is_canceled: bool,
}

impl Poster {
    #[must_use]
    pub fn of(event: &Event) -> Self {
        Self {
            name: event.name.clone(),
            month: event.month().to_uppercase(),
            day: event.day(),
            date: event.date(),
            time: event.time(),
            venue: event.venue.clone(),
            city: event.city.clone(),
            is_canceled: event.state == EventState::Canceled,
        }
    }

    /// Names the picture: the same for the same facts on every server.
    #[must_use]
    pub fn tag(&self) -> String {
        let Self { name, month, day, date, time, venue, city, is_canceled } = self;
        let mut digest = Sha256::new_with_prefix(LOOK.to_be_bytes());
        for text in [name, month, day, date, time, venue, city] {
            digest.update(text.len().to_be_bytes());
            digest.update(text);
        }
        digest.update([u8::from(*is_canceled)]);
        hex::encode(&digest.finalize()[..8])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::tests::event;

    #[test]
    fn every_fact_on_the_poster_changes_its_tag() {
        let tag = |event: &Event| Poster::of(event).tag();
        let plain = event();
        assert_eq!(tag(&plain), tag(&plain.clone()));
        for changed in [
            Event { name: "Another".into(), ..plain.clone() },
            Event { venue: "Elsewhere".into(), ..plain.clone() },
            Event { city: "Elsewhere".into(), ..plain.clone() },
            Event { starts_at: plain.starts_at + chrono::TimeDelta::minutes(1), ..plain.clone() },
            Event { state: EventState::Canceled, ..plain.clone() },
        ] {
            assert_ne!(tag(&changed), tag(&plain), "{changed:?}");
        }
        assert_eq!(tag(&Event { tagline: "Another".into(), ..plain.clone() }), tag(&plain));
    }
}
