//! How slowly a client may read.

use std::time::{Duration, Instant};

/// A client that takes less than this for long is disconnected. The slowest mobile networks carry several times as
/// much.
const BYTES_PER_SECOND_MIN: u32 = 1024;

/// How much longer a client may leave a response unread. The time in which it takes nothing is used up, each byte that
/// it takes gives some back, and there is never more than at the beginning. So a large file over a slow line arrives,
/// and a client that takes a little now and then does not stay.
pub(super) struct ReadPace {
    most: Duration,
    left: Duration,
    blocked_since: Option<Instant>,
}

impl ReadPace {
    pub(super) fn new(most: Duration) -> Self {
        Self { most, left: most, blocked_since: None }
    }

    /// Called when the client takes nothing. Returns until when that may last.
    pub(super) fn deadline(&mut self, now: Instant) -> Instant {
        *self.blocked_since.get_or_insert(now) + self.left
    }

    /// The client has taken that many bytes.
    pub(super) fn took(&mut self, bytes: usize) {
        if let Some(since) = self.blocked_since.take() {
            self.left = self.left.saturating_sub(since.elapsed());
        }
        if self.left < self.most {
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            let given_back = Duration::from_secs(1) * bytes / BYTES_PER_SECOND_MIN;
            self.left = self.most.min(self.left + given_back);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Duration = Duration::from_secs(30);

    /// For how long a client stays that takes that many bytes after each pause, up to a day.
    fn stays(bytes: usize, pause: u64) -> u64 {
        let mut pace = ReadPace::new(MOST);
        let mut seconds = 0;
        while seconds < 24 * 3600 {
            let Some(since) = Instant::now().checked_sub(Duration::from_secs(pause)) else { break };
            // It is cut off in the middle of the pause.
            if pace.deadline(since) < since + Duration::from_secs(pause) {
                return seconds;
            }
            pace.took(bytes);
            seconds += pause;
        }
        seconds
    }

    #[test]
    fn a_slow_line_is_served_and_a_trickle_is_not() {
        assert!(stays(16 * 1024, 8) >= 24 * 3600, "2 KiB a second");
        assert!(stays(1200, 1) >= 24 * 3600);
        assert!(stays(1, 29) < 60, "a byte before each time-out");
        assert!(stays(500, 1) < 120);
        assert!(stays(1_000_000, 31) == 0, "nothing for too long");
    }
}
