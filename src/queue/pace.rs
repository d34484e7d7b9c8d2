//! How many people are served in the next second.
//!
//! The pace grows slowly, and falls quickly in each second of high load, as TCP does with a network. It falls
//! no lower than where it began: the load may have other causes than the people who are served. Passes are
//! issued only while fewer are out than one and a half times the tickets that are left.

use super::Flow;

/// The pace at which a line begins, and the slowest pace that load causes: a few requests a second, which any
/// server can carry.
pub const FIRST_PER_SECOND: i32 = 10;
/// Passes for every two tickets that are left: not everybody who is served books.
const PASSES_FOR_TWO: i64 = 3;
/// A line that stood still, because the database was away, catches up for at most this many seconds.
pub const CATCHES_UP_SECONDS: i64 = 10;

/// What there is to serve people with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Supply {
    /// Tickets that nobody has booked or holds.
    pub left: i64,
    /// Tickets that bookings hold for now.
    pub held: i64,
    /// Passes that are good and not used.
    pub passes_out: i64,
    /// People who were served just now and may not have noticed it: each may ask for a pass.
    pub promised: i64,
    /// No ticket type is on sale now: nobody is served.
    pub is_closed: bool,
}

impl Supply {
    /// Nothing is left, and nothing may come back.
    #[must_use]
    pub fn is_sold_out(self) -> bool {
        self.left <= 0 && self.held <= 0
    }

    /// How many more passes may be issued.
    #[must_use]
    pub fn passes_left(self) -> i64 {
        if self.is_closed {
            return 0;
        }
        (self.passes_most() - self.passes_out).max(0)
    }

    /// How many passes may be out at most.
    #[must_use]
    pub fn passes_most(self) -> i64 {
        (self.left.max(0) * PASSES_FOR_TWO + 1) / 2
    }

    /// How many more people may be served, so that each of them finds a pass.
    #[must_use]
    pub fn servable(self) -> i64 {
        (self.passes_left() - self.promised).max(0)
    }
}

/// The pace of the next second, after that of the last one.
#[must_use]
pub fn next_per_second(last: i32, most: i32, is_load_high: bool) -> i32 {
    let next = if is_load_high { (last - last / 4 - 1).max(FIRST_PER_SECOND) } else { last + last / 10 + 1 };
    next.clamp(1, most.max(1))
}

/// The pace as the organizer lets the line move.
#[must_use]
pub fn flowing(per_second: i32, flow: Flow) -> i64 {
    i64::from(match flow {
        Flow::Open => per_second,
        Flow::Slow => (per_second / 4).max(1),
        Flow::Stopped => 0,
    })
}

/// How many people are served now.
#[must_use]
pub fn people_to_serve(per_second: i32, flow: Flow, elapsed_seconds: i64, supply: Supply) -> i64 {
    (flowing(per_second, flow) * elapsed_seconds.clamp(0, CATCHES_UP_SECONDS)).min(supply.servable())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_grows_in_calm_and_falls_under_load() {
        let mut pace = FIRST_PER_SECOND;
        for _ in 0..60 {
            pace = next_per_second(pace, 200, false);
        }
        assert_eq!(pace, 200, "within a minute");
        let loaded = next_per_second(pace, 200, true);
        assert_eq!(loaded, 149);
        let lowest = (0..60).fold(loaded, |pace, _| next_per_second(pace, 200, true));
        assert_eq!(lowest, FIRST_PER_SECOND, "a thousand people wait for minutes, not for hours");
        assert_eq!(next_per_second(5, 5, true), 5, "the organizer wants it slower");
        assert_eq!(next_per_second(200, 50, false), 50, "the organizer has lowered it");
    }

    #[test]
    fn no_more_passes_are_out_than_one_and_a_half_times_what_is_left() {
        let supply = |left, passes_out| Supply { left, passes_out, ..Supply::default() };
        for (left, passes_out, more) in
            [(100, 0, 150), (100, 149, 1), (100, 150, 0), (100, 999, 0), (1, 0, 2), (0, 0, 0)]
        {
            assert_eq!(supply(left, passes_out).passes_left(), more, "{left} left, {passes_out} out");
            assert!(people_to_serve(1000, Flow::Open, 1, supply(left, passes_out)) <= more);
        }
    }

    #[test]
    fn who_is_served_and_has_not_asked_counts_as_a_pass() {
        let supply = |promised| Supply { left: 20, passes_out: 5, promised, ..Supply::default() };
        let served = |promised| people_to_serve(50, Flow::Open, 1, supply(promised));
        assert_eq!([served(0), served(10), served(25), served(99)], [25, 15, 0, 0]);
        assert_eq!(supply(99).passes_left(), 25, "and finds one");
    }

    #[test]
    fn the_organizer_slows_and_stops_the_line() {
        let plenty = Supply { left: 10_000, ..Supply::default() };
        let served = |flow, seconds| people_to_serve(40, flow, seconds, plenty);
        assert_eq!([served(Flow::Open, 1), served(Flow::Slow, 1), served(Flow::Stopped, 1)], [40, 10, 0]);
        assert_eq!(people_to_serve(1, Flow::Slow, 1, plenty), 1);
        assert_eq!(served(Flow::Open, 0), 0);
        assert_eq!(served(Flow::Open, 7), 280, "what it missed while the database was away");
        assert_eq!(served(Flow::Open, 3600), 400, "but not of an hour");
    }

    #[test]
    fn what_is_held_may_come_back() {
        let held = Supply { held: 3, ..Supply::default() };
        assert!(!held.is_sold_out() && held.passes_left() == 0);
        assert!(Supply::default().is_sold_out());
    }

    #[test]
    fn a_paused_sale_serves_nobody_and_is_not_sold_out() {
        let paused = Supply { left: 100, is_closed: true, ..Supply::default() };
        assert!(!paused.is_sold_out());
        assert_eq!(people_to_serve(40, Flow::Open, 1, paused), 0);
    }
}
