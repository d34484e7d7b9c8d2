//! Decides whom a refusal concerns if its words do not say so. If the server has accepted another mail since,
//! and refuses this mail again, the refusal concerns this mail alone.

use std::collections::HashMap;

use tokio::time::Instant;

/// Most refused mails that are remembered. One that is forgotten is tried again.
const REMEMBERED_MAX: usize = 10_000;

/// What was refused, and when the server has accepted a mail last.
#[derive(Default)]
pub struct Doubts {
    refused: HashMap<i64, Instant>,
    accepted_at: Option<Instant>,
}

impl Doubts {
    /// A mail was accepted.
    pub fn accepted(&mut self, id: i64, now: Instant) {
        self.refused.remove(&id);
        self.accepted_at = Some(now);
    }

    /// A mail was refused. Returns whether that concerns this mail alone.
    pub fn refused(&mut self, id: i64, now: Instant) -> bool {
        if self.refused.len() >= REMEMBERED_MAX {
            self.refused.clear();
        }
        let before = self.refused.insert(id, now);
        before.is_some_and(|before| self.accepted_at.is_some_and(|accepted| accepted > before))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_refusal_concerns_its_mail_when_another_was_accepted_in_between() {
        let (mut doubts, start) = (Doubts::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        doubts.accepted(1, at(0));
        assert!(!doubts.refused(2, at(1)), "the server may have begun to refuse all mails");
        assert!(!doubts.refused(2, at(2)) && !doubts.refused(3, at(2)));
        doubts.accepted(4, at(3));
        assert!(doubts.refused(2, at(4)));
        assert!(!doubts.refused(5, at(5)), "each mail for itself");
        assert!(!doubts.refused(2, at(6)), "accepted since the last refusal, not before");
    }
}
