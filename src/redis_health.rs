//! The health of the Redis connection: whether it is up, and one log line when that changes.

use std::io;
use std::time::Duration;

use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult};
use tokio::sync::Notify;

use crate::log_safe::one_line;

/// How long Redis may take to answer. If it does not, one refresh of the board, and the requests whose rates are being
/// counted, are late by this. After that the server runs without Redis.
const TIMEOUT: Duration = Duration::from_millis(500);

/// The connection for commands, while there is one.
pub struct RedisHealth {
    connection: Mutex<Option<MultiplexedConnection>>,
    pub disconnected: Notify,
    state: Mutex<RedisState>,
    /// Host and port, for the log.
    place: String,
    messages: RedisMessages,
}

/// How the log describes what Redis is used for.
#[derive(Debug, Clone, Copy)]
pub struct RedisMessages {
    /// While Redis is up: "the board is shared".
    pub up: &'static str,
    /// While it is down: "every server reads the database itself".
    pub down: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum RedisState {
    Untried,
    Up,
    Down,
}

impl RedisHealth {
    #[must_use]
    pub fn new(client: &redis::Client, messages: RedisMessages) -> Self {
        Self {
            connection: Mutex::default(),
            disconnected: Notify::default(),
            state: Mutex::new(RedisState::Untried),
            place: client.get_connection_info().addr().to_string(),
            messages,
        }
    }

    pub fn connection(&self) -> Option<MultiplexedConnection> {
        self.connection.lock().clone()
    }

    pub fn open(&self, connection: MultiplexedConnection) {
        *self.connection.lock() = Some(connection);
    }

    /// Records a failure, and logs it if Redis was up. A broken or slow connection is dropped; a Redis that answers
    /// with a refusal (it is a replica, full, or still loading) keeps its connection and is asked again.
    pub fn record_failure(&self, error: &RedisError) {
        if error.is_io_error() || error.is_unrecoverable_error() {
            *self.connection.lock() = None;
            self.disconnected.notify_one();
        }
        if self.changes_to(RedisState::Down) {
            let error = one_line(error);
            log::warn!("Redis at {} is down, {}: {error}", self.place, self.messages.down);
        }
    }

    /// Records a success, and logs it if Redis was down or new.
    pub fn record_success(&self) {
        if self.changes_to(RedisState::Up) {
            log::info!("{} through Redis at {}", self.messages.up, self.place);
        }
    }

    fn changes_to(&self, state: RedisState) -> bool {
        std::mem::replace(&mut *self.state.lock(), state) != state
    }
}

/// Waits for an answer, no longer than [`TIMEOUT`].
pub async fn in_time<T>(answer: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    tokio::time::timeout(TIMEOUT, answer).await.unwrap_or_else(|_| {
        let message = format!("no answer in {} ms", TIMEOUT.as_millis());
        Err(io::Error::new(io::ErrorKind::TimedOut, message).into())
    })
}
