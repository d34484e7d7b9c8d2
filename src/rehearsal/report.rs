//! What a rehearsal has measured, and what was the bottleneck.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::sale::RehearsedSale;
use super::tally::{BuyerStep, Counts};
use crate::money::grouped;
use crate::reconciliation::Reconciliation;

/// A queue that is this full (0 to 1) means that orders wait for the database.
const QUEUE_IS_LONG: f64 = 0.25;
/// What counts as often, in percent of the measured seconds. A server that is often under stress is
/// overloaded.
const OFTEN_PERCENT: usize = 10;
/// A buyer notices a wait that is longer, in milliseconds.
const SLOW_MS: u32 = 1_000;

/// What a rehearsal has measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RehearsalReport {
    pub buyers: u32,
    pub came: u32,
    pub has_room: bool,
    pub capacity: i64,
    pub booked: u32,
    pub tickets: u32,
    /// Were told that nothing is left.
    pub sold_out: u32,
    pub gave_up: u32,
    /// Still waited at the end.
    pub waiting: u32,
    /// Bookings in the best second.
    pub best_second: u32,
    /// Bookings a second, times ten: the mean from the first booking to the last one.
    pub per_second_tenths: u32,
    /// All attempts, also those that failed.
    pub requests: u32,
    pub booking_ms: Percentiles,
    pub page_ms: Percentiles,
    pub poll_ms: Percentiles,
    pub errors: BTreeMap<String, u32>,
    /// Seconds from the start of the sale to the last booking; `None`: not everything was sold.
    pub sold_out_after: Option<u32>,
    /// What does not add up; empty: everything does.
    pub verify: Vec<String>,
    /// The name in reports of the previous release.
    #[serde(rename = "narrowest")]
    pub bottleneck: Bottleneck,
}

/// How long half, 95 and 99 of a hundred took at most, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Percentiles {
    pub p50: u32,
    pub p95: u32,
    pub p99: u32,
}

/// What a faster sale would need first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bottleneck {
    Nothing,
    Desk,
    Machine,
    OwnBuyers,
    Room,
    Answers,
}

impl Bottleneck {
    fn of(counts: &Counts, booking_ms: Percentiles, poll_ms: Percentiles) -> Self {
        let seconds = counts.strain.len().max(1);
        let often = |count: usize| count * 100 / seconds >= OFTEN_PERCENT;
        let stressed = counts.strain.iter().filter(|it| it.under_stress).count();
        let limited = counts.strain.iter().filter(|it| it.at_room_limit).count();
        if counts.strain.iter().any(|it| it.queue_fill >= QUEUE_IS_LONG) {
            Self::Desk
        } else if often(stressed) || poll_ms.p95 > SLOW_MS {
            // Polls are answered from memory: where they are slow, everything is.
            Self::Machine
        } else if counts.own_lag_ms > SLOW_MS {
            Self::OwnBuyers
        } else if booking_ms.p95 > SLOW_MS {
            Self::Answers
        } else if often(limited) {
            Self::Room
        } else {
            Self::Nothing
        }
    }

    /// In words, and what helps.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Nothing => "None: the site would have served more buyers.",
            Self::Desk => "The database: orders waited for its commits. A faster disk helps, or PostgreSQL.",
            Self::Machine => {
                "The machine: it was at its limit, so even polls were slow or browsers were told to poll less. More cores help, or another server."
            }
            Self::OwnBuyers => {
                "The simulated buyers themselves: they run on the same machine, and it was at its limit. Real buyers use their own devices."
            }
            Self::Room => {
                "The waiting room: it let in as many people per second as its settings allow. Raise that if the other figures leave room."
            }
            Self::Answers => {
                "Bookings were answered slowly, although no queue was long. Look at the database."
            }
        }
    }
}

impl Percentiles {
    /// Computes them from times in microseconds.
    fn of(times: Option<&Vec<u32>>) -> Self {
        let mut times = times.cloned().unwrap_or_default();
        times.sort_unstable();
        let at = |percent: usize| {
            let index = (times.len() * percent).div_ceil(100).saturating_sub(1);
            times.get(index).map_or(0, |micros| micros.div_ceil(1_000))
        };
        Self { p50: at(50), p95: at(95), p99: at(99) }
    }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "half within {} ms, 95 % within {} ms, 99 % within {} ms", self.p50, self.p95, self.p99)
    }
}

impl RehearsalReport {
    pub(super) fn new(
        sale: &RehearsedSale,
        counts: &Counts,
        capacity: i64,
        verified: &Reconciliation,
    ) -> Self {
        let booking_ms = Percentiles::of(counts.times.get(&BuyerStep::Booking));
        let poll_ms = Percentiles::of(counts.times.get(&BuyerStep::Poll));
        let seconds = counts.by_second.keys().next().zip(counts.by_second.keys().next_back());
        let seconds = seconds.map_or(1, |(first, last)| last - first + 1);
        let after = |last: Instant| last.saturating_duration_since(sale.starts()).as_secs();
        let is_sold_out = i64::from(counts.tickets) >= capacity;
        let last = counts.last_booking.filter(|_| is_sold_out);
        Self {
            buyers: sale.buyers,
            came: counts.came,
            has_room: sale.has_room,
            capacity,
            booked: counts.booked,
            tickets: counts.tickets,
            sold_out: counts.sold_out,
            gave_up: counts.gave_up,
            waiting: counts.came - counts.booked - counts.sold_out - counts.gave_up,
            best_second: counts.by_second.values().copied().max().unwrap_or(0),
            per_second_tenths: u32::try_from(u64::from(counts.booked) * 10 / seconds).unwrap_or(u32::MAX),
            requests: counts.requests,
            booking_ms,
            page_ms: Percentiles::of(counts.times.get(&BuyerStep::Page)),
            poll_ms,
            errors: counts.errors.clone(),
            sold_out_after: last.map(|last| u32::try_from(after(last)).unwrap_or(u32::MAX)),
            verify: problems(verified),
            bottleneck: Bottleneck::of(counts, booking_ms, poll_ms),
        }
    }

    /// Bookings a second, as "38.2".
    #[must_use]
    pub fn per_second(&self) -> String {
        format!("{}.{}", self.per_second_tenths / 10, self.per_second_tenths % 10)
    }

    /// Requests that got no answer, or an answer that says "later".
    #[must_use]
    pub fn error_count(&self) -> u32 {
        self.errors.values().sum()
    }
}

fn problems(verified: &Reconciliation) -> Vec<String> {
    let unbalanced = verified.ticket_types.iter().filter(|it| !it.balances());
    let unbalanced = unbalanced.map(|it| format!("{}, {}: does not add up", it.event, it.ticket_type));
    let violations = verified.violations.iter().map(|it| format!("{}: {}", it.what, it.count));
    unbalanced.chain(violations).collect()
}

/// As the command prints it.
impl fmt::Display for RehearsalReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let room = if self.has_room { "with its waiting room" } else { "without a waiting room" };
        writeln!(f, "Buyers       {} of {} came, {room}", grouped(self.came), grouped(self.buyers))?;
        writeln!(
            f,
            "Sold         {} of {} tickets in {} bookings",
            grouped(self.tickets),
            grouped(self.capacity),
            grouped(self.booked)
        )?;
        match self.sold_out_after {
            Some(seconds) => writeln!(f, "Sold out     {seconds} s after the start")?,
            None => writeln!(f, "Sold out     not within the time")?,
        }
        writeln!(
            f,
            "Pace         {} bookings a second, {} in the best",
            self.per_second(),
            self.best_second
        )?;
        writeln!(f, "Booking time {}", self.booking_ms)?;
        writeln!(f, "Page load    {}", self.page_ms)?;
        if self.has_room {
            writeln!(f, "Update       {}", self.poll_ms)?;
        }
        writeln!(
            f,
            "Others       {} were told that nothing is left, {} still waited, {} gave up after errors",
            grouped(self.sold_out),
            grouped(self.waiting),
            grouped(self.gave_up)
        )?;
        writeln!(f, "Errors       {} of {} requests", grouped(self.error_count()), grouped(self.requests))?;
        for (what, count) in &self.errors {
            writeln!(f, "             {what}: {count}")?;
        }
        match self.verify.as_slice() {
            [] => writeln!(f, "Counts       all add up")?,
            problems => problems.iter().try_for_each(|it| writeln!(f, "Counts       WRONG: {it}"))?,
        }
        write!(f, "Bottleneck   {}", self.bottleneck.words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::tally::Strain;

    #[test]
    fn percentiles_are_those_of_the_sorted_times() {
        let times: Vec<u32> = (1..=100).rev().map(|ms| ms * 1_000).collect();
        assert_eq!(Percentiles::of(Some(&times)), Percentiles { p50: 50, p95: 95, p99: 99 });
        assert_eq!(Percentiles::of(Some(&vec![1])), Percentiles { p50: 1, p95: 1, p99: 1 });
        assert_eq!(Percentiles::of(None), Percentiles::default());
    }

    #[test]
    fn the_bottleneck_is_the_first_that_was_over_its_limit() {
        let calm = [Strain::default(); 20];
        let polled = |poll_ms| {
            let counts = Counts { strain: calm.to_vec(), ..Counts::default() };
            let times = |p95| Percentiles { p95, ..Percentiles::default() };
            Bottleneck::of(&counts, times(2_000), times(poll_ms))
        };
        assert_eq!((polled(2_000), polled(20)), (Bottleneck::Machine, Bottleneck::Answers));
        let of = |strain: Strain, own_lag_ms, p95| {
            let mut counts = Counts { strain: calm.to_vec(), own_lag_ms, ..Counts::default() };
            counts.strain.extend([strain; 3]);
            Bottleneck::of(&counts, Percentiles { p95, ..Percentiles::default() }, Percentiles::default())
        };
        let none = Strain::default();
        assert_eq!(of(none, 0, 20), Bottleneck::Nothing);
        assert_eq!(of(Strain { queue_fill: 0.3, under_stress: true, ..none }, 0, 20), Bottleneck::Desk);
        assert_eq!(
            of(Strain { under_stress: true, at_room_limit: true, ..none }, 0, 20),
            Bottleneck::Machine
        );
        assert_eq!(of(Strain { at_room_limit: true, ..none }, 0, 20), Bottleneck::Room);
        assert_eq!(of(none, 2_000, 20), Bottleneck::OwnBuyers);
        assert_eq!(of(none, 0, 2_000), Bottleneck::Answers);
    }
}
