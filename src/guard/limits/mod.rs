//! Rate limits: how many requests a client may send, by [`RateClass`].
//!
//! A client is a network (an IPv4 address, or the /64 of an IPv6 address) or, under `/api/`, a token. Each class
//! counts by itself, with the generic cell rate algorithm of the `governor` crate: a burst passes at once, then one
//! request after another at the pace of the [`Rate`].
//!
//! Behind one address may be a household or, with carrier-grade NAT, a crowd. So what every open page requests all the
//! time has limits that only a machine exceeds. What scalpers want has strict ones: a person who exceeds them is told
//! how long to wait, keeps the filled form, and sends it again.
//!
//! Everything is counted in this process ([`cells`]), in less than a hundred nanoseconds and in a bounded amount
//! of memory. With `REDIS_URL` the servers of a site count the strict classes together ([`shared`]).
//!
//! Which URL is in which class does not belong here: that stands in [`crate::resource::urls`].

mod cells;
pub mod middleware;
mod rate;
mod rejection_log;
mod responses;
pub mod shared;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use governor::RateLimiter;
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::StateInformationMiddleware;

use self::cells::Cells;
pub use self::rate::Rate;
use self::rejection_log::RejectionLog;
use self::shared::SharedLimits;
use crate::resource::RateClass;

/// Clients that each class remembers at once: half a MiB at most. Only clients that have used up some of their burst
/// need a cell, so even ten thousand new clients a second push out nobody who matters.
const CLIENTS: usize = 1 << 16;

/// The rate of each class.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    pub pages: Rate,
    pub polls: Rate,
    pub static_files: Rate,
    pub previews: Rate,
    pub bookings: Rate,
    pub sign_in: Rate,
    /// Under `/api/`, by address.
    pub api: Rate,
    /// Under `/api/`, of each token.
    pub api_token: Rate,
}

impl Rates {
    const fn of(&self, class: RateClass) -> Rate {
        match class {
            RateClass::Pages => self.pages,
            RateClass::Polls => self.polls,
            RateClass::StaticFiles => self.static_files,
            RateClass::Previews => self.previews,
            RateClass::Bookings => self.bookings,
            RateClass::Gates => self.pages,
            RateClass::SignIn => self.sign_in,
            RateClass::Api => self.api,
            RateClass::ApiToken => self.api_token,
        }
    }
}

/// Whose requests are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Client {
    /// An address as [`network_of`](super::client_address::network_of) gives it.
    Network(IpAddr),
    /// A token of `API_TOKENS`, by its id.
    Token(u64),
}

/// A request that may pass, and how many more may pass right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    pub class: RateClass,
    pub rate: Rate,
    pub remaining: u32,
}

/// A request over the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimited {
    pub class: RateClass,
    pub rate: Rate,
    /// Until the next one may pass.
    pub wait: Duration,
}

impl RateLimited {
    /// The wait, rounded up to whole seconds.
    #[must_use]
    pub fn wait_seconds(&self) -> u64 {
        seconds_up(self.wait).max(1)
    }
}

/// The limits of this server.
pub struct Limits {
    limiters: [Limiter; RateClass::ALL.len()],
    shared: Option<Arc<SharedLimits>>,
    rejection_log: RejectionLog,
}

impl Limits {
    /// With `shared` the strict classes are counted together with other servers.
    #[must_use]
    pub fn new(rates: &Rates, shared: Option<Arc<SharedLimits>>) -> Self {
        let limiters = RateClass::ALL.map(|class| Limiter::new(class, rates.of(class), MonotonicClock));
        Self { limiters, shared, rejection_log: RejectionLog::default() }
    }

    /// Counts a request in this process. A rejected one is not counted.
    ///
    /// # Errors
    /// [`RateLimited`]
    pub fn take(&self, class: RateClass, client: Client) -> Result<Allowance, RateLimited> {
        // In the order of ALL, which is the order of the enum.
        self.limiters[class as usize].take(&client)
    }

    /// Counts a request, together with the other servers if its class is shared. What this server alone rejects does
    /// not reach Redis. While Redis is away, each server counts by itself.
    ///
    /// # Errors
    /// [`RateLimited`]
    pub async fn take_shared(&self, class: RateClass, client: Client) -> Result<Allowance, RateLimited> {
        let allowance = self.take(class, client)?;
        match &self.shared {
            Some(shared) if class.is_shared() => {
                shared.take(class, client, allowance.rate).await.unwrap_or(Ok(allowance))
            }
            _ => Ok(allowance),
        }
    }
}

/// One class's counters.
struct Limiter<C: Clock = MonotonicClock> {
    class: RateClass,
    rate: Rate,
    counters: RateLimiter<Client, Cells<Client>, C, StateInformationMiddleware>,
}

impl<C: Clock> Limiter<C> {
    fn new(class: RateClass, rate: Rate, clock: C) -> Self {
        let counters = RateLimiter::new(rate.quota(), Cells::new(CLIENTS), clock);
        Self { class, rate, counters }
    }

    fn take(&self, client: &Client) -> Result<Allowance, RateLimited> {
        let Self { class, rate, .. } = *self;
        match self.counters.check_key(client) {
            Ok(state) => Ok(Allowance { class, rate, remaining: state.remaining_burst_capacity() }),
            Err(until) => {
                let wait = until.wait_time_from(self.counters.clock().now());
                Err(RateLimited { class, rate, wait })
            }
        }
    }
}

fn seconds_up(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use governor::clock::FakeRelativeClock;

    use super::*;

    const A_SECOND: Duration = Duration::from_secs(1);

    fn limiter(rate: &str) -> (Limiter<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (Limiter::new(RateClass::Bookings, rate.parse().expect(rate), clock.clone()), clock)
    }

    fn client(number: u32) -> Client {
        Client::Network(Ipv4Addr::from_bits(number).into())
    }

    #[test]
    fn a_burst_passes_and_then_one_request_at_a_time() {
        let (limiter, clock) = limiter("30/minute burst 3");
        for remaining in [2, 1, 0] {
            assert_eq!(limiter.take(&client(1)).map(|allowed| allowed.remaining), Ok(remaining));
        }
        let refused = limiter.take(&client(1)).expect_err("the burst is used up");
        assert_eq!(refused.wait_seconds(), 2);
        assert!(limiter.take(&client(2)).is_ok(), "each client has its own count");
        clock.advance(A_SECOND);
        // Rejected requests are not counted: the wait does not grow.
        for _ in 0..1_000 {
            assert_eq!(limiter.take(&client(1)).expect_err("too soon").wait_seconds(), 1);
        }
        clock.advance(A_SECOND + Duration::from_millis(1));
        assert!(limiter.take(&client(1)).is_ok(), "the wait is over");
        assert!(limiter.take(&client(1)).is_err());
        clock.advance(7 * A_SECOND);
        assert_eq!(limiter.take(&client(1)).map(|allowed| allowed.remaining), Ok(2), "the whole burst again");
    }
}
