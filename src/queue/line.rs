//! The line: how many people have come in each slot, and so how many stand between two positions.
//!
//! These counts decide the pace and the numbers on pages, never the order: a count that is lost or late moves nobody
//! past anybody.

use std::collections::BTreeMap;

use super::draw::Position;

/// The line may be served this many seconds ahead, so that a visitor who comes to an empty room does not
/// wait.
const AHEAD_MAX: i64 = 2;
/// Servers write their arrivals once a second, so the counts of the last seconds may grow.
const UNWRITTEN_SECONDS: i64 = 2;

/// Arrivals by slot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueueLine {
    arrivals: BTreeMap<i64, i64>,
}

impl QueueLine {
    #[must_use]
    pub fn new(arrivals: impl IntoIterator<Item = (i64, i64)>) -> Self {
        Self { arrivals: arrivals.into_iter().collect() }
    }

    /// The same line with newer counts of some slots.
    #[must_use]
    pub fn with(mut self, newer: impl IntoIterator<Item = (i64, i64)>) -> Self {
        self.arrivals.extend(newer);
        self
    }

    /// All who have come.
    #[must_use]
    pub fn len(&self) -> i64 {
        self.arrivals.values().sum()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many were in the lobby.
    #[must_use]
    pub fn lobby(&self) -> i64 {
        self.count(0)
    }

    /// About how many people stand before a position: exact at the starts of slots, and on average within them.
    #[must_use]
    pub fn before(&self, position: Position) -> i64 {
        let slot = position.slot();
        let earlier: i64 = self.arrivals.range(..slot).map(|(_, count)| count).sum();
        earlier + (self.count(slot) as f64 * position.share()).round() as i64
    }

    /// About how many others stand before somebody who has that position, and who is counted in its slot.
    #[must_use]
    pub fn before_place(&self, position: Position) -> i64 {
        let slot = position.slot();
        let others = (self.count(slot) - 1).max(0) as f64;
        self.before(Position::start_of(slot)) + (others * position.share()).round() as i64
    }

    /// The position up to which the line is served after `people` more were served. `now`: the current slot,
    /// which is not over. `may_run_ahead`: whether the next visitor of an empty line is served at once.
    /// Otherwise a slot is served only when all servers have written its arrivals.
    #[must_use]
    pub fn advance(&self, served: Position, people: i64, now: i64, may_run_ahead: bool) -> Position {
        let end = if may_run_ahead { now + 1 + AHEAD_MAX } else { (now - UNWRITTEN_SECONDS).max(1) };
        let end = Position::start_of(end);
        let (mut at, mut rest) = (served, people as f64);
        while at < end && rest > 0.0 {
            let slot = at.slot();
            let expected = self.expected(slot, now);
            if expected == 0 {
                at = self.next_arrivals(slot, now).min(end);
                continue;
            }
            let count = expected as f64;
            let remaining = count * (1.0 - at.share());
            if remaining > rest {
                return at.further(rest / count);
            }
            (at, rest) = (Position::start_of(slot + 1), rest - remaining);
        }
        at.max(served)
    }

    /// The start of the next slot that has people, or in which people may still arrive.
    fn next_arrivals(&self, slot: i64, now: i64) -> Position {
        let known = self.arrivals.range(slot + 1..).find(|(_, count)| **count > 0).map(|(slot, _)| *slot);
        Position::start_of(known.unwrap_or(i64::MAX).min(now.max(slot + 1)))
    }

    /// The expected number of people in a slot. Future slots, and recent ones that not all servers have
    /// written yet, count at least as many as the last slot that all servers have written.
    fn expected(&self, slot: i64, now: i64) -> i64 {
        let written = now - 1 - UNWRITTEN_SECONDS;
        if slot <= written || slot == 0 {
            return self.count(slot);
        }
        let last = if written > 0 { self.count(written) } else { 0 };
        self.count(slot).max(last)
    }

    fn count(&self, slot: i64) -> i64 {
        self.arrivals.get(&slot).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF: u32 = 1 << 31;

    #[test]
    fn people_are_counted_between_positions() {
        let line = QueueLine::new([(0, 1000), (1, 10), (5, 20)]);
        assert_eq!((line.len(), line.lobby()), (1030, 1000));
        assert_eq!(line.before(Position::new(0, HALF)), 500);
        assert_eq!(line.before(Position::start_of(1)), 1000);
        assert_eq!(line.before(Position::start_of(5)), 1010);
        assert_eq!(line.before(Position::new(5, HALF)), 1020);
        assert_eq!(line.before_place(Position::new(0, HALF)), 500);
        assert_eq!(QueueLine::new([(0, 1)]).before_place(Position::new(0, u32::MAX)), 0, "alone");
        assert_eq!(line.with([(5, 40)]).len(), 1050);
    }

    #[test]
    fn as_many_are_served_as_it_says() {
        let line = QueueLine::new([(0, 1000), (1, 10), (5, 20)]);
        let now = 100;
        let served = |from, people| line.before(line.advance(from, people, now, true)) - line.before(from);
        let start = Position::default();
        for people in [0, 1, 499, 500, 999, 1000, 1001, 1010, 1020, 1030] {
            assert!((served(start, people) - people).abs() <= 1, "{people}");
        }
        let half = line.advance(start, 500, now, true);
        assert!((half.share() - 0.5).abs() < 1e-6 && half.slot() == 0, "{half:?}");
        assert_eq!(line.advance(half, 0, now, true), half, "nobody more");
    }

    #[test]
    fn an_empty_line_waits_for_nobody() {
        let ahead = Position::start_of(100 + 1 + AHEAD_MAX);
        assert_eq!(QueueLine::default().advance(Position::default(), 1, 100, true), ahead);
        let served = QueueLine::new([(0, 10)]);
        assert_eq!(served.advance(Position::start_of(1), 5, 100, true), ahead);
        assert_eq!(served.advance(ahead, 5, 50, true), ahead, "a clock that went back serves nobody less");
        assert_eq!(
            QueueLine::default().advance(Position::default(), 0, 100, true),
            Position::default(),
            "stopped"
        );
    }

    /// Under stress, and in the first seconds after a draw: the next visitor waits like everybody.
    #[test]
    fn in_a_rush_nobody_is_served_before_the_counts_are_known() {
        let serve = |line: &QueueLine, from, people, now| line.advance(from, people, now, false);
        let start = Position::default();
        assert_eq!(serve(&QueueLine::default(), start, 50, 100), Position::start_of(98));
        assert_eq!(serve(&QueueLine::default(), start, 50, 1), Position::start_of(1), "just drawn");
        let lobby = QueueLine::new([(0, 100)]);
        assert_eq!(serve(&lobby, start, 50, 1), Position::new(0, HALF), "the lobby is known");
        let rush = QueueLine::new([(97, 40), (98, 40)]);
        assert_eq!(serve(&rush, Position::start_of(97), 99, 100), Position::start_of(98));
        let ahead = Position::start_of(103);
        assert_eq!(serve(&rush, ahead, 99, 100), ahead, "nobody is sent back");
    }

    #[test]
    fn who_comes_in_a_rush_is_let_in_as_the_last_second_foretells() {
        // Forty a second come, and ten a second are served: a quarter of the present second.
        let line = QueueLine::new([(97, 40), (98, 40), (99, 12), (100, 7)]);
        for slot in [99, 100] {
            let served = line.advance(Position::start_of(slot), 10, 100, true);
            assert_eq!(served.slot(), slot);
            assert!((served.share() - 0.25).abs() < 1e-6, "{served:?}");
        }
    }

    #[test]
    fn a_count_that_comes_late_changes_no_order() {
        let early = QueueLine::new([(1, 10), (3, 10)]);
        let served = early.advance(Position::default(), 15, 50, true);
        let late = early.with([(2, 500)]);
        assert!(late.advance(served, 5, 50, true) > served);
    }
}
