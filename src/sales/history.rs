//! When the tickets of a concert were sold, by the venue's clock: the first hours by minute, everything by day.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use serde::{Deserialize, Serialize};

use crate::venue_clock::VenueClock;

/// How long the sale is shown by minute.
pub const FIRST_MINUTES: i64 = 180;
const SECONDS_PER_MINUTE: i64 = 60;

/// Tickets that were not given back, by when their bookings were confirmed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SalesHistory {
    /// The first minute of the sale, in minutes since 1970 (UTC).
    pub begins: Option<i64>,
    /// Minutes since the first one, and what was sold in each. Minutes without a sale are left out.
    pub minutes: Vec<(i64, i64)>,
    /// Days at the venue, and what was sold on each. Days without a sale are left out.
    pub days: Vec<(NaiveDate, i64)>,
}

/// What was sold at a time: a minute since 1970 (UTC), and tickets. After the first hours times are rounded
/// down to quarters of an hour, because the offset of every time zone is a multiple of that.
pub type SoldAt = (i64, i64);

impl SalesHistory {
    #[must_use]
    pub fn new(begins: Option<i64>, sold: &[SoldAt], clock: VenueClock) -> Self {
        let Some(first) = begins else { return Self::default() };
        let (mut minutes, mut days) = (BTreeMap::new(), BTreeMap::new());
        for &(minute, tickets) in sold {
            if (first..first + FIRST_MINUTES).contains(&minute) {
                *minutes.entry(minute - first).or_default() += tickets;
            }
            let day = clock.local(&time_of(minute)).date_naive();
            *days.entry(day).or_default() += tickets;
        }
        let is_sale = |(_, tickets): &(_, i64)| *tickets > 0;
        Self {
            begins,
            minutes: minutes.into_iter().filter(is_sale).collect(),
            days: days.into_iter().filter(|(_, tickets)| *tickets > 0).collect(),
        }
    }
}

/// The minute since 1970 of a time in UTC.
#[must_use]
pub fn minute_of(at: NaiveDateTime) -> i64 {
    at.and_utc().timestamp().div_euclid(SECONDS_PER_MINUTE)
}

/// The time in UTC of a minute since 1970.
#[must_use]
pub fn time_of(minute: i64) -> NaiveDateTime {
    let time = DateTime::from_timestamp(minute.saturating_mul(SECONDS_PER_MINUTE), 0);
    time.unwrap_or_default().naive_utc()
}
