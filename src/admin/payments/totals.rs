//! What has moved money, added up by day and currency.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::admin::store::payments::Movement;
use crate::money::Money;
use crate::payment::store::ledger::EntryKind;
use crate::venue_clock::VenueClock;

/// Sums in one currency.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    currency: String,
    paid_minor: i64,
    /// What went back, disputes among it.
    refunded_minor: i64,
    fees_minor: i64,
}

impl Sums {
    fn add(&mut self, movement: &Movement) {
        match movement.kind {
            EntryKind::Payment => self.paid_minor += movement.amount_minor,
            EntryKind::Fee => self.fees_minor -= movement.amount_minor,
            EntryKind::Refund | EntryKind::RefundFailed | EntryKind::Dispute | EntryKind::DisputeWon => {
                self.refunded_minor -= movement.amount_minor;
            }
        }
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
    /// Adds up what has moved in one mode, by the days of the venue. `live`: real money.
    #[must_use]
    pub fn of(movements: &[Movement], live: bool, clock: VenueClock) -> Self {
        let mut all: BTreeMap<String, Sums> = BTreeMap::new();
        let mut days: BTreeMap<(NaiveDate, String), Sums> = BTreeMap::new();
        for movement in movements.iter().filter(|it| it.live == live) {
            let currency = movement.currency.clone();
            let day = clock.local(&movement.entered_at).date_naive();
            let empty = || Sums { currency: currency.clone(), ..Sums::default() };
            all.entry(currency.clone()).or_insert_with(empty).add(movement);
            days.entry((day, currency.clone())).or_insert_with(empty).add(movement);
        }
        Self {
            all: all.into_values().collect(),
            days: days.into_iter().rev().map(|((day, _), sums)| (day, sums)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_day_of_the_venue_adds_up() {
        let movement = |hour: u32, kind, amount_minor| Movement {
            entered_at: NaiveDate::from_ymd_opt(2026, 11, 28)
                .and_then(|it| it.and_hms_opt(hour, 0, 0))
                .expect("a time"),
            kind,
            amount_minor,
            currency: "USD".into(),
            live: true,
            provider_id: "pi_1".into(),
            reference: "TK-7F3K-9QXM".into(),
            buyer_name: "Ada".into(),
            method: None,
        };
        let movements = [
            movement(3, EntryKind::Payment, 20_000),
            movement(3, EntryKind::Fee, -610),
            movement(12, EntryKind::Refund, -5_000),
            movement(13, EntryKind::RefundFailed, 5_000),
            movement(14, EntryKind::Refund, -2_000),
            Movement { live: false, ..movement(14, EntryKind::Payment, 99) },
        ];
        // 3:00 in London is the day before in Chicago.
        let totals = Totals::of(&movements, true, VenueClock::parse("America/Chicago"));
        let shown = |sums: &Sums| [sums.paid(), sums.refunded(), sums.fees(), sums.net()].map(|it| it.minor);
        assert_eq!(totals.all.iter().map(shown).collect::<Vec<_>>(), [[20_000, 2_000, 610, 17_390]]);
        let days: Vec<_> = totals.days.iter().map(|(day, sums)| (day.to_string(), shown(sums))).collect();
        assert_eq!(
            days,
            [("2026-11-28".into(), [0, 2_000, 0, -2_000]), ("2026-11-27".into(), [20_000, 0, 610, 19_390])]
        );
    }
}
