//! Replica lag, measured by WAL positions.
//!
//! The time stamp of the last replayed transaction is not enough: on a quiet primary it grows old though nothing is
//! missing. So the primary's WAL positions are recorded with their times. The oldest position that a replica has
//! not reached tells since when it is behind.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::MAX_LAG;

/// PostgreSQL's WAL page size, in the usual build.
const PAGE: i64 = 8192;

/// The primary's WAL positions over time.
pub(super) struct Positions {
    /// The first position.
    start: (Instant, i64),
    /// Oldest first, strictly increasing.
    noted: VecDeque<(Instant, i64)>,
}

impl Positions {
    pub(super) fn new(at: Instant, position: i64) -> Self {
        Self { start: (at, position), noted: VecDeque::new() }
    }

    /// Records the primary's WAL position in bytes.
    pub(super) fn note(&mut self, at: Instant, position: i64) {
        let last = self.noted.back().map_or(self.start.1, |(_, last)| *last);
        // The position went back: a restored backup, or another primary. The recorded positions are of another WAL.
        if position < last {
            *self = Self::new(at, position);
        }
        // At the end of a page the flush position may be in the middle of a record of an open transaction. A replica
        // cannot replay half a record; a commit ends with a whole one.
        if position > last && position % PAGE != 0 {
            self.noted.push_back((at, position));
        }
        // If the second is too old, a replica behind the first is over the limit anyway.
        while self.noted.get(1).is_some_and(|(then, _)| at.duration_since(*then) > MAX_LAG) {
            self.noted.pop_front();
        }
    }

    /// Whether a replica has replayed everything before the first position.
    pub(super) fn is_past_start(&self, replayed: i64) -> bool {
        replayed >= self.start.1
    }

    /// The lag of a replica that has replayed up to a position: zero if it has replayed everything that is known. It
    /// is never too high, and too low by at most the time between two records.
    pub(super) fn lag(&self, replayed: i64, now: Instant) -> Duration {
        let missing = std::iter::once(&self.start).chain(&self.noted).find(|(_, there)| *there > replayed);
        missing.map_or(Duration::ZERO, |(at, _)| now.saturating_duration_since(*at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_replica_is_behind_since_the_first_position_that_it_has_not_reached() {
        let start = Instant::now();
        let mut positions = Positions::new(start, 100);
        positions.note(start + SECOND, 200);
        positions.note(start + SECOND * 2, 300);
        let lag = |replayed| positions.lag(replayed, start + SECOND * 5);
        assert_eq!(
            [lag(99), lag(100), lag(250), lag(300)],
            [SECOND * 5, SECOND * 4, SECOND * 3, Duration::ZERO]
        );
        assert!(positions.is_past_start(100) && !positions.is_past_start(99));
    }

    #[test]
    fn on_a_quiet_primary_nobody_falls_behind() {
        let start = Instant::now();
        let mut positions = Positions::new(start, 100);
        for second in 0..1000 {
            positions.note(start + SECOND * second, 100);
        }
        assert_eq!(positions.lag(100, start + SECOND * 1000), Duration::ZERO);
        assert_eq!(positions.lag(99, start + SECOND * 1000), SECOND * 1000);
    }

    #[test]
    fn half_a_record_is_nothing_to_be_behind() {
        let start = Instant::now();
        let mut positions = Positions::new(start, 100);
        positions.note(start + SECOND, PAGE * 3);
        assert_eq!(positions.lag(100, start + SECOND * 9), Duration::ZERO);
        positions.note(start + SECOND * 2, PAGE * 3 + 8);
        assert_eq!(positions.lag(100, start + SECOND * 9), SECOND * 7);
    }

    #[test]
    fn what_is_too_old_is_forgotten_and_the_lag_stays_too_long() {
        let start = Instant::now();
        let mut positions = Positions::new(start, 100);
        for second in 0..1000 {
            positions.note(start + SECOND * second, 100 + i64::from(second));
        }
        assert!(positions.noted.len() <= 4, "{}", positions.noted.len());
        assert!(positions.lag(101, start + SECOND * 999) > MAX_LAG);
        positions.note(start + SECOND * 1000, 50);
        assert_eq!(positions.lag(50, start + SECOND * 1000), Duration::ZERO, "another primary");
        assert!(positions.is_past_start(50) && !positions.is_past_start(49));
    }
}
