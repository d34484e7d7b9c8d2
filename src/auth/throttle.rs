//! Slows down guessing passwords and codes without ever locking the organizer out.
//!
//! Wrong passwords are counted. After a few free ones, each further one doubles the wait, up to a limit. What
//! is counted depends on the browser:
//!
//! - A browser in which the account has signed in before, shown by a sealed cookie, has a counter of its own
//!   (OWASP, "Slow Down Online Guessing Attacks with Device Cookies"). An attack from elsewhere costs the
//!   organizer in their own browser nothing.
//! - Other browsers have two counters: the account and network together, and the network, against somebody who tries
//!   many usernames. Against somebody who has many networks there is no counter, because it would lock the organizer
//!   out as well: the [password queue](super::password_queue) bounds how many passwords are looked at.
//!
//! An attempt that comes too early is refused before the password is hashed, and lengthens no wait. A right
//! password resets the counters of the browser, and of account and network together, but not that of the
//! network: an attacker with an account of their own could clear it. Counters expire a day after the last wrong
//! password.
//!
//! The counters are in the database, shared by all servers of a site. The waits are also kept in memory, so
//! that a flood is refused without asking the database.

use std::collections::HashMap;
use std::net::IpAddr;

use chrono::{NaiveDateTime, TimeDelta};
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};

/// What a wrong password or code is counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CountedBy {
    Browser,
    AccountAndNetwork,
    Network,
    /// The account, for codes of the second factor.
    Code,
}

/// Identifies a counter of wrong passwords or codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureCounter {
    counted_by: CountedBy,
    /// A hash, because people mistype: the username field may hold a password.
    pub key: String,
}

/// Counters expire this long after the last wrong password.
pub const EXPIRES_AFTER: TimeDelta = TimeDelta::hours(24);
/// Counters kept at most; the oldest are deleted first.
pub const ROWS_MAX: i64 = 100_000;
/// Waits kept in memory at most: a few megabytes.
const REMEMBERED_MAX: usize = 20_000;

impl FailureCounter {
    /// The counters of an attempt at an account from a network; `browser` identifies a browser in which that
    /// account has signed in before.
    #[must_use]
    pub fn for_attempt(account: &str, network: IpAddr, browser: Option<&str>) -> Vec<Self> {
        let network = network.to_string();
        match browser {
            Some(browser) => vec![Self::new(CountedBy::Browser, &[account, browser])],
            None => vec![
                Self::new(CountedBy::AccountAndNetwork, &[account, &network]),
                Self::new(CountedBy::Network, &[&network]),
            ],
        }
    }

    /// The counter of wrong codes. It belongs to the account, whatever network the codes come from: somebody
    /// who guesses codes knows the password. A browser in which the account has signed in before has a
    /// counter of its own here as well.
    #[must_use]
    pub fn for_code(account: &str, browser: Option<&str>) -> Vec<Self> {
        vec![Self::new(CountedBy::Code, &[account, browser.unwrap_or_default()])]
    }

    fn new(counted_by: CountedBy, parts: &[&str]) -> Self {
        let name = match counted_by {
            CountedBy::Browser => "browser",
            CountedBy::AccountAndNetwork => "account+network",
            CountedBy::Network => "network",
            CountedBy::Code => "code",
        };
        let hash = hex::encode(Sha256::digest(parts.join("\0").as_bytes()));
        Self { counted_by, key: format!("{name}:{hash}") }
    }

    /// The wait after this many wrong passwords or codes.
    #[must_use]
    pub fn wait_after(&self, failures: i32) -> TimeDelta {
        let (free, longest) = match self.counted_by {
            // People mistype.
            CountedBy::Browser | CountedBy::AccountAndNetwork | CountedBy::Code => {
                (3, TimeDelta::minutes(15))
            }
            // Several people may share an address.
            CountedBy::Network => (10, TimeDelta::minutes(15)),
        };
        match failures - free {
            ..=0 => TimeDelta::zero(),
            over => TimeDelta::seconds(1 << over.min(20)).min(longest),
        }
    }

    #[must_use]
    pub fn is_reset_by_success(&self) -> bool {
        !matches!(self.counted_by, CountedBy::Network)
    }
}

/// The waits that this server knows of: counter keys, and the end of each wait in UTC.
#[derive(Default)]
pub struct Throttle {
    until: Mutex<HashMap<String, NaiveDateTime>>,
}

impl Throttle {
    /// How long an attempt must still wait; `None` when it may go on.
    #[must_use]
    pub fn wait(&self, counters: &[FailureCounter], now: NaiveDateTime) -> Option<TimeDelta> {
        let until = self.until.lock();
        let latest = counters.iter().filter_map(|counter| until.get(&counter.key)).max()?;
        Some(*latest - now).filter(|wait| *wait > TimeDelta::zero())
    }

    /// Keeps waits that were read from the database. When there are too many, the rest are read from the
    /// database each time.
    pub fn remember(&self, waits: Vec<(String, NaiveDateTime)>, now: NaiveDateTime) {
        let mut until = self.until.lock();
        for (key, ends_at) in waits.into_iter().filter(|(_, ends_at)| *ends_at > now) {
            if until.len() >= REMEMBERED_MAX {
                until.retain(|_, ends_at| *ends_at > now);
            }
            if until.len() < REMEMBERED_MAX || until.contains_key(&key) {
                until.insert(key, ends_at);
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
        let counters = FailureCounter::for_attempt("admin", network(1), None);
        let waits = |failures| -> Vec<i64> {
            counters.iter().map(|counter| counter.wait_after(failures).num_seconds()).collect()
        };
        assert_eq!(waits(3), [0, 0]);
        assert_eq!(waits(4), [2, 0]);
        assert_eq!(waits(5), [4, 0]);
        assert_eq!(waits(11), [256, 2]);
        assert_eq!(waits(31), [900, 900]);
        assert_eq!(waits(i32::MAX), [900, 900]);
    }

    #[test]
    fn a_known_browser_has_a_counter_of_its_own() {
        let for_browser = |network, browser| FailureCounter::for_attempt("admin", network, Some(browser));
        let known = for_browser(network(1), "a browser");
        assert_eq!(known, for_browser(network(2), "a browser"), "from any network");
        let unknown = FailureCounter::for_attempt("admin", network(1), None);
        assert!(known.iter().all(|counter| !unknown.contains(counter)));
        assert_ne!(for_browser(network(1), "b"), for_browser(network(1), "c"));
        // No two names join to the same text.
        let joined = |parts| FailureCounter::new(CountedBy::Browser, parts);
        assert_ne!(joined(&["ab", "c"]), joined(&["a", "bc"]));
    }

    #[test]
    fn the_waits_in_memory_are_bounded_and_end() {
        let throttle = Throttle::default();
        let now = NaiveDateTime::default();
        let later = now + TimeDelta::seconds(10);
        let all: Vec<_> = (0..=REMEMBERED_MAX).map(|number| (number.to_string(), later)).collect();
        throttle.remember(all, now);
        assert_eq!(throttle.until.lock().len(), REMEMBERED_MAX);

        let one = FailureCounter::for_attempt("admin", network(1), None).remove(0);
        throttle.remember(vec![(one.key.clone(), later + TimeDelta::seconds(5))], later);
        let wait = |at| throttle.wait(std::slice::from_ref(&one), at);
        assert_eq!(wait(later), Some(TimeDelta::seconds(5)), "waits that have ended make room");
        assert_eq!(wait(later + TimeDelta::seconds(5)), None);
    }
}
