//! Shares the board between the servers of a site through Redis, when `REDIS_URL` is set.
//!
//! The server that holds a short [`lease`] reads the database and writes a snapshot; the others read the snapshot.
//! So the database gets one read per refresh, not one per server. Each desk publishes its sales to all servers on
//! a channel. The site works without Redis: bookings never use it, the board ignores data older than its own, and
//! while Redis is slow, down or empty every server reads the database itself. Redis is not trusted: what was not signed
//! by a server of this site is dropped, and what a server reads from the primary wins.
//!
//! The rate limits that servers share do not belong here: see `guard::limits::shared`.

mod envelope;
mod keys;
mod lease;
pub mod publisher;
mod updates;

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use parking_lot::Mutex;
use redis::aio::{MultiplexedConnection, PubSub};
use redis::{AsyncConnectionConfig, RedisResult};
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};

use self::envelope::{Distrust, Envelopes};
use self::keys::RedisNames;
use self::lease::{Lease, Role};
use self::updates::BoardUpdate;
use super::Stock;
use super::board::Board;
use crate::db::Database;
use crate::error::Error;
use crate::guard::secret::Secrets;
use crate::redis_health::{RedisHealth, RedisMessages, in_time};
use crate::redis_url::RedisUrl;

/// Connections to Redis: one for commands, one for the subscription.
pub const CONNECTIONS: usize = 2;

/// Time between two attempts to connect to Redis.
const RETRY: Duration = Duration::from_millis(500);
/// Time between two PINGs, on both connections.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// Time between two messages of a server; sales in between go with the next one. A thousand batches a second
/// become fifty messages, and a sale still shows on every server within a tenth of a second.
const MESSAGE_PAUSE: Duration = Duration::from_millis(20);
/// Time between two reads of the primary that each server makes in addition, whatever its role. What it reads
/// there wins over everything that other servers have told it.
const READ_PRIMARY_EVERY: Duration = Duration::from_secs(30);
/// Time between two log lines about what was dropped.
const DROPPED_LOG_PAUSE: Duration = Duration::from_secs(60);
/// How far two servers' ideas of the database's clock may be apart: a whole board that much older than the newest one
/// is still shown.
const CLOCKS_APART_MS: i64 = 1_000;

const MESSAGES: RedisMessages =
    RedisMessages { up: "the board is shared", down: "every server reads the database itself" };

/// This server's connection to the shared board.
pub struct SharedBoard {
    client: redis::Client,
    keys: RedisNames,
    lease: Lease,
    envelopes: Envelopes,
    /// When the newest whole board was sent, by any server.
    newest_board_ms: AtomicI64,
    primary_read_at: Mutex<Instant>,
    dropped_logged_at: Mutex<Option<Instant>>,
    redis: RedisHealth,
    reconnected: Notify,
}

impl SharedBoard {
    /// Does not connect; [`SharedBoard::stay_connected`] does.
    #[must_use]
    pub fn new(url: &RedisUrl, secrets: &Secrets, refresh: Duration) -> Self {
        let client = url.client();
        let database = client.get_connection_info().redis_settings().db();
        let lease = Lease::new(refresh);
        Self {
            keys: RedisNames::new(secrets, database),
            envelopes: Envelopes::new(secrets, lease.snapshot_life()),
            lease,
            newest_board_ms: AtomicI64::default(),
            // The server has just read it.
            primary_read_at: Mutex::new(Instant::now()),
            dropped_logged_at: Mutex::default(),
            redis: RedisHealth::new(&client, MESSAGES),
            reconnected: Notify::default(),
            client,
        }
    }

    /// Waits until Redis is connected again. Messages in between were missed, so the board needs a refresh.
    pub async fn is_reconnected(&self) {
        self.reconnected.notified().await;
    }

    /// Refreshes the board from the snapshot, or from the database if this server is the leader or there is no
    /// valid snapshot. Then also from the primary, if it was not read here for a while.
    ///
    /// # Errors
    /// The database's error.
    pub async fn refresh(&self, board: &Board, db: &Database) -> Result<(), Error> {
        let refreshed = match self.take_role().await {
            Role::Leader => self.lead(board, db).await,
            Role::Follower(snapshot) if self.receive(&self.keys.snapshot, &snapshot, board) => Ok(()),
            Role::Follower(_) | Role::Alone => board.refresh(db).await,
        };
        if self.is_primary_due() {
            return board.refresh_from_primary(db).await;
        }
        refreshed
    }

    /// Whether the primary is to be read now, whatever Redis or a replica says.
    fn is_primary_due(&self) -> bool {
        let mut read_at = self.primary_read_at.lock();
        let is_due = read_at.elapsed() >= READ_PRIMARY_EVERY;
        if is_due {
            *read_at = Instant::now();
        }
        is_due
    }

    async fn take_role(&self) -> Role {
        let Some(mut redis) = self.redis.connection() else { return Role::Alone };
        match in_time(self.lease.take_role(&mut redis, &self.keys)).await {
            Ok(role) => {
                self.redis.record_success();
                role
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
            Ok(()) => match self.seal(&self.keys.snapshot, &BoardUpdate::Board(board.concerts()), board) {
                Some(snapshot) => in_time(self.lease.write(&mut redis, &self.keys, &snapshot)).await,
                None => Ok(()),
            },
            Err(_) => in_time(self.lease.release(&mut redis, &self.keys)).await,
        };
        if let Err(error) = done {
            self.redis.record_failure(&error);
        }
        refreshed
    }

    /// Stays connected to Redis as long as the program runs: publishes what this server's desk sells, and shows
    /// what the other servers publish.
    pub async fn stay_connected(self: Arc<Self>, board: Arc<Board>) {
        board.publisher().open();
        loop {
            let Err(error) = self.run_connection(&board).await;
            self.redis.record_failure(&error);
            sleep(RETRY).await;
        }
    }

    /// Connects, then sends and receives messages until an error.
    async fn run_connection(&self, board: &Board) -> RedisResult<Infallible> {
        let (mut redis, subscription) = self.connect().await?;
        let (mut subscription, mut messages) = subscription.split();
        self.redis.open(redis.clone());
        // Subscribe before the refresh, so that no message is missed.
        self.reconnected.notify_one();
        let mut heartbeat = interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next_message_at = Instant::now();
        loop {
            let pending = async {
                board.publisher().is_filled().await;
                sleep_until(next_message_at).await;
            };
            tokio::select! {
                message = messages.next() => match message {
                    Some(message) => {
                        self.receive(&self.keys.updates, message.get_payload_bytes(), board);
                    }
                    None => return Err(io::Error::from(io::ErrorKind::ConnectionReset).into()),
                },
                () = pending => {
                    self.publish_pending(&mut redis, board).await?;
                    next_message_at = Instant::now() + MESSAGE_PAUSE;
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
        // `in_time` sets the time limits for both kinds of connection.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let redis = in_time(self.client.get_multiplexed_async_connection_with_config(&config)).await?;
        let mut subscription = in_time(self.client.get_async_pubsub()).await?;
        in_time(subscription.subscribe(&self.keys.updates)).await?;
        Ok((redis, subscription))
    }

    /// Publishes what is pending. After an error it stays pending.
    async fn publish_pending(&self, redis: &mut MultiplexedConnection, board: &Board) -> RedisResult<()> {
        let waiting = board.publisher().take();
        let sent = if waiting.everything {
            self.publish_everything(redis, board).await
        } else {
            let stock: Vec<Stock> = waiting.stock.values().copied().collect();
            self.publish(redis, &BoardUpdate::Stock(stock), board).await
        };
        if sent.is_err() {
            board.publisher().put_back(&waiting);
        }
        sent
    }

    async fn publish_everything(&self, redis: &mut MultiplexedConnection, board: &Board) -> RedisResult<()> {
        let everything = BoardUpdate::Board(board.concerts());
        // Otherwise followers would return to the leader's older snapshot.
        if let Some(snapshot) = self.seal(&self.keys.snapshot, &everything, board) {
            in_time(self.lease.overwrite(redis, &self.keys, &snapshot)).await?;
        }
        self.publish(redis, &everything, board).await
    }

    async fn publish(
        &self,
        redis: &mut MultiplexedConnection,
        update: &BoardUpdate,
        board: &Board,
    ) -> RedisResult<()> {
        let Some(message) = self.seal(&self.keys.updates, update, board) else { return Ok(()) };
        let mut command = redis::cmd("PUBLISH");
        in_time(command.arg(&self.keys.updates).arg(message).query_async(redis)).await
    }

    fn seal(&self, place: &str, update: &BoardUpdate, board: &Board) -> Option<Vec<u8>> {
        let now = board.now();
        if matches!(update, BoardUpdate::Board(_)) {
            self.newest_board_ms.fetch_max(now.and_utc().timestamp_millis(), Ordering::Relaxed);
        }
        match serde_json::to_string(update) {
            Ok(json) => Some(self.envelopes.seal(place, &json, now)),
            Err(error) => {
                log::error!("the board cannot be written as JSON: {error}");
                None
            }
        }
    }

    /// Shows a message or a snapshot from that place if it is valid. Returns whether it is.
    fn receive(&self, place: &str, envelope: &[u8], board: &Board) -> bool {
        match self.verify(place, envelope, board) {
            Ok(update) => {
                update.show_on(board);
                true
            }
            Err(distrust) => {
                self.log_dropped(&distrust);
                false
            }
        }
    }

    fn verify(&self, place: &str, envelope: &[u8], board: &Board) -> Result<BoardUpdate, Distrust> {
        let opened = self.envelopes.open(place, envelope, board.now())?;
        let update: BoardUpdate =
            serde_json::from_slice(opened.json).map_err(|e| Distrust::Unreadable(e.to_string()))?;
        if !board.is_possible(update.newest_version()) {
            return Err(Distrust::AheadOfTime);
        }
        // Stock has versions of its own. A whole board also says which concerts there are.
        if matches!(update, BoardUpdate::Board(_)) {
            let newest = self.newest_board_ms.fetch_max(opened.sent_ms, Ordering::Relaxed);
            if opened.sent_ms < newest - CLOCKS_APART_MS {
                return Err(Distrust::Replayed);
            }
        }
        Ok(update)
    }

    fn log_dropped(&self, distrust: &Distrust) {
        let mut logged_at = self.dropped_logged_at.lock();
        if logged_at.is_none_or(|at| at.elapsed() >= DROPPED_LOG_PAUSE) {
            *logged_at = Some(Instant::now());
            log::warn!(
                "a message in Redis was dropped: {distrust}; further ones are not logged for a minute"
            );
        }
    }
}
