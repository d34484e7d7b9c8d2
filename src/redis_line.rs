//! A line to Redis: whether it is there now, and the one log line when it goes and when it is back.

use std::io;
use std::time::Duration;

use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult};
use tokio::sync::Notify;

use crate::log_safe::one_line;

/// How long Redis may take to answer. A reading of the board is late by this, once; then it is done without.
const PATIENCE: Duration = Duration::from_millis(500);

/// The connection for commands, while there is one.
pub struct Line {
    connection: Mutex<Option<MultiplexedConnection>>,
    pub hung_up: Notify,
    condition: Mutex<Condition>,
    /// Host and port, for the log.
    place: String,
    words: Words,
}

/// What the log says of it.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// What is done through Redis: "the board is shared".
    pub well: &'static str,
    /// What is done without: "every server reads the database itself".
    pub away: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    Untried,
    Well,
    Away,
}

impl Line {
    #[must_use]
    pub fn new(client: &redis::Client, words: Words) -> Self {
        Self {
            connection: Mutex::default(),
            hung_up: Notify::default(),
            condition: Mutex::new(Condition::Untried),
            place: client.get_connection_info().addr().to_string(),
            words,
        }
    }

    pub fn connection(&self) -> Option<MultiplexedConnection> {
        self.connection.lock().clone()
    }

    pub fn open(&self, connection: MultiplexedConnection) {
        *self.connection.lock() = Some(connection);
    }

    /// Notes that something went wrong: told once. A line that is broken or slow is hung up; a Redis that
    /// answers, but refuses (it is a replica, or full, or still loading), is asked again in the next turn.
    pub fn note_trouble(&self, error: &RedisError) {
        if error.is_io_error() || error.is_unrecoverable_error() {
            *self.connection.lock() = None;
            self.hung_up.notify_one();
        }
        if self.turns(Condition::Away) {
            let error = one_line(error);
            log::warn!("Redis at {} is away, and {}: {error}", self.place, self.words.away);
        }
    }

    /// Notes that Redis did what it was asked: told when that is new.
    pub fn note_well(&self) {
        if self.turns(Condition::Well) {
            log::info!("{} through Redis at {}", self.words.well, self.place);
        }
    }

    fn turns(&self, condition: Condition) -> bool {
        std::mem::replace(&mut *self.condition.lock(), condition) != condition
    }
}

/// Waits for an answer for as long as Redis may take.
///
/// # Errors
/// What Redis said, or that it said nothing in time.
pub async fn in_time<T>(answer: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    tokio::time::timeout(PATIENCE, answer).await.unwrap_or_else(|_| {
        let message = format!("no answer in {} ms", PATIENCE.as_millis());
        Err(io::Error::new(io::ErrorKind::TimedOut, message).into())
    })
}
