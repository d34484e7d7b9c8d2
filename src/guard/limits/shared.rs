//! The strict limits, which all servers of a site count together through Redis if `REDIS_URL` is set.
//!
//! Only rare and expensive requests are counted there: a booking, a place in a waiting room, a sign-in or an
//! API call waits a fraction of a millisecond for it. A poll is answered in less time than a question to
//! Redis would take, so pages, polls and the other classes are counted by each server alone: with n servers a
//! client may send n times as many of those.
//!
//! Redis counts atomically, in a script, by its own clock, so no two servers spend the same allowance. It never blocks
//! the site: after half a second a request no longer waits for it, and while Redis is away each server counts alone.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::io;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisResult};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::limiter::GROWTH;
use super::{Allowance, Client, Rate, RateLimited};
use crate::guard::secret::{Purpose, Secrets};
use crate::guard::signing::Signer;
use crate::redis_health::{RedisHealth, RedisMessages, in_time};
use crate::redis_url::RedisUrl;
use crate::resource::RateClass;

/// Connections to Redis.
pub const CONNECTIONS: usize = 1;

/// Between two attempts to reach Redis.
const RETRY: Duration = Duration::from_millis(500);
/// Between two checks that Redis is there and accepts writes.
const HEARTBEAT: Duration = Duration::from_secs(1);

const MESSAGES: RedisMessages = RedisMessages {
    up: "the strict rate limits are counted together",
    down: "every server counts its rate limits itself",
};

/// Version of the stored format.
const SCHEMA: u32 = 1;
/// Bytes of a client's name in Redis: enough that no two clients of a site share one.
const NAME_BYTES: usize = 16;

/// The generic cell rate algorithm, as in `governor`. KEYS: the client, and the wider networks that it is in.
/// ARGV: how many to count, or below zero to take back, and for each key the microseconds between two
/// requests and the burst. Returns the wait in microseconds, how many more requests may pass, and which key
/// has refused. Numbers are exact: microseconds since 1970 need 51 bits, and Lua's numbers have 53. A time
/// that something else has written to a key counts for a full burst at most.
const TAKE: &str = "
    local time = redis.call('TIME')
    local now = time[1] * 1000000 + time[2]
    local count, remaining, used_until = tonumber(ARGV[1]), math.huge, {}
    for i, key in ipairs(KEYS) do
        local interval, burst = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
        local used = math.max(tonumber(redis.call('GET', key) or 0), now)
        used = math.min(used, now + interval * burst)
        local wait = used - now - interval * (burst - count)
        if wait > 0 then return {wait, 0, i} end
        used = math.max(used + interval * count, now)
        remaining = math.min(remaining, math.floor((now + interval * burst - used) / interval))
        used_until[i] = used
    end
    for i, key in ipairs(KEYS) do
        local left = math.ceil((used_until[i] - now) / 1000)
        if left > 0 then redis.call('SET', key, string.format('%.0f', used_until[i]), 'PX', left)
        else redis.call('DEL', key) end
    end
    return {0, remaining, 0}";

/// This server's connection to the shared counts.
pub struct SharedLimits {
    client: redis::Client,
    redis: RedisHealth,
    /// Makes the names of clients, so that no visitor's address is stored in Redis.
    names: Signer,
}

impl SharedLimits {
    /// Servers with the same secret count together. Connects later, in [`SharedLimits::stay_connected`].
    #[must_use]
    pub fn new(url: &RedisUrl, secrets: &Secrets) -> Self {
        let client = url.client();
        Self {
            redis: RedisHealth::new(&client, MESSAGES),
            names: Signer::new(secrets, Purpose::RateLimits),
            client,
        }
    }

    /// Counts so many for all servers. `rates`: those of the client and of its wider networks. `None` while Redis is
    /// away.
    pub(super) async fn take(
        &self,
        class: RateClass,
        client: Client,
        rates: [Rate; GROWTH.len()],
        count: NonZeroU32,
    ) -> Option<Result<Allowance, RateLimited>> {
        let [rate, ..] = rates;
        let count = i64::from(count.get().min(rate.burst()));
        match self.count(class, client, rates, count).await? {
            (0, remaining, _) => Some(Ok(Allowance { class, rate, remaining })),
            (wait_us, _, level) => {
                let rate = level.checked_sub(1).and_then(|level| rates.get(level)).copied().unwrap_or(rate);
                Some(Err(RateLimited { class, rate, wait: Duration::from_micros(wait_us) }))
            }
        }
    }

    /// Takes back what was counted. Does nothing while Redis is away.
    pub(super) async fn give_back(
        &self,
        class: RateClass,
        client: Client,
        rates: [Rate; GROWTH.len()],
        count: NonZeroU32,
    ) {
        let count = count.get().min(rates[0].burst());
        _ = self.count(class, client, rates, -i64::from(count)).await;
    }

    async fn count(
        &self,
        class: RateClass,
        client: Client,
        rates: [Rate; GROWTH.len()],
        count: i64,
    ) -> Option<(u64, u32, usize)> {
        let mut redis = self.redis.connection()?;
        let networks: Vec<(Client, Rate)> = client.and_wider().zip(rates).collect();
        let mut script = redis::cmd("EVAL");
        script.arg(TAKE).arg(networks.len());
        for (level, (network, _)) in networks.iter().enumerate() {
            script.arg(self.name(class, level, *network));
        }
        script.arg(count);
        for (_, rate) in networks {
            script.arg(micros(rate.interval())).arg(rate.burst());
        }
        let counted = in_time(script.query_async(&mut redis)).await;
        counted.map_err(|error| self.redis.record_failure(&error)).ok()
    }

    /// Keeps the connection to Redis open, for as long as the program runs.
    pub async fn stay_connected(self: Arc<Self>) {
        loop {
            let Err(error) = self.converse().await;
            self.redis.record_failure(&error);
            sleep(RETRY).await;
        }
    }

    /// Connects, and sends heartbeats until one fails.
    async fn converse(&self) -> RedisResult<Infallible> {
        // `in_time` sets the time limits instead.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let mut redis = in_time(self.client.get_multiplexed_async_connection_with_config(&config)).await?;
        let mut heartbeat = interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_open = false;
        loop {
            tokio::select! {
                _ = heartbeat.tick() => match self.beat(&mut redis).await {
                    Ok(()) => {
                        if !is_open {
                            self.redis.open(redis.clone());
                            is_open = true;
                        }
                        self.redis.record_success();
                    }
                    // Redis responds, but is a replica or full: try again with the next heartbeat.
                    Err(error) if !error.is_io_error() && !error.is_unrecoverable_error() => {
                        self.redis.record_failure(&error);
                    }
                    Err(error) => return Err(error),
                },
                () = self.redis.disconnected.notified() => if is_open && self.redis.connection().is_none() {
                    return Err(io::Error::from(io::ErrorKind::NotConnected).into());
                },
            }
        }
    }

    /// Writes a key: a Redis that does not accept writes cannot count.
    async fn beat(&self, redis: &mut MultiplexedConnection) -> RedisResult<()> {
        let name = format!("techkraft:limit:v{SCHEMA}:heartbeat");
        let mut command = redis::cmd("SET");
        in_time(command.arg(name).arg(1).arg("PX").arg(2 * micros(HEARTBEAT) / 1000).query_async(redis)).await
    }

    /// The client's key in Redis. It depends on the site's secret, so two sites on one Redis do not count together.
    fn name(&self, class: RateClass, level: usize, client: Client) -> String {
        let hash = match client {
            Client::Network(IpAddr::V4(address)) => self.names.sign(&address.octets()),
            Client::Network(IpAddr::V6(address)) => self.names.sign(&address.octets()),
            Client::Token(id) => self.names.sign(&id.to_be_bytes()),
        };
        let mut name = format!("techkraft:limit:v{SCHEMA}:{}:", class.name());
        if level > 0 {
            // Writing to a string cannot fail.
            _ = write!(name, "{level}:");
        }
        name + &hex::encode(&hash[..NAME_BYTES])
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
