//! How many calls the worker makes at once.

use super::call::CallKind;

/// Calls of one kind at once: each takes a thread of the blocking pool.
const CALLS_MIN: usize = 8;
const CALLS_MAX: usize = 64;

/// How many calls of each kind may begin. Each kind has room of its own, so none keeps another one from being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallRoom {
    pub looks: usize,
    pub pages: usize,
    pub refunds: usize,
    pub events: usize,
}

impl CallRoom {
    /// The room while nothing fails. Stripe takes a third of a second or more to answer, and the next calls
    /// are taken up to a quarter of a second later. So the pace is reached only if as many calls may be under
    /// way as have a turn in a second.
    #[must_use]
    pub fn at_pace(per_second: u32) -> Self {
        let calls = usize::try_from(per_second).unwrap_or(usize::MAX).clamp(CALLS_MIN, CALLS_MAX);
        Self { looks: calls, pages: calls, refunds: calls / 2, events: CALLS_MIN / 2 }
    }

    #[must_use]
    pub const fn sum(self) -> usize {
        self.looks + self.pages + self.refunds + self.events
    }

    /// What is left when so many are under way.
    #[must_use]
    pub fn less(self, under_way: &[CallKind]) -> Self {
        let left = |most: usize, kinds: &[CallKind]| {
            most.saturating_sub(under_way.iter().filter(|it| kinds.contains(it)).count())
        };
        Self {
            looks: left(self.looks, &[CallKind::Look]),
            pages: left(self.pages, &[CallKind::Page, CallKind::TooLate]),
            refunds: left(self.refunds, &[CallKind::Refund]),
            events: left(self.events, &[CallKind::Event]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_has_as_many_calls_as_turns_in_a_second_within_limits() {
        let calls = |per_second| CallRoom::at_pace(per_second).pages;
        assert_eq!([1, 8, 25, 1_000].map(calls), [8, 8, 25, 64]);
        let room = CallRoom::at_pace(1).less(&[CallKind::Page, CallKind::TooLate, CallKind::Refund]);
        assert_eq!(room, CallRoom { looks: 8, pages: 6, refunds: 3, events: 4 });
    }
}
