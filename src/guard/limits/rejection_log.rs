//! Which rate limited requests get a log line: one a minute for each client, and no more in all than a log can hold.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::MonotonicClock;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use super::Client;
use super::cells::Cells;
use crate::resource::RateClass;

/// Between two lines about the same client and class.
const PAUSE: Duration = Duration::from_secs(60);
/// For all clients together: an attack from a million addresses must not fill the disk.
const LINES_A_MINUTE: NonZeroU32 = NonZeroU32::new(60).unwrap();
/// Clients remembered at once.
const CLIENTS: usize = 1 << 12;

/// Decides which rejections are worth a line.
pub struct RejectionLog {
    per_client: RateLimiter<(RateClass, Client), Cells<(RateClass, Client)>, MonotonicClock>,
    in_total: RateLimiter<NotKeyed, InMemoryState, MonotonicClock>,
}

impl Default for RejectionLog {
    fn default() -> Self {
        // The pause is not zero, so the alternative is never used.
        let once = Quota::with_period(PAUSE).unwrap_or(Quota::per_minute(LINES_A_MINUTE));
        Self {
            per_client: RateLimiter::new(once, Cells::new(CLIENTS), MonotonicClock),
            in_total: RateLimiter::direct_with_clock(Quota::per_minute(LINES_A_MINUTE), MonotonicClock),
        }
    }
}

impl RejectionLog {
    /// Whether this rejection is logged now.
    #[must_use]
    pub fn is_due(&self, class: RateClass, client: Client) -> bool {
        self.per_client.check_key(&(class, client)).is_ok() && self.in_total.check().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn each_client_is_logged_once_and_all_together_a_bounded_number() {
        let rejections = RejectionLog::default();
        let client = |number: u32| Client::Network(Ipv4Addr::from_bits(number).into());
        assert!(rejections.is_due(RateClass::Pages, client(1)));
        assert!(!rejections.is_due(RateClass::Pages, client(1)));
        assert!(rejections.is_due(RateClass::SignIn, client(1)), "another class");
        let logged = (2..1_000).filter(|&number| rejections.is_due(RateClass::Pages, client(number))).count();
        assert!((58..=62).contains(&logged), "{logged}");
    }
}
