//! The database's clock, by which sales start and end, as far as this server knows it.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{NaiveDateTime, TimeDelta, Utc};
use diesel::QueryResult;

use crate::db::{self, Db};

/// A reading that took longer is not used.
const READING_MAX: TimeDelta = TimeDelta::milliseconds(250);

/// The database's clock, kept as how far it is ahead of this machine's.
#[derive(Default)]
pub(super) struct DatabaseClock {
    ahead_ms: AtomicI64,
}

/// How far the database's clock is ahead of this machine's, and how long it took to ask.
pub(super) struct ClockReading {
    ahead: TimeDelta,
    took: TimeDelta,
}

impl DatabaseClock {
    /// UTC.
    pub(super) fn now(&self) -> NaiveDateTime {
        Utc::now().naive_utc() + TimeDelta::milliseconds(self.ahead_ms.load(Ordering::Relaxed))
    }

    pub(super) fn set(&self, reading: &ClockReading) {
        if reading.took < READING_MAX {
            self.ahead_ms.store(reading.ahead.num_milliseconds(), Ordering::Relaxed);
        }
    }
}

/// Reads the clock on the connection itself, so that waiting for a connection does not count. The database's
/// clock is read between two readings of this machine's clock, so it is compared with their middle.
pub(super) fn read(db: &mut Db) -> QueryResult<ClockReading> {
    let asked_at = Utc::now().naive_utc();
    let theirs = db::clock(db)?;
    let took = Utc::now().naive_utc() - asked_at;
    Ok(ClockReading { ahead: theirs - (asked_at + took / 2), took })
}
