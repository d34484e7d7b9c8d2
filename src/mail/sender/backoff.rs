//! How long the sender waits after an error.

use std::time::Duration;

use rand::RngExt as _;
use tokio::time::Instant;

use crate::log_safe::mail_failure;

/// The longest wait of one mail. It is long enough for greylisting.
const RETRY_LONGEST: Duration = Duration::from_secs(30 * 60);
/// The first and the longest pause of all mails while the mail server is unavailable.
const PAUSE_FIRST: Duration = Duration::from_secs(1);
const PAUSE_LONGEST: Duration = Duration::from_secs(60);
/// The longest pause while only doubtful refusals suggest it: other mails should not wait long for that.
const DOUBTFUL_PAUSE_LONGEST: Duration = Duration::from_secs(5);
/// This many doubtful refusals, with no mail accepted in between, start a pause.
const DOUBTS_MAX: u32 = 4;

/// The wait after this many attempts: doubled each time, with a quarter of jitter, so that mails that failed together
/// are not retried together.
pub fn wait_after(attempts: i32, first: Duration) -> Duration {
    doubled(first, attempts.saturating_sub(1).try_into().unwrap_or(0), RETRY_LONGEST)
}

fn doubled(first: Duration, times: u32, longest: Duration) -> Duration {
    let wait = first.saturating_mul(1_u32.checked_shl(times.min(31)).unwrap_or(u32::MAX)).min(longest);
    wait.mul_f64(rand::rng().random_range(0.75..1.25))
}

/// The pause of all mails while the mail server is unavailable, so that thousands of mails do not each find out.
#[derive(Default)]
pub struct Backoff {
    outage: Option<Outage>,
    /// Doubtful refusals since a mail was accepted.
    doubts: u32,
}

struct Outage {
    /// Pauses since it was last available.
    pauses: u32,
    until: Instant,
    reason: String,
}

impl Backoff {
    /// The server is unavailable.
    pub fn pause(&mut self, now: Instant, reason: String) {
        self.pause_for(now, reason, PAUSE_LONGEST);
    }

    /// The server refuses a mail, and perhaps all. Returns whether there is a pause.
    pub fn doubt(&mut self, now: Instant, reason: String) -> bool {
        self.doubts = self.doubts.saturating_add(1);
        let is_pause = self.doubts >= DOUBTS_MAX;
        if is_pause {
            self.pause_for(now, reason, DOUBTFUL_PAUSE_LONGEST);
        }
        is_pause
    }

    /// Attempts that ran at the same time count once.
    fn pause_for(&mut self, now: Instant, reason: String, longest: Duration) {
        let pauses = self.outage.as_ref().map_or(0, |outage| outage.pauses);
        if self.is_over(now) == Some(false) {
            return;
        }
        if pauses == 0 {
            let reason = mail_failure(&reason);
            log::warn!("the mail server accepts no mail from us, so it waits: {reason}");
        }
        let until = now + doubled(PAUSE_FIRST, pauses, longest);
        self.outage = Some(Outage { pauses: pauses.saturating_add(1), until, reason });
    }

    /// The server has accepted a mail.
    pub fn reset(&mut self) {
        self.doubts = 0;
        if self.outage.take().is_some() {
            log::info!("the mail server takes mails again");
        }
    }

    /// Whether the pause is over; `None` while there is none.
    pub fn is_over(&self, now: Instant) -> Option<bool> {
        self.outage.as_ref().map(|outage| now >= outage.until)
    }

    /// Whether the newest mail is sent next, rather than the oldest, to find out whether the server takes
    /// mails again. They take turns: otherwise many mails to refused addresses at one end of the queue would
    /// hide the others.
    pub fn tries_newest(&self) -> bool {
        self.outage.as_ref().is_some_and(|outage| outage.pauses % 2 == 1)
    }

    /// When it is over.
    pub fn until(&self) -> Option<Instant> {
        self.outage.as_ref().map(|outage| outage.until)
    }

    /// Why there is a pause.
    pub fn reason(&self) -> Option<&str> {
        self.outage.as_ref().map(|outage| &*outage.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_half_an_hour_with_jitter() {
        let first = Duration::from_secs(15);
        for (attempts, least, most) in
            [(1, 11, 19), (2, 22, 38), (3, 45, 75), (20, 1350, 2250), (i32::MAX, 1350, 2250)]
        {
            let wait = wait_after(attempts, first).as_secs();
            assert!((least..=most).contains(&wait), "{attempts}: {wait}");
        }
        let waits: std::collections::HashSet<Duration> = (0..10).map(|_| wait_after(1, first)).collect();
        assert!(waits.len() > 1);
    }

    #[test]
    fn errors_at_the_same_time_are_one_pause() {
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        assert_eq!(backoff.is_over(now), None);
        backoff.pause(now, "refused".into());
        let until = backoff.until();
        backoff.pause(now, "refused".into());
        assert_eq!(backoff.until(), until);
        let later = now + Duration::from_secs(2);
        assert_eq!((backoff.is_over(now), backoff.is_over(later)), (Some(false), Some(true)));
        backoff.pause(later, "refused".into());
        assert!(backoff.until() > Some(later + Duration::from_secs(1)), "the second pause is longer");
        backoff.reset();
        assert_eq!(backoff.is_over(now), None);
    }

    #[test]
    fn a_few_doubtful_refusals_are_no_pause_and_many_are_short_ones() {
        let (mut backoff, mut now) = (Backoff::default(), Instant::now());
        for _ in 1..DOUBTS_MAX {
            assert!(!backoff.doubt(now, "refused".into()));
        }
        backoff.reset();
        for _ in 1..DOUBTS_MAX {
            assert!(!backoff.doubt(now, "refused".into()));
        }
        let mut ends = Vec::new();
        for _ in 0..20 {
            assert!(backoff.doubt(now, "refused".into()));
            let until = backoff.until().expect("a pause");
            assert!(until - now <= DOUBTFUL_PAUSE_LONGEST.mul_f64(1.25));
            ends.push(backoff.tries_newest());
            now = until;
        }
        assert!(ends.contains(&true) && ends.contains(&false), "from both ends of the queue: {ends:?}");
    }
}
