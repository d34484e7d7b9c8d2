//! How many mails one address gets. Anybody can book for any address, so without a limit the site would write
//! to a stranger as often as somebody likes. Mails beyond the limit wait: nothing is lost, and the tickets
//! are on the booking's page.
//!
//! Counted in this process: with several servers an address gets as many from each.

use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock as _, MonotonicClock};
use governor::{Quota, RateLimiter};

use crate::booking::buyer::normalized_email;
use crate::guard::limits::Rate;
use crate::guard::limits::cells::Cells;

/// Addresses that are remembered at once.
const RECIPIENTS: usize = 1 << 14;

/// Counts mails by their recipient.
pub struct RecipientLimit {
    quota: Quota,
    counters: RateLimiter<String, Cells<String>, MonotonicClock>,
    cells: Cells<String>,
}

impl RecipientLimit {
    /// `None`: there is no limit.
    #[must_use]
    pub fn new(rate: Option<Rate>) -> Option<Arc<Self>> {
        let (quota, cells) = (rate?.quota(), Cells::new(RECIPIENTS));
        let counters = RateLimiter::new(quota, cells.clone(), MonotonicClock);
        Some(Arc::new(Self { quota, counters, cells }))
    }

    /// Counts a mail to an address.
    ///
    /// # Errors
    /// How long to wait.
    pub fn take(&self, address: &str) -> Result<(), Duration> {
        let taken = self.counters.check_key(&normalized_email(address));
        taken.map_err(|until| until.wait_time_from(self.counters.clock().now()))
    }

    /// Takes back a mail that was not sent.
    pub fn give_back(&self, address: &str) {
        self.cells.give_back(&normalized_email(address), self.quota.replenish_interval());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_so_many_mails_however_it_is_spelled() {
        let limit = RecipientLimit::new("2/hour".parse().ok()).expect("a limit");
        assert_eq!(limit.take("ada@example.org"), Ok(()));
        assert_eq!(limit.take("Ada@Example.org"), Ok(()));
        let wait = limit.take("ADA@example.org").expect_err("it had two");
        assert!(wait > Duration::from_secs(1_790) && wait <= Duration::from_secs(1_800), "{wait:?}");
        assert_eq!(limit.take("grace@example.org"), Ok(()));
        limit.give_back("ada@example.org");
        assert_eq!(limit.take("ada@example.org"), Ok(()));
        assert!(limit.take("ada@example.org").is_err());
        assert!(RecipientLimit::new(None).is_none());
    }
}
