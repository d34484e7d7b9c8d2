//! How long the worker waits after an error: each payment by itself, and all of them while Stripe is away.

use std::time::Duration;

use chrono::TimeDelta;
use rand::RngExt as _;
use tokio::time::Instant;

use super::report::CallReport;
use crate::payment::stripe::failure::StripeFailure;

const RETRY_FIRST: Duration = Duration::from_secs(2);
const RETRY_LONGEST: Duration = Duration::from_secs(5 * 60);
const PAUSE_FIRST: Duration = Duration::from_secs(1);
const PAUSE_LONGEST: Duration = Duration::from_secs(60);

/// The wait of one payment, refund or event after this many attempts.
#[must_use]
pub fn wait_after(attempts: i32) -> TimeDelta {
    let times = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0);
    TimeDelta::from_std(doubled(RETRY_FIRST, times, RETRY_LONGEST)).unwrap_or(TimeDelta::MAX)
}

/// With a quarter of jitter, so that what failed together is not tried together.
fn doubled(first: Duration, times: u32, longest: Duration) -> Duration {
    let wait = first.saturating_mul(1_u32.checked_shl(times.min(31)).unwrap_or(u32::MAX)).min(longest);
    wait.mul_f64(rand::rng().random_range(0.75..1.25))
}

/// The pause of all calls while Stripe is away, so that hundreds of buyers do not each find out.
#[derive(Debug, Default)]
pub struct Pause {
    outage: Option<(u32, Instant)>,
}

impl Pause {
    /// Begins or ends with what a call came to.
    pub fn hear(&mut self, now: Instant, report: &CallReport) {
        match &report.failure {
            _ if report.is_unasked => {}
            // "Too many requests" means that Stripe is available: only this one call is made again soon.
            None | Some(StripeFailure::TooMany) => self.end(),
            Some(failure) => self.begin(now, failure),
        }
    }

    /// Stripe gave no answer, or none to rely on. Failures at the same time count once.
    fn begin(&mut self, now: Instant, failure: &StripeFailure) {
        let pauses = match self.outage {
            Some((_, until)) if now < until => return,
            Some((pauses, _)) => pauses,
            None => {
                log::warn!("Stripe is not available, payments wait: {failure}");
                0
            }
        };
        let until = now + doubled(PAUSE_FIRST, pauses, PAUSE_LONGEST);
        self.outage = Some((pauses.saturating_add(1), until));
    }

    /// Stripe has answered.
    fn end(&mut self) {
        if self.outage.take().is_some() {
            log::info!("Stripe is available again");
        }
    }

    /// How many calls may be under way: after a pause, one that finds out.
    #[must_use]
    pub fn room(&self, now: Instant, most: usize) -> usize {
        match self.outage {
            None => most,
            Some((_, until)) if now < until => 0,
            Some(_) => most.min(1),
        }
    }

    /// Whether a pause has begun, and Stripe has not answered since.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        self.outage.is_some()
    }

    /// When it is over.
    #[must_use]
    pub fn until(&self) -> Option<Instant> {
        self.outage.map(|(_, until)| until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_five_minutes() {
        for (attempts, least, most) in [(0, 1, 3), (1, 1, 3), (2, 3, 5), (30, 225, 375), (i32::MAX, 225, 375)]
        {
            let wait = wait_after(attempts).num_seconds();
            assert!((least..=most).contains(&wait), "{attempts}: {wait}");
        }
    }

    #[test]
    fn failures_at_the_same_time_are_one_pause_and_one_call_ends_it() {
        let (mut pause, now) = (Pause::default(), Instant::now());
        let failure = StripeFailure::Unknown("status 500".into());
        assert_eq!(pause.room(now, 16), 16);
        pause.begin(now, &failure);
        let until = pause.until();
        pause.begin(now, &failure);
        assert_eq!((pause.until(), pause.room(now, 16)), (until, 0));
        let later = now + Duration::from_secs(2);
        assert_eq!(pause.room(later, 16), 1);
        pause.begin(later, &failure);
        assert!(pause.until() > Some(later + Duration::from_secs(1)), "the second is longer");
        pause.end();
        assert_eq!(pause.room(later, 16), 16);
    }

    #[test]
    fn only_an_answer_of_stripes_ends_the_pause() {
        let (mut pause, now) = (Pause::default(), Instant::now());
        pause.hear(now, &CallReport::of(StripeFailure::Unknown("status 500".into())));
        pause.hear(now, &CallReport::unasked());
        assert!(pause.is_begun(), "Stripe was not asked");
        pause.hear(now, &CallReport::of(StripeFailure::TooMany));
        assert!(!pause.is_begun(), "it has answered");
        pause.hear(now, &CallReport::of(StripeFailure::Unknown("status 500".into())));
        pause.hear(now, &CallReport::default());
        assert!(!pause.is_begun());
    }
}
