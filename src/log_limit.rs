//! Limits log lines about events that anybody can cause as often as they like: a few a minute, and a count of
//! those left out.

use std::num::NonZeroU32;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use governor::clock::MonotonicClock;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

/// One for each kind of line, for the whole process.
pub struct LineLimit {
    limiter: LazyLock<RateLimiter<NotKeyed, InMemoryState, MonotonicClock>>,
    /// How many events had no line since the last count was taken.
    left_out: AtomicU64,
}

impl LineLimit {
    /// As many lines as `limiter` lets through: see [`a_minute`].
    #[must_use]
    pub const fn new(limiter: fn() -> RateLimiter<NotKeyed, InMemoryState, MonotonicClock>) -> Self {
        Self { limiter: LazyLock::new(limiter), left_out: AtomicU64::new(0) }
    }

    /// Whether this event gets a line. If not, it is counted.
    #[must_use]
    pub fn is_due(&self) -> bool {
        let is_due = self.limiter.check().is_ok();
        if !is_due {
            self.leave_out();
        }
        is_due
    }

    /// Counts an event without a line.
    pub fn leave_out(&self) {
        self.left_out.fetch_add(1, Ordering::Relaxed);
    }

    /// How many events had no line since the last call.
    #[must_use]
    pub fn take_left_out(&self) -> u64 {
        self.left_out.swap(0, Ordering::Relaxed)
    }
}

/// A limiter of so many lines a minute.
#[must_use]
pub fn a_minute(lines: NonZeroU32) -> RateLimiter<NotKeyed, InMemoryState, MonotonicClock> {
    RateLimiter::direct_with_clock(Quota::per_minute(lines), MonotonicClock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_line_is_counted() {
        let limit = LineLimit::new(|| a_minute(NonZeroU32::new(2).unwrap()));
        assert_eq!(
            [limit.is_due(), limit.is_due(), limit.is_due(), limit.is_due()],
            [true, true, false, false]
        );
        assert_eq!((limit.take_left_out(), limit.take_left_out()), (2, 0));
    }
}
