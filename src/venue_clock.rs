//! Times as people read them on a venue's clock, and as programs read them. The database holds UTC.

use chrono::{DateTime, NaiveDateTime, SecondsFormat};
use chrono_tz::Tz;

/// A venue's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VenueClock(pub Tz);

impl VenueClock {
    /// `zone`: a name of the IANA database. The clock shows UTC when the name is unknown.
    #[must_use]
    pub fn parse(zone: &str) -> Self {
        Self(zone.parse().unwrap_or(Tz::UTC))
    }

    /// "Nov 25, 2026, 1:05:09 PM CST"
    #[must_use]
    pub fn second(&self, at: &NaiveDateTime) -> String {
        self.local(at).format("%b %-d, %Y, %-I:%M:%S %p %Z").to_string()
    }

    /// "Nov 25, 2026, 1:05 PM CST"
    #[must_use]
    pub fn minute(&self, at: &NaiveDateTime) -> String {
        self.local(at).format("%b %-d, %Y, %-I:%M %p %Z").to_string()
    }

    /// "Wednesday, November 25, 2026, 1:05 PM CST"
    #[must_use]
    pub fn long(&self, at: &NaiveDateTime) -> String {
        self.local(at).format("%A, %B %-d, %Y, %-I:%M %p %Z").to_string()
    }

    /// "1:05 PM", for what happens soon.
    #[must_use]
    pub fn hour_minute(&self, at: &NaiveDateTime) -> String {
        self.local(at).format("%-I:%M %p").to_string()
    }

    /// "1:05:09 PM", for what happens today.
    #[must_use]
    pub fn time_of_day(&self, at: &NaiveDateTime) -> String {
        self.local(at).format("%-I:%M:%S %p").to_string()
    }

    /// "Nov 25, 1:05 PM", for lists of recent times.
    #[must_use]
    pub fn short(&self, at: &NaiveDateTime) -> String {
        self.local(at).format("%b %-d, %-I:%M %p").to_string()
    }

    /// "2026-11-25 19:05:09 UTC"
    #[must_use]
    pub fn utc(&self, at: &NaiveDateTime) -> String {
        at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
    }

    /// RFC 3339 in UTC: "2026-11-25T19:05:09Z".
    #[must_use]
    pub fn iso(&self, at: &NaiveDateTime) -> String {
        at.and_utc().to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    /// The time in the venue's zone.
    #[must_use]
    pub fn local(&self, at: &NaiveDateTime) -> DateTime<Tz> {
        at.and_utc().with_timezone(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_on_the_venues_clock_and_in_utc() {
        let at = DateTime::from_timestamp(1_795_633_509, 0).expect("a time").naive_utc();
        let clock = VenueClock::parse("America/Chicago");
        assert_eq!(clock.second(&at), "Nov 25, 2026, 1:05:09 PM CST");
        assert_eq!(clock.minute(&at), "Nov 25, 2026, 1:05 PM CST");
        assert_eq!(clock.long(&at), "Wednesday, November 25, 2026, 1:05 PM CST");
        assert_eq!(clock.time_of_day(&at), "1:05:09 PM");
        assert_eq!(clock.short(&at), "Nov 25, 1:05 PM");
        assert_eq!(clock.utc(&at), "2026-11-25 19:05:09 UTC");
        assert_eq!(clock.iso(&at), "2026-11-25T19:05:09Z");
        assert_eq!(VenueClock::parse("Atlantis/Poseidonis"), VenueClock(Tz::UTC));
    }
}
