//! What the log says of those who ask too often: each is named once in a while, and all together no more
//! than the log can bear.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::MonotonicClock;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use super::cells::Cells;
use super::{Class, Client};

/// Between two lines about the same client and class.
const PAUSE: Duration = Duration::from_secs(60);
/// Lines in a minute about all of them: an attack from a million addresses fills no disk.
const LINES_A_MINUTE: NonZeroU32 = NonZeroU32::new(60).unwrap();
/// Clients remembered at once.
const CLIENTS: usize = 1 << 12;

/// Decides which refusals are worth a line.
pub struct Refusals {
    of_one: RateLimiter<(Class, Client), Cells<(Class, Client)>, MonotonicClock>,
    of_all: RateLimiter<NotKeyed, InMemoryState, MonotonicClock>,
}

impl Default for Refusals {
    fn default() -> Self {
        // Never the other: the pause is longer than nothing.
        let once = Quota::with_period(PAUSE).unwrap_or(Quota::per_minute(LINES_A_MINUTE));
        Self {
            of_one: RateLimiter::new(once, Cells::new(CLIENTS), MonotonicClock),
            of_all: RateLimiter::direct_with_clock(Quota::per_minute(LINES_A_MINUTE), MonotonicClock),
        }
    }
}

impl Refusals {
    /// Whether this one is told.
    #[must_use]
    pub fn is_news(&self, class: Class, client: Client) -> bool {
        self.of_one.check_key(&(class, client)).is_ok() && self.of_all.check().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn a_client_is_told_once_and_a_flood_of_clients_ends() {
        let refusals = Refusals::default();
        let client = |number: u32| Client::Network(Ipv4Addr::from_bits(number).into());
        assert!(refusals.is_news(Class::Pages, client(1)));
        assert!(!refusals.is_news(Class::Pages, client(1)));
        assert!(refusals.is_news(Class::SignIn, client(1)), "of another class");
        let told = (2..1_000).filter(|&number| refusals.is_news(Class::Pages, client(number))).count();
        assert!((58..=62).contains(&told), "{told}");
    }
}
