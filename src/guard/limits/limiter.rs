//! The counters of one class: for each client, and for the wider networks that an IPv6 client is in.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::RateLimiter;
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::StateInformationMiddleware;

use super::cells::Cells;
use super::{Allowance, Client, Rate, RateLimited};
use crate::resource::RateClass;

/// How many clients each class remembers at once; of the wider networks it remembers a fraction of this. That
/// takes 672 KiB at most. Only clients that have used up some of their burst need a cell, so even ten
/// thousand new clients a second push out nobody who matters.
const CLIENTS: usize = 1 << 16;

/// How many times a client's rate its networks may use: the client itself, its IPv6 /56, and its /48. A
/// household has a /56, a hosting customer or a tunnel has a /48, and a carrier gives each phone a /64 of its
/// own out of these.
pub const GROWTH: [u32; 3] = [1, 4, 16];

/// One class's counters.
pub struct Limiter<C: Clock = MonotonicClock> {
    class: RateClass,
    levels: [Level<C>; GROWTH.len()],
}

/// The counters of networks of one size.
struct Level<C: Clock> {
    rate: Rate,
    counters: RateLimiter<Client, Cells<Client>, C, StateInformationMiddleware>,
    /// The cells in which the counters are stored.
    cells: Cells<Client>,
}

impl<C: Clock + Clone> Limiter<C> {
    pub fn new(class: RateClass, rate: Rate, clock: &C) -> Self {
        let level = |growth| {
            let (rate, cells) = (rate.times(growth), Cells::new(CLIENTS / growth as usize));
            let counters = RateLimiter::new(rate.quota(), cells.clone(), clock.clone());
            Level { rate, counters, cells }
        };
        Self { class, levels: GROWTH.map(level) }
    }

    /// The rate of networks of each size, from the smallest on.
    pub fn rates(&self) -> [Rate; GROWTH.len()] {
        self.levels.each_ref().map(|level| level.rate)
    }

    /// Counts `count` requests at once, but no more than a whole burst. If one of the client's networks
    /// refuses them, they are counted in none.
    pub fn take(&self, client: &Client, count: NonZeroU32) -> Result<Allowance, RateLimited> {
        let class = self.class;
        let mut allowance: Option<Allowance> = None;
        for (number, (level, network)) in self.levels.iter().zip(client.and_wider()).enumerate() {
            let rate = level.rate;
            match level.take(&network, count) {
                Ok(remaining) if allowance.is_some_and(|it| it.remaining <= remaining) => {}
                Ok(remaining) => allowance = Some(Allowance { class, rate, remaining }),
                Err(wait) => {
                    self.give_back_to(number, client, count);
                    return Err(RateLimited { class, rate, wait });
                }
            }
        }
        // There is always the client itself.
        Ok(allowance.unwrap_or(Allowance { class, rate: self.levels[0].rate, remaining: 0 }))
    }

    /// Takes back what was counted.
    pub fn give_back(&self, client: &Client, count: NonZeroU32) {
        self.give_back_to(GROWTH.len(), client, count);
    }

    fn give_back_to(&self, levels: usize, client: &Client, count: NonZeroU32) {
        for (level, network) in self.levels.iter().zip(client.and_wider()).take(levels) {
            level.give_back(&network, count);
        }
    }
}

impl<C: Clock> Level<C> {
    /// How many more may pass, or how long to wait.
    fn take(&self, client: &Client, count: NonZeroU32) -> Result<u32, Duration> {
        let until = match self.counters.check_key_n(client, self.at_most_a_burst(count)) {
            Ok(Ok(state)) => return Ok(state.remaining_burst_capacity()),
            Ok(Err(until)) => until,
            // `count` is over a whole burst, which `at_most_a_burst` rules out.
            Err(_) => return Err(self.rate.refill()),
        };
        Err(until.wait_time_from(self.counters.clock().now()))
    }

    fn give_back(&self, client: &Client, count: NonZeroU32) {
        let each = self.rate.quota().replenish_interval();
        self.cells.give_back(client, each * self.at_most_a_burst(count).get());
    }

    fn at_most_a_burst(&self, count: NonZeroU32) -> NonZeroU32 {
        count.min(self.rate.quota().burst_size())
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use governor::clock::FakeRelativeClock;

    use super::*;

    const A_SECOND: Duration = Duration::from_secs(1);
    const ONE: NonZeroU32 = NonZeroU32::MIN;

    fn limiter(rate: &str) -> (Limiter<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (Limiter::new(RateClass::Bookings, rate.parse().expect(rate), &clock), clock)
    }

    fn client(number: u32) -> Client {
        Client::Network(Ipv4Addr::from_bits(number).into())
    }

    fn many(count: u32) -> NonZeroU32 {
        NonZeroU32::new(count).expect("not zero")
    }

    #[test]
    fn a_burst_passes_and_then_one_request_at_a_time() {
        let (limiter, clock) = limiter("30/minute burst 3");
        for remaining in [2, 1, 0] {
            assert_eq!(limiter.take(&client(1), ONE).map(|allowed| allowed.remaining), Ok(remaining));
        }
        let refused = limiter.take(&client(1), ONE).expect_err("the burst is used up");
        assert_eq!(refused.wait_seconds(), 2);
        assert!(limiter.take(&client(2), ONE).is_ok(), "each client has its own count");
        clock.advance(A_SECOND);
        // Rejected requests are not counted: the wait does not grow.
        for _ in 0..1_000 {
            assert_eq!(limiter.take(&client(1), ONE).expect_err("too soon").wait_seconds(), 1);
        }
        clock.advance(A_SECOND + Duration::from_millis(1));
        assert!(limiter.take(&client(1), ONE).is_ok(), "the wait is over");
        assert!(limiter.take(&client(1), ONE).is_err());
        clock.advance(7 * A_SECOND);
        assert_eq!(limiter.take(&client(1), ONE).map(|allowed| allowed.remaining), Ok(2), "the burst again");
    }

    #[test]
    fn several_are_counted_at_once_and_given_back() {
        let (limiter, _) = limiter("1/minute burst 10");
        let left = |count| limiter.take(&client(1), many(count)).map(|allowed| allowed.remaining);
        assert_eq!(left(7), Ok(3));
        assert_eq!(left(4).expect_err("three are left").wait_seconds(), 60);
        limiter.give_back(&client(1), many(5));
        assert_eq!(left(4), Ok(4));
        limiter.give_back(&client(1), many(6));
        assert_eq!(left(99), Ok(0), "as many as a burst, where more are wanted");
        limiter.give_back(&client(1), many(99));
        assert_eq!(left(10), Ok(0));
    }

    /// A /48 is 65,536 networks, each with the budget of a household.
    #[test]
    fn a_wider_network_has_a_budget_that_grows_slower_than_its_size() {
        let (limiter, _) = limiter("1/hour burst 10");
        let address = |bits: u128| Client::Network(std::net::Ipv6Addr::from_bits(bits << 64).into());
        let base = 0x2001_0db8_0001_0000_u128;
        let passes = |networks: std::ops::Range<u128>| {
            let mut all = networks.flat_map(|network| [address(base + network); 20]);
            all.by_ref().filter(|client| limiter.take(client, ONE).is_ok()).count()
        };
        assert_eq!(passes(0..1), 10, "a /64");
        assert_eq!(passes(1..256), 30, "the rest of its /56");
        assert_eq!(passes(256..65_536), 120, "the rest of its /48");
        assert_eq!(passes(65_536..65_537), 10, "the next /48");
        // What a wider network was refused was not counted for the client.
        assert_eq!(passes(0..1), 0);
    }
}
