//! Guessing passwords gets slow, and never locks the true owner out.
//!
//! A wrong password is counted, and after a few free ones each further one makes those who count together
//! wait twice as long, up to a limit. Who counts together depends on the browser:
//!
//! - A browser in which the account has signed in before shows it by a sealed cookie, and is counted by
//!   itself (OWASP, "Slow Down Online Guessing Attacks with Device Cookies"). Whatever the rest of the world
//!   tries, it costs the organizer at their own machine nothing.
//! - All others are counted three times: by account and network together; by network, whatever the account,
//!   against one who tries many names; and by account, from wherever, against one who has many networks. The
//!   last begins late and its wait ends after a minute, which still leaves fewer than a hundred guesses an
//!   hour (OWASP ASVS 4.0.3, 2.2.1): an attacker who keeps it up from everywhere makes a browser that was
//!   never used before try its luck once a minute, and none that was.
//!
//! Who must wait is refused without a look at the password, and that costs no further wait. A right password
//! releases what counts the browser, and account and network together, but not the network: an attacker with
//! an account of their own would wash their count with it. `techkraft set-admin-password` releases the
//! account. All of it is forgotten a day after the last wrong password.
//!
//! The counts are in the database, the same for every server of a site; who must wait is also remembered
//! here, so that a flood is refused without asking it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use chrono::{NaiveDateTime, TimeDelta};
use sha2::{Digest as _, Sha256};

/// What a wrong password is counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CountedBy {
    Browser,
    AccountAndNetwork,
    Network,
    Account,
}

/// One of the counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureCounter {
    counted_by: CountedBy,
    /// A hash: what people mistype for their name is nobody's to read.
    pub key: String,
}

/// Counts are forgotten so long after the last wrong password.
pub const MEMORY: TimeDelta = TimeDelta::hours(24);
/// Rows kept at most; the oldest go first.
pub const ROWS_MAX: i64 = 100_000;
/// Waits remembered in this process at most: some megabytes.
const REMEMBERED_MAX: usize = 20_000;

impl FailureCounter {
    /// What counts an attempt at an account from a network; `browser` names one in which that account has
    /// signed in before.
    #[must_use]
    pub fn of(account: &str, network: IpAddr, browser: Option<&str>) -> Vec<Self> {
        let network = network.to_string();
        match browser {
            Some(browser) => vec![Self::new(CountedBy::Browser, &[account, browser])],
            None => vec![
                Self::new(CountedBy::AccountAndNetwork, &[account, &network]),
                Self::new(CountedBy::Network, &[&network]),
                Self::of_account(account),
            ],
        }
    }

    /// What counts an account, from wherever.
    #[must_use]
    pub fn of_account(account: &str) -> Self {
        Self::new(CountedBy::Account, &[account])
    }

    fn new(counted_by: CountedBy, parts: &[&str]) -> Self {
        let name = match counted_by {
            CountedBy::Browser => "browser",
            CountedBy::AccountAndNetwork => "account+network",
            CountedBy::Network => "network",
            CountedBy::Account => "account",
        };
        let hash = Sha256::digest(parts.join("\0").as_bytes());
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { counted_by, key: format!("{name}:{hex}") }
    }

    /// How long those who count together wait after so many wrong passwords.
    #[must_use]
    pub fn wait_after(&self, failures: i32) -> TimeDelta {
        let (free, most) = match self.counted_by {
            // People mistype.
            CountedBy::Browser | CountedBy::AccountAndNetwork => (3, TimeDelta::minutes(15)),
            // Several people, behind one address.
            CountedBy::Network => (10, TimeDelta::minutes(15)),
            CountedBy::Account => (30, TimeDelta::minutes(1)),
        };
        match failures - free {
            ..=0 => TimeDelta::zero(),
            paid => TimeDelta::seconds(1 << paid.min(20)).min(most),
        }
    }

    /// Whether a right password starts the count afresh.
    #[must_use]
    pub fn is_released_by_success(&self) -> bool {
        matches!(self.counted_by, CountedBy::Browser | CountedBy::AccountAndNetwork)
    }
}

/// Who must wait, as far as this server knows.
#[derive(Default)]
pub struct Throttle {
    until: Mutex<HashMap<String, NaiveDateTime>>,
}

impl Throttle {
    /// How long an attempt must still wait; `None` when it may go on.
    #[must_use]
    pub fn wait(&self, counters: &[FailureCounter], now: NaiveDateTime) -> Option<TimeDelta> {
        let until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        let latest = counters.iter().filter_map(|counter| until.get(&counter.key)).max()?;
        Some(*latest - now).filter(|wait| *wait > TimeDelta::zero())
    }

    /// Notes what the database says of those who must wait. When too many must, the rest are looked up in
    /// the database each time.
    pub fn remember(&self, slowed: Vec<(String, NaiveDateTime)>, now: NaiveDateTime) {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, slowed_until) in slowed.into_iter().filter(|(_, slowed_until)| *slowed_until > now) {
            if until.len() >= REMEMBERED_MAX {
                until.retain(|_, slowed_until| *slowed_until > now);
            }
            if until.len() < REMEMBERED_MAX || until.contains_key(&key) {
                until.insert(key, slowed_until);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(last: u16) -> IpAddr {
        IpAddr::from([0x2001, 0xdb8, 0, last, 0, 0, 0, 0])
    }

    #[test]
    fn each_further_failure_doubles_the_wait_up_to_a_limit() {
        let counters = FailureCounter::of("admin", network(1), None);
        let waits = |failures| -> Vec<i64> {
            counters.iter().map(|counter| counter.wait_after(failures).num_seconds()).collect()
        };
        assert_eq!(waits(3), [0, 0, 0]);
        assert_eq!(waits(4), [2, 0, 0]);
        assert_eq!(waits(5), [4, 0, 0]);
        assert_eq!(waits(11), [256, 2, 0]);
        assert_eq!(waits(31), [900, 900, 2]);
        assert_eq!(waits(i32::MAX), [900, 900, 60]);
    }

    #[test]
    fn an_account_is_guessed_at_less_than_a_hundred_times_an_hour() {
        let account = FailureCounter::of_account("admin");
        let (mut seconds, mut looked_at) = (0, 0);
        while seconds < 3600 {
            looked_at += 1;
            seconds += account.wait_after(looked_at).num_seconds();
        }
        assert!(looked_at < 100, "{looked_at}");
    }

    #[test]
    fn a_known_browser_is_counted_by_itself() {
        let known = FailureCounter::of("admin", network(1), Some("a browser"));
        assert_eq!(
            known,
            FailureCounter::of("admin", network(2), Some("a browser")),
            "wherever it is carried"
        );
        let strangers = FailureCounter::of("admin", network(1), None);
        assert!(known.iter().all(|counter| !strangers.contains(counter)));
        assert_ne!(
            FailureCounter::of("admin", network(1), Some("b")),
            FailureCounter::of("admin", network(1), Some("c"))
        );
        // No two names and networks run together into the same text.
        assert_ne!(
            FailureCounter::new(CountedBy::Browser, &["ab", "c"]),
            FailureCounter::new(CountedBy::Browser, &["a", "bc"])
        );
    }

    #[test]
    fn what_is_remembered_is_bounded_and_ends() {
        let counters = Throttle::default();
        let now = NaiveDateTime::default();
        let later = now + TimeDelta::seconds(10);
        let all: Vec<_> = (0..=REMEMBERED_MAX).map(|number| (number.to_string(), later)).collect();
        counters.remember(all, now);
        assert_eq!(counters.until.lock().expect("a map").len(), REMEMBERED_MAX);

        let one = FailureCounter::of_account("admin");
        counters.remember(vec![(one.key.clone(), later + TimeDelta::seconds(5))], later);
        let wait = |at| counters.wait(std::slice::from_ref(&one), at);
        assert_eq!(
            wait(later),
            Some(TimeDelta::seconds(5)),
            "the others' waits had ended, so there was room"
        );
        assert_eq!(wait(later + TimeDelta::seconds(5)), None);
    }
}
