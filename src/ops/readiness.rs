//! Readiness: whether visitors should be sent here. Everything that a booking needs is looked at.
//!
//! A balancer asks each server every second or two, and others may ask as often as they like: what only the
//! database knows is asked through an [`CachedProbe`].

use std::time::{Duration, Instant};

use serde::Serialize;

use super::Ops;
use super::cached_probe::{CachedProbe, ProbeResult, TIMEOUT};
use crate::db::Schema;

/// The desk's worker shows itself every second, and before each attempt. Twice as long as a statement of its
/// may wait for a lock.
const DESK_SILENCE_MAX: Duration = Duration::from_secs(10);
/// A thread that serves shows itself five times a second.
const THREAD_SILENCE_MAX: Duration = Duration::from_secs(5);
/// The board is read every second, unless set otherwise.
const BOARD_AGE_MAX: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Status {
    #[serde(rename = "READY")]
    Ready,
    #[serde(rename = "NOT READY")]
    NotReady,
    /// Stopping: what has begun is finished, and nobody should be sent here any more.
    #[serde(rename = "DRAINING")]
    Draining,
}

impl Status {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "READY",
            Self::NotReady => "NOT READY",
            Self::Draining => "DRAINING",
        }
    }
}

/// One thing that a booking needs.
#[derive(Debug, Clone, Serialize)]
pub struct Part {
    pub name: &'static str,
    pub ok: bool,
    /// How long it took to find out.
    pub ms: f64,
    /// What was found, without anything secret.
    pub found: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub status: Status,
    pub region: String,
    pub server: String,
    pub parts: Vec<Part>,
}

#[derive(Default)]
pub(super) struct Readiness {
    schema: CachedProbe<Schema>,
}

impl Readiness {
    /// Looks at everything.
    pub(super) async fn report(&self, ops: &Ops) -> Report {
        let mut parts = database(&self.schema.get(&ops.watched.db, |db| db.schema_blocking(TIMEOUT)).await);
        parts.extend([desk(ops), queue(ops), board(ops), threads(ops)]);
        let status = match () {
            () if ops.is_draining() => Status::Draining,
            () if parts.iter().all(|part| part.ok) => Status::Ready,
            () => Status::NotReady,
        };
        let identity = &ops.identity;
        Report { status, region: identity.region().to_owned(), server: identity.server.clone(), parts }
    }
}

fn database(result: &ProbeResult<Schema>) -> Vec<Part> {
    let part = |name, ok, found: &str| Part { name, ok, ms: ms(result.took), found: found.to_owned() };
    match result.found {
        Err(wrong) => vec![part("database", false, wrong), part("migrations", false, "unknown")],
        Ok(schema) => {
            let found = match schema {
                Schema::Current => "current",
                Schema::Ahead => "a newer release's, which this one can live with",
                Schema::Behind(_) => "some have not been run",
                Schema::TooNew => "a newer release has taken away what this one needs",
            };
            vec![part("database", true, "it answers"), part("migrations", schema.is_served(), found)]
        }
    }
}

fn desk(ops: &Ops) -> Part {
    part("desk", || {
        let silence = ops.watched.desk.silence();
        (silence <= DESK_SILENCE_MAX, format!("its worker was seen {} ms ago", silence.as_millis()))
    })
}

fn queue(ops: &Ops) -> Part {
    part("queue", || {
        let (waiting, most) = (ops.watched.desk.waiting(), ops.watched.desk.limits().queue_length);
        (waiting < most, format!("{waiting} orders of {most} wait"))
    })
}

/// The refresher is alive when what it does shows.
fn board(ops: &Ops) -> Part {
    part("board", || {
        let age = ops.watched.board.age();
        let most = BOARD_AGE_MAX.max(ops.watched.board_refresh * 3);
        (age <= most, format!("it was read {} ms ago", age.as_millis()))
    })
}

fn threads(ops: &Ops) -> Part {
    part("threads", || {
        let Some(silence) = ops.threads_silence() else { return (false, "none serves".into()) };
        (silence <= THREAD_SILENCE_MAX, format!("each was seen {} ms ago or later", silence.as_millis()))
    })
}

fn part(name: &'static str, look: impl FnOnce() -> (bool, String)) -> Part {
    let begun = Instant::now();
    let (ok, found) = look();
    Part { name, ok, ms: ms(begun.elapsed()), found }
}

fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
