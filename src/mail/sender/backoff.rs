//! How long is waited before something that went wrong is tried again.

use std::time::Duration;

use rand::RngExt as _;
use tokio::time::Instant;

/// The longest wait of one mail: a server that greylists or is full has room again by then.
const RETRY_LONGEST: Duration = Duration::from_secs(30 * 60);
/// The first pause of everything while the mail server is away, and the longest.
const PAUSE_FIRST: Duration = Duration::from_secs(1);
const PAUSE_LONGEST: Duration = Duration::from_secs(60);

/// The wait after so many attempts: doubled each time, and a quarter more or less, so that what has failed
/// together does not come back together.
pub fn wait_after(attempts: i32, first: Duration) -> Duration {
    doubled(first, attempts.saturating_sub(1).try_into().unwrap_or(0), RETRY_LONGEST)
}

fn doubled(first: Duration, times: u32, longest: Duration) -> Duration {
    let wait = first.saturating_mul(1_u32.checked_shl(times.min(31)).unwrap_or(u32::MAX)).min(longest);
    wait.mul_f64(rand::rng().random_range(0.75..1.25))
}

/// The pause of everything while the mail server is away: thousands of mails need not find out one by one.
#[derive(Default)]
pub struct Backoff {
    lost: Option<Lost>,
}

struct Lost {
    /// Pauses since it was last well.
    pauses: u32,
    until: Instant,
    trouble: String,
}

impl Backoff {
    /// Nobody answers. What was under way at the same time says so together, and counts once.
    pub fn lose(&mut self, now: Instant, trouble: String) {
        let pauses = self.lost.as_ref().map_or(0, |lost| lost.pauses);
        if self.is_over(now) == Some(false) {
            return;
        }
        if pauses == 0 {
            log::warn!("no mail goes out until the mail server takes it: {trouble}");
        }
        let until = now + doubled(PAUSE_FIRST, pauses, PAUSE_LONGEST);
        self.lost = Some(Lost { pauses: pauses.saturating_add(1), until, trouble });
    }

    /// Somebody has answered.
    pub fn reset(&mut self) {
        if self.lost.take().is_some() {
            log::info!("mails go out again");
        }
    }

    /// Whether the pause is over; `None` while there is none.
    pub fn is_over(&self, now: Instant) -> Option<bool> {
        self.lost.as_ref().map(|lost| now >= lost.until)
    }

    /// When it is over.
    pub fn until(&self) -> Option<Instant> {
        self.lost.as_ref().map(|lost| lost.until)
    }

    /// Why there is a pause.
    pub fn trouble(&self) -> Option<&str> {
        self.lost.as_ref().map(|lost| &*lost.trouble)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_half_an_hour_and_never_fall_together() {
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
    fn what_is_lost_together_is_one_pause() {
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        assert_eq!(backoff.is_over(now), None);
        backoff.lose(now, "refused".into());
        let until = backoff.until();
        backoff.lose(now, "refused".into());
        assert_eq!(backoff.until(), until);
        let later = now + Duration::from_secs(2);
        assert_eq!((backoff.is_over(now), backoff.is_over(later)), (Some(false), Some(true)));
        backoff.lose(later, "refused".into());
        assert!(backoff.until() > Some(later + Duration::from_secs(1)), "the second pause is longer");
        backoff.reset();
        assert_eq!(backoff.is_over(now), None);
    }
}
