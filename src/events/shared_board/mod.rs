//! The board as the servers of a site share it, through Redis, when `REDIS_URL` is set.
//!
//! One of the servers, which holds a short [`lease`], reads the database and writes what it read as a
//! snapshot; the others read that, so that the database hears one reading for all of them. What a desk has
//! just sold goes to all servers at once, through a channel. Nothing hangs on any of it: bookings never
//! touch Redis, the board drops whatever is older than what it shows, and while Redis is slow, down or
//! empty every server reads the database by itself.

mod keys;
mod lease;
pub mod publisher;
mod updates;

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use redis::aio::{MultiplexedConnection, PubSub};
use redis::{AsyncConnectionConfig, Msg, RedisResult};
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};

use self::keys::RedisNames;
use self::lease::{Lease, Role};
use self::updates::{BoardUpdate, Concerts};
use super::Stock;
use super::board::Board;
use crate::db::Database;
use crate::error::Error;
use crate::guard::secret::Secrets;
use crate::redis_health::{RedisHealth, RedisMessages, in_time};
use crate::redis_url::RedisUrl;

/// Held open to Redis: one for commands, one that listens.
pub const CONNECTIONS: usize = 2;

/// Between two attempts to reach Redis.
const RETRY: Duration = Duration::from_millis(500);
/// Between two questions whether Redis is still there, on both connections.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// Between two messages of a server: what is sold meanwhile goes with the next. A rush of a thousand
/// batches a second is fifty messages, and a booking still shows everywhere within a tenth of a second.
const MESSAGE_PAUSE: Duration = Duration::from_millis(20);

const MESSAGES: RedisMessages =
    RedisMessages { up: "the board is shared", down: "every server reads the database itself" };

/// This server's share in the board of all.
pub struct SharedBoard {
    client: redis::Client,
    keys: RedisNames,
    lease: Lease,
    redis: RedisHealth,
    reconnected: Notify,
}

impl SharedBoard {
    /// For the servers that share this secret. Connects later, in [`SharedBoard::stay_connected`].
    #[must_use]
    pub fn new(url: &RedisUrl, secrets: &Secrets, refresh: Duration) -> Self {
        let client = url.client();
        let database = client.get_connection_info().redis_settings().db();
        Self {
            keys: RedisNames::new(secrets, database),
            lease: Lease::new(refresh),
            redis: RedisHealth::new(&client, MESSAGES),
            reconnected: Notify::default(),
            client,
        }
    }

    /// Waits until Redis is there again: what was told meanwhile was missed, so the board wants a refresh.
    pub async fn is_reconnected(&self) {
        self.reconnected.notified().await;
    }

    /// Refreshes the board: from the snapshot, or, when it is this server's turn or there is no snapshot to
    /// be had, from the database.
    ///
    /// # Errors
    /// What the database said; the board stays as it was.
    pub async fn refresh(&self, board: &Board, db: &Database) -> Result<(), Error> {
        match self.take_role().await {
            Role::Leader => self.lead(board, db).await,
            Role::Follower(snapshot) => match serde_json::from_slice::<Concerts>(&snapshot) {
                Ok(concerts) => {
                    board.show(concerts);
                    Ok(())
                }
                Err(error) => {
                    log::warn!("the shared snapshot is unreadable, and dropped: {error}");
                    board.refresh(db).await
                }
            },
            Role::Alone => board.refresh(db).await,
        }
    }

    async fn take_role(&self) -> Role {
        let Some(mut redis) = self.redis.connection() else { return Role::Alone };
        match in_time(self.lease.take_role(&mut redis, &self.keys)).await {
            Ok(turn) => {
                self.redis.record_success();
                turn
            }
            Err(error) => {
                self.redis.record_failure(&error);
                Role::Alone
            }
        }
    }

    async fn lead(&self, board: &Board, db: &Database) -> Result<(), Error> {
        let refreshed = board.refresh(db).await;
        let Some(mut redis) = self.redis.connection() else { return refreshed };
        let done = match &refreshed {
            Ok(()) => match to_json(&board.concerts()) {
                Some(json) => in_time(self.lease.write(&mut redis, &self.keys, &json)).await,
                None => Ok(()),
            },
            Err(_) => in_time(self.lease.give_back(&mut redis, &self.keys)).await,
        };
        if let Err(error) = done {
            self.redis.record_failure(&error);
        }
        refreshed
    }

    /// Keeps the line to Redis, for as long as the program runs: tells the others what this server's desk
    /// has sold, and shows what they tell.
    pub async fn stay_connected(self: Arc<Self>, board: Arc<Board>) {
        board.publisher().open();
        loop {
            let Err(error) = self.converse(&board).await;
            self.redis.record_failure(&error);
            sleep(RETRY).await;
        }
    }

    /// Connects, and talks until something goes wrong.
    async fn converse(&self, board: &Board) -> RedisResult<Infallible> {
        let (mut redis, subscription) = self.connect().await?;
        let (mut subscription, mut messages) = subscription.split();
        self.redis.open(redis.clone());
        // Subscribed first, refreshed then: nothing falls between the two.
        self.reconnected.notify_one();
        let mut heartbeat = interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut may_tell = Instant::now();
        loop {
            let something_to_tell = async {
                board.publisher().is_filled().await;
                sleep_until(may_tell).await;
            };
            tokio::select! {
                message = messages.next() => match message {
                    Some(message) => show(&message, board),
                    None => return Err(io::Error::from(io::ErrorKind::ConnectionReset).into()),
                },
                () = something_to_tell => {
                    self.tell(&mut redis, board).await?;
                    may_tell = Instant::now() + MESSAGE_PAUSE;
                }
                _ = heartbeat.tick() => {
                    in_time(subscription.ping::<redis::Value>()).await?;
                    in_time(redis::cmd("PING").query_async::<()>(&mut redis)).await?;
                }
                () = self.redis.disconnected.notified() => if self.redis.connection().is_none() {
                    return Err(io::Error::from(io::ErrorKind::NotConnected).into());
                },
            }
        }
    }

    async fn connect(&self) -> RedisResult<(MultiplexedConnection, PubSub)> {
        // The limits are those of `in_time`, for both kinds of connection alike.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let redis = in_time(self.client.get_multiplexed_async_connection_with_config(&config)).await?;
        let mut subscription = in_time(self.client.get_async_pubsub()).await?;
        in_time(subscription.subscribe(&self.keys.updates)).await?;
        Ok((redis, subscription))
    }

    /// Tells the other servers what waits in the publisher; what could not be told waits on.
    async fn tell(&self, redis: &mut MultiplexedConnection, board: &Board) -> RedisResult<()> {
        let waiting = board.publisher().take();
        let told = if waiting.everything {
            self.tell_everything(redis, board.concerts()).await
        } else {
            let stock: Vec<Stock> = waiting.stock.values().copied().collect();
            self.publish(redis, &BoardUpdate::Stock(stock)).await
        };
        if told.is_err() {
            board.publisher().put_back(&waiting);
        }
        told
    }

    async fn tell_everything(
        &self,
        redis: &mut MultiplexedConnection,
        concerts: Concerts,
    ) -> RedisResult<()> {
        // Otherwise the others would go back to what the holder of the lease has read before.
        if let Some(json) = to_json(&concerts) {
            in_time(self.lease.overwrite(redis, &self.keys, &json)).await?;
        }
        self.publish(redis, &BoardUpdate::Board(concerts)).await
    }

    async fn publish(&self, redis: &mut MultiplexedConnection, news: &BoardUpdate) -> RedisResult<()> {
        let Some(json) = to_json(news) else { return Ok(()) };
        let mut command = redis::cmd("PUBLISH");
        in_time(command.arg(&self.keys.updates).arg(json).query_async(redis)).await
    }
}

/// Shows what another server, or this one, has told.
fn show(message: &Msg, board: &Board) {
    match serde_json::from_slice::<BoardUpdate>(message.get_payload_bytes()) {
        Ok(news) => news.show_on(board),
        Err(error) => log::warn!("an unreadable message on the shared board's channel is dropped: {error}"),
    }
}

fn to_json(value: &impl serde::Serialize) -> Option<String> {
    serde_json::to_string(value).inspect_err(|e| log::error!("the board does not become JSON: {e}")).ok()
}
