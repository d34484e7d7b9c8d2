//! Ticket types that somebody keeps locked: in an organizer's psql, or on a server that is frozen. The desk leaves them
//! out so that the others sell on, and checks less and less often whether they are free.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// The first and the longest time for which a ticket type is left out. Each check may take 0.2 s, in which nothing is
/// booked.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(3);

#[derive(Default)]
pub(super) struct LockedTypes(HashMap<i64, LeftOut>);

struct LeftOut {
    until: Instant,
    /// The next time is twice as long.
    after_that: Duration,
}

impl LockedTypes {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn contains(&self, id: i64) -> bool {
        self.0.contains_key(&id)
    }

    /// Whether it is time to look at a ticket type again.
    pub(super) fn is_due(&self, id: i64, now: Instant) -> bool {
        self.0.get(&id).is_some_and(|left_out| left_out.until <= now)
    }

    /// The ticket type is locked, perhaps still.
    pub(super) fn note(&mut self, id: i64, now: Instant) {
        let wait = self.0.get(&id).map_or(FIRST, |left_out| left_out.after_that);
        self.0.insert(id, LeftOut { until: now + wait, after_that: (wait * 2).min(LONGEST) });
    }

    /// It is free again.
    pub(super) fn remove(&mut self, id: i64) {
        self.0.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_type_is_left_out_for_longer_and_longer() {
        let mut locked = LockedTypes::default();
        let mut now = Instant::now();
        for wait_ms in [500, 1000, 2000, 3000, 3000] {
            locked.note(7, now);
            assert!(!locked.is_due(7, now + Duration::from_millis(wait_ms - 1)));
            now += Duration::from_millis(wait_ms);
            assert!(locked.is_due(7, now) && locked.contains(7) && !locked.is_due(8, now));
        }
        locked.remove(7);
        assert!(locked.is_empty());
        locked.note(7, now);
        assert!(locked.is_due(7, now + FIRST), "it starts over");
    }
}
