//! The movements of a concert's money, added up by day and currency.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::admin::store::ledger::QuarterTotal;
use crate::money::Money;
use crate::sales::history::time_of;
use crate::venue_clock::VenueClock;

/// Sums in one currency.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    currency: String,
    paid_minor: i64,
    /// What went back, including disputes.
    refunded_minor: i64,
    fees_minor: i64,
}

impl Sums {
    fn add(&mut self, part: &QuarterTotal) {
        self.paid_minor += part.paid;
        self.refunded_minor += part.back;
        self.fees_minor += part.fees;
    }

    #[must_use]
    pub fn paid(&self) -> Money {
        Money::new(self.paid_minor, &self.currency)
    }

    #[must_use]
    pub fn refunded(&self) -> Money {
        Money::new(self.refunded_minor, &self.currency)
    }

    #[must_use]
    pub fn fees(&self) -> Money {
        Money::new(self.fees_minor, &self.currency)
    }

    /// What is left for the seller.
    #[must_use]
    pub fn net(&self) -> Money {
        Money::new(self.paid_minor - self.refunded_minor - self.fees_minor, &self.currency)
    }
}

/// The sums of a concert.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// By currency: nearly always one.
    pub all: Vec<Sums>,
    /// The newest day first.
    pub days: Vec<(NaiveDate, Sums)>,
}

impl Totals {
    /// Adds up the movements, by the days of the venue.
    #[must_use]
    pub fn of(parts: &[QuarterTotal], clock: VenueClock) -> Self {
        let mut all: BTreeMap<String, Sums> = BTreeMap::new();
        let mut days: BTreeMap<(NaiveDate, String), Sums> = BTreeMap::new();
        for part in parts {
            let currency = part.currency.clone();
            let day = clock.local(&time_of(part.minute)).date_naive();
            let empty = || Sums { currency: currency.clone(), ..Sums::default() };
            all.entry(currency.clone()).or_insert_with(empty).add(part);
            days.entry((day, currency.clone())).or_insert_with(empty).add(part);
        }
        Self {
            all: all.into_values().collect(),
            days: days.into_iter().rev().map(|((day, _), sums)| (day, sums)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::sales::history::minute_of;

    #[test]
    fn each_day_of_the_venue_adds_up() {
        let part = |time: &str, [paid, back, fees]: [i64; 3]| {
            let at = DateTime::parse_from_rfc3339(&format!("2026-11-28T{time}:00Z")).expect("a time");
            QuarterTotal { minute: minute_of(at.naive_utc()), currency: "USD".into(), paid, back, fees }
        };
        let parts =
            [part("05:45", [20_000, 0, 610]), part("06:00", [0, 5_000, 0]), part("14:00", [0, -3_000, 0])];
        // Midnight in Chicago is 6:00 in London.
        let totals = Totals::of(&parts, VenueClock::parse("America/Chicago"));
        let shown = |sums: &Sums| [sums.paid(), sums.refunded(), sums.fees(), sums.net()].map(|it| it.minor);
        assert_eq!(totals.all.iter().map(shown).collect::<Vec<_>>(), [[20_000, 2_000, 610, 17_390]]);
        let days: Vec<_> = totals.days.iter().map(|(day, sums)| (day.to_string(), shown(sums))).collect();
        assert_eq!(
            days,
            [("2026-11-28".into(), [0, 2_000, 0, -2_000]), ("2026-11-27".into(), [20_000, 0, 610, 19_390])]
        );
    }
}
