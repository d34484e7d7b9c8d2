//! Rate limits: how often a client may ask, by what it asks for.
//!
//! A client is a network: an IPv4 address, or the /64 that an IPv6 address is in; or, under `/api/`, a token.
//! Each [`Class`] of routes counts by itself, by the generic cell rate algorithm of the `governor` crate: a
//! burst goes through at once, and then one request after the other at the pace of the [`Rate`].
//!
//! Behind one address may be a household or, with a carrier's NAT, a crowd. So what every open page asks for
//! all the time has limits that a crowd keeps and only a machine breaks, and what is worth something to a
//! scalper has strict ones: a person who is refused is told how long to wait, keeps the form, and sends it
//! again.
//!
//! Everything is counted in this process ([`cells`]): under a hundred nanoseconds and a fixed amount of memory.
//! With `REDIS_URL` the servers of a site count the strict classes together ([`shared`]).

mod answers;
mod cells;
mod class;
pub mod gate;
mod rate;
mod refusals;
pub mod shared;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use governor::RateLimiter;
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::StateInformationMiddleware;

use self::cells::Cells;
pub use self::class::Class;
pub use self::rate::Rate;
use self::refusals::Refusals;
use self::shared::SharedLimits;

/// Clients that each class remembers at once: half a MiB. Only those whose requests are used up for a moment
/// need a place, so that ten thousand a second that ask for the first time still leave each one its burst.
const CLIENTS: usize = 1 << 16;

/// The rate of each class.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    pub pages: Rate,
    pub polls: Rate,
    pub static_files: Rate,
    pub bookings: Rate,
    pub sign_in: Rate,
    /// Under `/api/`, by address.
    pub api: Rate,
    /// Under `/api/`, of each token.
    pub api_token: Rate,
}

impl Rates {
    const fn of(&self, class: Class) -> Rate {
        match class {
            Class::Pages => self.pages,
            Class::Polls => self.polls,
            Class::StaticFiles => self.static_files,
            Class::Bookings => self.bookings,
            Class::SignIn => self.sign_in,
            Class::Api => self.api,
            Class::ApiToken => self.api_token,
        }
    }
}

/// Who is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Client {
    /// An address as [`network_of`](super::client_address::network_of) gives it.
    Network(IpAddr),
    /// A token of `API_TOKENS`, by its number.
    Token(u64),
}

/// A request that may go through, and how many more may at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    pub class: Class,
    pub rate: Rate,
    pub remaining: u32,
}

/// A request that comes too soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooOften {
    pub class: Class,
    pub rate: Rate,
    /// Until the next one may go through.
    pub wait: Duration,
}

impl TooOften {
    /// The wait in whole seconds, after which it is over for certain.
    #[must_use]
    pub fn wait_seconds(&self) -> u64 {
        seconds_up(self.wait).max(1)
    }
}

/// The limits of this server.
pub struct Limits {
    limiters: [Limiter; Class::ALL.len()],
    shared: Option<Arc<SharedLimits>>,
    refusals: Refusals,
}

impl Limits {
    /// With `shared` the strict classes are counted together with other servers.
    #[must_use]
    pub fn new(rates: &Rates, shared: Option<Arc<SharedLimits>>) -> Self {
        let limiters = Class::ALL.map(|class| Limiter::new(class, rates.of(class), MonotonicClock));
        Self { limiters, shared, refusals: Refusals::default() }
    }

    /// Counts a request in this process.
    ///
    /// # Errors
    /// [`TooOften`], and then it was not counted.
    pub fn take(&self, class: Class, client: Client) -> Result<Allowance, TooOften> {
        // In the order of ALL, which is the order of the enum.
        self.limiters[class as usize].take(&client)
    }

    /// Counts a request, where servers count together with them. What this server alone has seen too often is
    /// refused without a question to Redis; while Redis is away that is all there is.
    ///
    /// # Errors
    /// [`TooOften`]
    pub async fn take_everywhere(&self, class: Class, client: Client) -> Result<Allowance, TooOften> {
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
    class: Class,
    rate: Rate,
    counters: RateLimiter<Client, Cells<Client>, C, StateInformationMiddleware>,
}

impl<C: Clock> Limiter<C> {
    fn new(class: Class, rate: Rate, clock: C) -> Self {
        let counters = RateLimiter::new(rate.quota(), Cells::new(CLIENTS), clock);
        Self { class, rate, counters }
    }

    fn take(&self, client: &Client) -> Result<Allowance, TooOften> {
        let Self { class, rate, .. } = *self;
        match self.counters.check_key(client) {
            Ok(state) => Ok(Allowance { class, rate, remaining: state.remaining_burst_capacity() }),
            Err(until) => {
                let wait = until.wait_time_from(self.counters.clock().now());
                Err(TooOften { class, rate, wait })
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
        (Limiter::new(Class::Bookings, rate.parse().expect(rate), clock.clone()), clock)
    }

    fn client(number: u32) -> Client {
        Client::Network(Ipv4Addr::from_bits(number).into())
    }

    #[test]
    fn a_burst_goes_through_and_then_one_at_a_time() {
        let (limiter, clock) = limiter("30/minute burst 3");
        for remaining in [2, 1, 0] {
            assert_eq!(limiter.take(&client(1)).map(|allowed| allowed.remaining), Ok(remaining));
        }
        let refused = limiter.take(&client(1)).expect_err("the burst is used up");
        assert_eq!(refused.wait_seconds(), 2);
        assert!(limiter.take(&client(2)).is_ok(), "everybody by himself");
        clock.advance(A_SECOND);
        // To be refused costs nothing: the wait grows no longer by trying.
        for _ in 0..1_000 {
            assert_eq!(limiter.take(&client(1)).expect_err("too soon").wait_seconds(), 1);
        }
        clock.advance(A_SECOND + Duration::from_millis(1));
        assert!(limiter.take(&client(1)).is_ok(), "the wait was true");
        assert!(limiter.take(&client(1)).is_err());
        clock.advance(7 * A_SECOND);
        assert_eq!(limiter.take(&client(1)).map(|allowed| allowed.remaining), Ok(2), "whole again");
    }
}
