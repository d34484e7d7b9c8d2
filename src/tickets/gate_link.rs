//! A link that opens a gate for one concert, without the organizer's password. It can scan, count, find tickets and
//! undo its own last scan, until the organizer revokes it or the night is over.

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;

use super::scan::{Place, night_ends};
use crate::audit::Actor;
use crate::events::Event;
use crate::schema::gates;

/// The greatest age of a scan that a device may report. Scans wait on a device until the network is back.
const SCAN_AGE_MAX: TimeDelta = TimeDelta::hours(12);

/// A gate's link, without its token.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = gates)]
pub struct GateLink {
    pub id: i64,
    pub event_id: i64,
    /// "North gate"
    pub name: String,
    /// UTC.
    pub created_at: NaiveDateTime,
    /// UTC.
    pub revoked_at: Option<NaiveDateTime>,
}

/// Why a link no longer works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkEnd {
    Revoked,
    NightIsOver,
}

impl GateLink {
    /// `None`: it works.
    #[must_use]
    pub fn end(&self, event: &Event, now: NaiveDateTime) -> Option<LinkEnd> {
        if self.revoked_at.is_some() {
            return Some(LinkEnd::Revoked);
        }
        (now > night_ends(event)).then_some(LinkEnd::NightIsOver)
    }

    /// The gate as a place to scan at.
    #[must_use]
    pub fn place(self, event: Event, client_address: String) -> Place {
        let actor = Actor { name: format!("gate {}", self.name), client_address };
        Place { event, gate: self.name, gate_id: Some(self.id), actor }
    }
}

/// The time of a scan, from the age in milliseconds that a device reports. A device's clock may be wrong, so
/// it reports an age and not a time; impossible ages are cut.
#[must_use]
pub fn made_at(now: NaiveDateTime, age_ms: &str) -> NaiveDateTime {
    let age = age_ms.parse::<u32>().map_or(TimeDelta::zero(), |age| TimeDelta::milliseconds(age.into()));
    now - age.min(SCAN_AGE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_is_neither_of_the_future_nor_of_last_week() {
        let now = NaiveDateTime::default() + TimeDelta::days(20_000);
        for (age, hours) in [("", 0), ("-1", 0), ("x", 0), ("3600000", 1), ("4000000000", 12), ("1e9", 0)] {
            assert_eq!(made_at(now, age), now - TimeDelta::hours(hours), "{age}");
        }
    }
}
