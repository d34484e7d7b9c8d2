//! What pages, mails and calendars say of a concert: when and where it is, on its venue's clock.

use chrono::{DateTime, NaiveDateTime, TimeDelta};
use chrono_tz::Tz;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::Event;
use crate::money::{self, Money};
use crate::venue_clock::VenueClock;

impl Event {
    #[must_use]
    pub fn clock(&self) -> VenueClock {
        VenueClock::parse(&self.time_zone)
    }

    /// The start on the venue's clock.
    #[must_use]
    pub fn local_start(&self) -> DateTime<Tz> {
        self.clock().local(&self.starts_at)
    }

    /// A time (UTC) on the venue's clock: "Thursday, June 3, 2027, 2:04 PM CDT".
    #[must_use]
    pub fn local_time(&self, at: &NaiveDateTime) -> String {
        self.clock().long(at)
    }

    /// "Saturday, June 19, 2027"
    #[must_use]
    pub fn date(&self) -> String {
        self.long_date(&self.starts_at)
    }

    /// The date of a time (UTC) at the venue: "Saturday, June 19, 2027".
    #[must_use]
    pub fn long_date(&self, at: &NaiveDateTime) -> String {
        self.clock().local(at).format("%A, %B %-d, %Y").to_string()
    }

    /// "8:00 PM CDT"
    #[must_use]
    pub fn time(&self) -> String {
        self.clock().hour_minute_zone(&self.starts_at)
    }

    /// What stands before an amount of its currency, for scripts that write totals.
    #[must_use]
    pub fn currency_sign(&self) -> String {
        Money::prefix(&self.currency)
    }

    /// How many decimals its currency has, for scripts that write totals.
    #[must_use]
    pub fn currency_decimals(&self) -> usize {
        money::decimals(&self.currency)
    }

    /// "7:00 PM", when the doors open, if that is known.
    #[must_use]
    pub fn doors(&self) -> Option<String> {
        self.doors_at.map(|at| self.clock().hour_minute(&at))
    }

    /// "8:00 PM to 11:00 PM CDT"; for a show over several days, also the date of its end: "… to Jun 21, 2027,
    /// 2:00 AM CDT".
    #[must_use]
    pub fn hours(&self) -> String {
        let clock = self.clock();
        let is_one_night = self.ends_at - self.starts_at < TimeDelta::days(1);
        let ends =
            if is_one_night { clock.hour_minute_zone(&self.ends_at) } else { clock.minute(&self.ends_at) };
        format!("{} to {ends}", clock.hour_minute(&self.starts_at))
    }

    /// Venue, address and city, as far as they are known: the search text for a map.
    #[must_use]
    pub fn place(&self) -> String {
        let parts = [&self.venue, &self.address, &self.city].map(|part| part.trim());
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    }

    /// Where a map shows it: Google's documented link, which opens the app that a phone has for maps.
    #[must_use]
    pub fn map_url(&self) -> String {
        let place = utf8_percent_encode(&self.place(), NON_ALPHANUMERIC).to_string();
        format!("https://www.google.com/maps/search/?api=1&query={place}")
    }

    /// Which size of letters fits its name: by its length and by its longest word.
    #[must_use]
    pub fn name_size(&self) -> Option<&'static str> {
        let length = self.name.chars().count();
        let longest = self.name.split_whitespace().map(|word| word.chars().count()).max().unwrap_or_default();
        match () {
            () if length > 56 || longest > 18 => Some("longest"),
            () if length > 26 || longest > 10 => Some("long"),
            () if longest > 8 => Some("wide"),
            () => None,
        }
    }

    /// For `<time datetime>`.
    #[must_use]
    pub fn machine_time(&self) -> String {
        self.local_start().to_rfc3339()
    }

    /// "Jun", for the date on the poster.
    #[must_use]
    pub fn month(&self) -> String {
        self.local_start().format("%b").to_string()
    }

    /// "19", for the date on the poster.
    #[must_use]
    pub fn day(&self) -> String {
        self.local_start().format("%-d").to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::tests::event;

    #[test]
    fn a_show_has_hours_a_place_and_a_size_of_letters() {
        let starts_at = DateTime::from_timestamp(1_813_453_200, 0).expect("a time").naive_utc();
        let night = Event { starts_at, ends_at: starts_at + TimeDelta::minutes(210), ..event() };
        assert_eq!(night.hours().replace('\u{a0}', " "), "8:00 PM to 11:30 PM CDT");
        let festival = Event { ends_at: starts_at + TimeDelta::days(2), ..night };
        assert_eq!(festival.hours().replace('\u{a0}', " "), "8:00 PM to Jun 21, 2027, 8:00 PM CDT");
        assert_eq!(Event { doors_at: None, ..event() }.doors(), None);
        let known = Event { venue: "Hall".into(), address: " ".into(), city: "São Paulo".into(), ..event() };
        assert_eq!(known.place(), "Hall, São Paulo");
        assert!(known.map_url().ends_with("&query=Hall%2C%20S%C3%A3o%20Paulo"), "{}", known.map_url());
        let size = |name: &str| Event { name: name.into(), ..event() }.name_size();
        assert_eq!(size("Midnight Parade"), None);
        assert_eq!(size("Northbound Choir"), Some("wide"), "its word is wider than the usual line");
        assert_eq!(size("夜".repeat(20).as_str()), Some("longest"), "one word, as far as anybody can tell");
        assert_eq!(size("Philharmonic"), Some("long"), "its word is long");
        assert_eq!(size("The Night of the Unpronounceable Schottische"), Some("long"));
    }
}
