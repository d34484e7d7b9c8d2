//! Times as people read them on a venue's clock, and as programs read them. The database holds UTC.
//! No-break spaces keep a time of day on one line.

use chrono::{DateTime, NaiveDateTime, SecondsFormat};
use chrono_tz::Tz;

/// Names that [`VenueClock::place`] would get wrong or leave without their accents.
const PLACES: [(&str, &str); 16] = [
    ("America/Asuncion", "Asunción"),
    ("America/Belem", "Belém"),
    ("America/Bogota", "Bogotá"),
    ("America/Cuiaba", "Cuiabá"),
    ("America/Maceio", "Maceió"),
    ("America/Noronha", "Fernando de Noronha"),
    ("America/Sao_Paulo", "São Paulo"),
    ("Antarctica/DumontDUrville", "Dumont d’Urville"),
    ("Asia/Ho_Chi_Minh", "Ho Chi Minh City"),
    ("Asia/Saigon", "Ho Chi Minh City"),
    ("Asia/Jerusalem", "Israel"),
    ("Asia/Calcutta", "India"),
    ("Asia/Kolkata", "India"),
    ("Asia/Shanghai", "China"),
    ("Brazil/East", "São Paulo"),
    ("Indian/Reunion", "Réunion"),
];

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
        self.with_zone(at, "%b %-d, %Y, %-I:%M:%S\u{a0}%p")
    }

    /// "Nov 25, 2026, 1:05 PM CST"
    #[must_use]
    pub fn minute(&self, at: &NaiveDateTime) -> String {
        self.with_zone(at, "%b %-d, %Y, %-I:%M\u{a0}%p")
    }

    /// "Wednesday, November 25, 2026, 1:05 PM CST"
    #[must_use]
    pub fn long(&self, at: &NaiveDateTime) -> String {
        self.with_zone(at, "%A, %B %-d, %Y, %-I:%M\u{a0}%p")
    }

    /// "1:05 PM CST"
    #[must_use]
    pub fn hour_minute_zone(&self, at: &NaiveDateTime) -> String {
        self.with_zone(at, "%-I:%M\u{a0}%p")
    }

    /// "1:05 PM"
    #[must_use]
    pub fn hour_minute(&self, at: &NaiveDateTime) -> String {
        self.local(at).format("%-I:%M\u{a0}%p").to_string()
    }

    /// "1:05:09 PM", for what happens today.
    #[must_use]
    pub fn time_of_day(&self, at: &NaiveDateTime) -> String {
        self.local(at).format("%-I:%M:%S\u{a0}%p").to_string()
    }

    /// "Nov 25, 1:05 PM CST", for lists whose rows may be of several venues.
    #[must_use]
    pub fn short_zone(&self, at: &NaiveDateTime) -> String {
        self.with_zone(at, "%b %-d, %-I:%M\u{a0}%p")
    }

    /// "Nov 25, 1:05 PM"
    #[must_use]
    pub fn short(&self, at: &NaiveDateTime) -> String {
        self.local(at).format("%b %-d, %-I:%M\u{a0}%p").to_string()
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

    fn with_zone(self, at: &NaiveDateTime, format: &str) -> String {
        let local = self.local(at);
        let time = local.format(format);
        match self.abbreviation(&local) {
            Some(abbreviation) => format!("{time}\u{a0}{abbreviation}"),
            None => format!("{time} {}", self.place()),
        }
    }

    /// "CST". `None` where the zone has none but its offset ("-03"), and where an American reader would take it for
    /// another zone: China, Cuba, India, Ireland, Israel and the Philippines share theirs with others.
    fn abbreviation(self, local: &DateTime<Tz>) -> Option<String> {
        let name = self.0.name();
        let abbreviation = local.format("%Z").to_string();
        let is_american =
            !["Asia/", "America/Havana", "Cuba", "PRC", "ROC"].iter().any(|it| name.starts_with(it));
        let is_clear = match abbreviation.as_str() {
            "IST" => false,
            "CST" | "CDT" | "PST" | "PDT" => is_american,
            other => other.bytes().all(|byte| byte.is_ascii_alphabetic()),
        };
        is_clear.then_some(abbreviation)
    }

    /// "São Paulo time", by the zone's own name: its city, country or island. "UTC-3" where the zone is only an offset.
    fn place(self) -> String {
        let name = self.0.name();
        let city = || name.rsplit('/').next().unwrap_or(name).replace('_', " ");
        let place =
            PLACES.iter().find(|(zone, _)| *zone == name).map_or_else(city, |(_, place)| (*place).into());
        match name.strip_prefix("Etc/GMT") {
            // POSIX counts these the other way round: Etc/GMT+3 is three hours behind UTC.
            Some(hours) if hours.starts_with('+') => format!("UTC{}", hours.replace('+', "-")),
            Some(hours) => format!("UTC{}", hours.replace('-', "+")),
            None => format!("{} time", place).replace(' ', "\u{a0}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_on_the_venues_clock_and_in_utc() {
        let at = DateTime::from_timestamp(1_795_633_509, 0).expect("a time").naive_utc();
        let clock = VenueClock::parse("America/Chicago");
        let spaced = |text: String| text.replace('\u{a0}', " ");
        assert_eq!(spaced(clock.second(&at)), "Nov 25, 2026, 1:05:09 PM CST");
        assert_eq!(spaced(clock.minute(&at)), "Nov 25, 2026, 1:05 PM CST");
        assert_eq!(spaced(clock.long(&at)), "Wednesday, November 25, 2026, 1:05 PM CST");
        assert_eq!(spaced(clock.short(&at)), "Nov 25, 1:05 PM");
        assert_eq!(clock.time_of_day(&at), "1:05:09\u{a0}PM");
        assert_eq!(clock.hour_minute_zone(&at), "1:05\u{a0}PM\u{a0}CST", "it stays on one line");
        assert_eq!(spaced(clock.short_zone(&at)), "Nov 25, 1:05 PM CST");
        assert_eq!(clock.utc(&at), "2026-11-25 19:05:09 UTC");
        assert_eq!(clock.iso(&at), "2026-11-25T19:05:09Z");
        assert_eq!(VenueClock::parse("Atlantis/Poseidonis"), VenueClock(Tz::UTC));
    }

    #[test]
    fn a_zone_has_a_name_that_people_know() {
        let at = DateTime::from_timestamp(1_795_633_509, 0).expect("a time").naive_utc();
        for (zone, time) in [
            ("Europe/Berlin", "8:05 PM CET"),
            ("Asia/Tokyo", "4:05 AM JST"),
            ("UTC", "7:05 PM UTC"),
            ("America/Sao_Paulo", "4:05 PM São Paulo time"),
            ("America/Argentina/Buenos_Aires", "4:05 PM Buenos Aires time"),
            ("Asia/Dubai", "11:05 PM Dubai time"),
            ("Asia/Kathmandu", "12:50 AM Kathmandu time"),
            ("Asia/Kolkata", "12:35 AM India time"),
            ("Asia/Manila", "3:05 AM Manila time"),
            ("Asia/Shanghai", "3:05 AM China time"),
            ("America/Havana", "2:05 PM Havana time"),
            ("Etc/GMT+3", "4:05 PM UTC-3"),
        ] {
            let text = VenueClock::parse(zone).hour_minute_zone(&at).replace('\u{a0}', " ");
            assert_eq!(text, time, "{zone}");
        }
        // No zone in the database is shown by a bare offset.
        for zone in chrono_tz::TZ_VARIANTS {
            for month in [0, 183] {
                let text = VenueClock(zone).hour_minute_zone(&(at + chrono::TimeDelta::days(month)));
                let name = text.split_once("M\u{a0}").or(text.split_once("M ")).expect("a name").1;
                assert!(
                    !name.contains(['0', '1', '2', '4', '5', '7', '8', '9']) || name.starts_with("UTC"),
                    "{text}"
                );
            }
        }
    }
}
