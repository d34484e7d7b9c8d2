//! Slows guessing: after a few wrong passwords an account must wait before the next try, each time twice
//! as long.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Wrong passwords that cost nothing: people mistype.
const FREE_FAILURES: u32 = 3;
const WAIT_MAX: Duration = Duration::from_secs(300);
/// Accounts remembered at most; only one exists, so more are guesses.
const ACCOUNTS_MAX: usize = 1_000;

/// Counts wrong passwords by account.
#[derive(Default)]
pub struct Throttle {
    failures: Mutex<HashMap<String, Failures>>,
}

struct Failures {
    count: u32,
    wait_until: Instant,
}

impl Throttle {
    /// How long the account must still wait before its next try; `None` when it may try now.
    #[must_use]
    pub fn wait(&self, account: &str) -> Option<Duration> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = failures.get(account)?.wait_until.saturating_duration_since(Instant::now());
        (!wait.is_zero()).then_some(wait)
    }

    /// Notes a wrong password.
    pub fn failed(&self, account: &str) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= ACCOUNTS_MAX {
            failures.retain(|_, failures| failures.wait_until > Instant::now());
        }
        let now = Instant::now();
        let of_account = failures.entry(account.to_owned()).or_insert(Failures { count: 0, wait_until: now });
        of_account.count += 1;
        of_account.wait_until = now + wait_after(of_account.count);
    }

    /// Notes the right password: the account starts afresh.
    pub fn succeeded(&self, account: &str) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(account);
    }
}

fn wait_after(failures: u32) -> Duration {
    match failures.checked_sub(FREE_FAILURES) {
        None | Some(0) => Duration::ZERO,
        Some(paid) => Duration::from_secs(1 << paid.min(10)).min(WAIT_MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_further_failure_doubles_the_wait_of_that_account_alone() {
        let throttle = Throttle::default();
        for _ in 0..FREE_FAILURES {
            throttle.failed("admin");
            assert_eq!(throttle.wait("admin"), None);
        }
        throttle.failed("admin");
        assert!(throttle.wait("admin").is_some_and(|wait| wait > Duration::from_secs(1)));
        throttle.failed("admin");
        assert!(throttle.wait("admin").is_some_and(|wait| wait > Duration::from_secs(3)));
        assert_eq!(throttle.wait("somebody"), None);
        throttle.succeeded("admin");
        assert_eq!(throttle.wait("admin"), None);
        assert_eq!(wait_after(u32::MAX), WAIT_MAX);
    }
}
