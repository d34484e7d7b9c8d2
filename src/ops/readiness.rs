//! Readiness: whether visitors should be sent to this server. Checks everything that a booking needs.
//!
//! Load balancers ask every second or two, and anybody may ask more often, so the database is asked through a
//! [`CachedProbe`].

use std::time::{Duration, Instant};

use serde::Serialize;

use super::Ops;
use super::cached_probe::{CachedProbe, ProbeResult, TIMEOUT};
use crate::db::Schema;

/// The desk's worker beats every second, and before each attempt. Twice the longest wait for a lock, which is SQLite's
/// `busy_timeout` of 5 s.
const DESK_SILENCE_MAX: Duration = Duration::from_secs(10);
/// A server thread beats five times a second.
const THREAD_SILENCE_MAX: Duration = Duration::from_secs(5);
/// The board is read every second by default.
const BOARD_AGE_MAX: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ReadinessStatus {
    #[serde(rename = "READY")]
    Ready,
    #[serde(rename = "NOT READY")]
    NotReady,
    /// About to stop: running requests are finished, and no more visitors should be sent here.
    #[serde(rename = "DRAINING")]
    Draining,
}

impl ReadinessStatus {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "READY",
            Self::NotReady => "NOT READY",
            Self::Draining => "DRAINING",
        }
    }
}

/// The result of one check.
#[derive(Debug, Clone, Serialize)]
pub struct ReadinessCheck {
    pub name: &'static str,
    pub ok: bool,
    /// How long the check took.
    pub ms: f64,
    /// The finding, without anything secret.
    pub found: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct ReadinessReport {
    pub status: ReadinessStatus,
    pub region: String,
    pub server: String,
    pub parts: Vec<ReadinessCheck>,
}

#[derive(Default)]
pub(super) struct Readiness {
    schema: CachedProbe<Schema>,
}

impl Readiness {
    /// Runs all checks.
    pub(super) async fn report(&self, ops: &Ops) -> ReadinessReport {
        let mut parts = database(&self.schema.get(&ops.watched.db, |db| db.schema_blocking(TIMEOUT)).await);
        parts.extend([desk(ops), queue(ops), board(ops), threads(ops)]);
        let status = match () {
            () if ops.is_draining() => ReadinessStatus::Draining,
            () if parts.iter().all(|part| part.ok) => ReadinessStatus::Ready,
            () => ReadinessStatus::NotReady,
        };
        let identity = &ops.identity;
        ReadinessReport {
            status,
            region: identity.region().to_owned(),
            server: identity.server.clone(),
            parts,
        }
    }
}

fn database(result: &ProbeResult<Schema>) -> Vec<ReadinessCheck> {
    let part =
        |name, ok, found: &str| ReadinessCheck { name, ok, ms: ms(result.took), found: found.to_owned() };
    match result.found {
        Err(wrong) => vec![part("database", false, wrong), part("migrations", false, "unknown")],
        Ok(schema) => {
            let found = match schema {
                Schema::Current => "current",
                Schema::Ahead => "from a newer release, compatible with this one",
                Schema::Behind(_) => "some are pending",
                Schema::TooNew => "from a newer release, not compatible with this one",
            };
            vec![part("database", true, "responds"), part("migrations", schema.is_compatible(), found)]
        }
    }
}

fn desk(ops: &Ops) -> ReadinessCheck {
    part("desk", || {
        let silence = ops.watched.desk.silence();
        (silence <= DESK_SILENCE_MAX, format!("last heartbeat {} ms ago", silence.as_millis()))
    })
}

fn queue(ops: &Ops) -> ReadinessCheck {
    part("queue", || {
        let (waiting, most) = (ops.watched.desk.waiting(), ops.watched.desk.limits().queue_length);
        (waiting < most, format!("{waiting} of {most} orders waiting"))
    })
}

/// The age of the board shows whether the refresher works.
fn board(ops: &Ops) -> ReadinessCheck {
    part("board", || {
        let age = ops.watched.board.age();
        let most = BOARD_AGE_MAX.max(ops.watched.board_refresh * 3);
        (age <= most, format!("read {} ms ago", age.as_millis()))
    })
}

fn threads(ops: &Ops) -> ReadinessCheck {
    part("threads", || {
        let Some(silence) = ops.threads_silence() else { return (false, "none is running".into()) };
        (silence <= THREAD_SILENCE_MAX, format!("last heartbeat at most {} ms ago", silence.as_millis()))
    })
}

fn part(name: &'static str, look: impl FnOnce() -> (bool, String)) -> ReadinessCheck {
    let begun = Instant::now();
    let (ok, found) = look();
    ReadinessCheck { name, ok, ms: ms(begun.elapsed()), found }
}

fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
