//! Rate limits: how many requests a client may send, by [`RateClass`].
//!
//! A client is a network (an IPv4 address, or the /64 of an IPv6 address) or, under `/api/`, a token. An IPv6 network
//! is counted in its /56 and its /48 too, so that nobody who has many networks has as many budgets. Each class counts
//! by itself, with the generic cell rate algorithm of the `governor` crate: a burst passes at once, then one
//! request after another at the pace of the [`Rate`].
//!
//! Behind one address may be a household or, with carrier-grade NAT, a crowd. So the requests that every open
//! page sends all the time have limits that only a machine exceeds. The requests that scalpers send have
//! strict limits: a person who exceeds them is told how long to wait, keeps the filled form, and sends it
//! again.
//!
//! Everything is counted in this process ([`cells`]), in less than a hundred nanoseconds and in a bounded amount
//! of memory. With `REDIS_URL` the servers of a site count the strict classes together ([`shared`]).
//!
//! The class of each URL does not belong here: see [`crate::resource::urls`].

pub(crate) mod cells;
mod limiter;
pub mod middleware;
mod rate;
mod rejection_log;
mod responses;
pub mod shared;
pub mod tickets;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::MonotonicClock;

use self::limiter::Limiter;
pub use self::rate::Rate;
pub use self::rejection_log::RejectionLog;
use self::shared::SharedLimits;
use super::api_tokens::ApiToken;
use super::client_address::within;
use crate::resource::RateClass;

/// The rate of each class.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    pub pages: Rate,
    pub polls: Rate,
    pub static_files: Rate,
    pub previews: Rate,
    /// Places in waiting rooms.
    pub places: Rate,
    pub bookings: Rate,
    pub sign_in: Rate,
    pub admin: Rate,
    /// Under `/api/`, by address.
    pub api: Rate,
    /// Under `/api/`, of each token.
    pub api_token: Rate,
    /// Tickets that are booked.
    pub tickets: Rate,
    /// Tickets that are booked with each token.
    pub token_tickets: Rate,
}

impl Rates {
    const fn of(&self, class: RateClass) -> Rate {
        match class {
            RateClass::Pages => self.pages,
            RateClass::Polls => self.polls,
            RateClass::StaticFiles => self.static_files,
            RateClass::Previews => self.previews,
            RateClass::Places => self.places,
            RateClass::Bookings => self.bookings,
            RateClass::Gates | RateClass::Payments => self.pages,
            RateClass::Webhooks => self.polls,
            RateClass::SignIn => self.sign_in,
            RateClass::Admin => self.admin,
            RateClass::Api => self.api,
            RateClass::ApiToken => self.api_token,
            RateClass::Tickets => self.tickets,
            RateClass::TokenTickets => self.token_tickets,
        }
    }
}

/// Whose requests are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Client {
    /// An address as [`network_of`](super::client_address::network_of) gives it.
    Network(IpAddr),
    /// An API token, by its id.
    Token(u64),
}

impl Client {
    /// The client, and the wider networks that it is counted in too: an IPv6 network's /56 and /48.
    fn and_wider(self) -> impl Iterator<Item = Self> {
        let wider = match self {
            Self::Network(IpAddr::V6(network)) => {
                Some([56, 48].map(|bits| Self::Network(within(network, bits))))
            }
            _ => None,
        };
        std::iter::once(self).chain(wider.into_iter().flatten())
    }
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
        let limiters = RateClass::ALL.map(|class| Limiter::new(class, rates.of(class), &MonotonicClock));
        Self { limiters, shared, rejection_log: RejectionLog::default() }
    }

    /// Counts a request in this process. A rejected one is not counted.
    ///
    /// # Errors
    /// [`RateLimited`]
    pub fn take(&self, class: RateClass, client: Client) -> Result<Allowance, RateLimited> {
        self.limiter(class).take(&client, NonZeroU32::MIN)
    }

    /// Counts so many at once, together with the other servers if the class is shared. A request that this
    /// server already rejects does not reach Redis. While Redis is away, each server counts by itself.
    ///
    /// # Errors
    /// [`RateLimited`]
    pub async fn take_shared(
        &self,
        class: RateClass,
        client: Client,
        count: NonZeroU32,
    ) -> Result<Allowance, RateLimited> {
        let limiter = self.limiter(class);
        let allowance = limiter.take(&client, count)?;
        let Some(shared) = self.shared_of(class) else { return Ok(allowance) };
        let taken = shared.take(class, client, limiter.rates(), count).await.unwrap_or(Ok(allowance));
        if taken.is_err() {
            limiter.give_back(&client, count);
        }
        taken
    }

    /// Takes back what was counted.
    pub async fn give_back(&self, class: RateClass, client: Client, count: NonZeroU32) {
        let limiter = self.limiter(class);
        limiter.give_back(&client, count);
        if let Some(shared) = self.shared_of(class) {
            shared.give_back(class, client, limiter.rates(), count).await;
        }
    }

    /// Logs a rejection, if it is time for that. `hint`: what may be wrong, beginning with a semicolon, or
    /// empty.
    fn log(&self, class: RateClass, client: Client, token: Option<&ApiToken>, hint: &str) {
        if !self.rejection_log.is_due(class, client) {
            return;
        }
        match (client, token) {
            (Client::Network(network), _) => {
                log::warn!("rate limited {network} ({}): 429{hint}", class.name());
            }
            (Client::Token(_), Some(token)) => {
                log::warn!("rate limited API token {} ({}): 429{hint}", token.name, class.name());
            }
            (Client::Token(_), None) => {}
        }
    }

    fn limiter(&self, class: RateClass) -> &Limiter {
        // In the order of ALL, which is the order of the enum.
        &self.limiters[class as usize]
    }

    fn shared_of(&self, class: RateClass) -> Option<&SharedLimits> {
        self.shared.as_deref().filter(|_| class.is_shared())
    }
}

fn seconds_up(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}
