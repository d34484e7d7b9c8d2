//! The pool of connections: handed out to one piece of work at a time.

use std::cell::Cell;
use std::time::{Duration, Instant};

use diesel::QueryResult;
use diesel::r2d2::{ManageConnection, Pool, PooledConnection, R2D2Connection as _};
use diesel::result::Error as DieselError;

use super::cause::is_contention;
use super::closing::Closing;
use super::metrics::PoolMetrics;
use super::primary::{Epoch, takes_no_writes};
use super::{Db, connect, one_line, unreachable_database, write_transaction, writer};
use crate::db::url::DatabaseUrl;
use crate::error::Error;
use crate::start_error::StartError;

/// How long a request waits for a connection before it is told that the server is busy. Half of it is also
/// the longest pause between two attempts to reach a database that is away.
const CONNECTION_WAIT: Duration = Duration::from_secs(2);

/// An unknown error of PostgreSQL that came after this time or later was caused by a lock: half of the
/// `lock_timeout` of the pool's connections, and as long as PostgreSQL waits before it looks for a deadlock.
const LOCKED_AFTER: Duration = Duration::from_secs(1);

pub(super) fn open_pool(
    url: &DatabaseUrl,
    size: u32,
    metrics: &PoolMetrics,
    (epoch, closing): (&Epoch, &Closing),
) -> Result<Pool<Connector>, StartError> {
    Pool::builder()
        .max_size(size)
        .min_idle(Some(1))
        .connection_timeout(CONNECTION_WAIT)
        .error_handler(Box::new(LogPoolError))
        .event_handler(Box::new(metrics.clone()))
        .build(Connector { url: url.clone(), open: connect, epoch: epoch.clone(), closing: closing.clone() })
        .map_err(|e| unreachable_database(url, &e))
}

/// Runs `work` on a pooled connection. If the connection is lost meanwhile, the error is the same as if none had been
/// free.
pub(super) fn on_connection<T>(
    pool: &Pool<Connector>,
    work: impl FnOnce(&mut Db) -> QueryResult<T>,
) -> Result<T, Error> {
    run(pool, work, || false)
}

/// Runs `work` in a write transaction on a pooled connection.
pub(super) fn write_on_connection<T>(
    pool: &Pool<Connector>,
    work: impl FnOnce(&mut Db) -> QueryResult<T>,
) -> Result<T, Error> {
    let is_committing = Cell::new(false);
    let write = |db: &mut Db| {
        write_transaction(db, |db| {
            let value = work(db)?;
            is_committing.set(true);
            Ok(value)
        })
    };
    run(pool, write, || is_committing.get())
}

/// Runs `work`, a single statement that commits by itself, on a pooled connection.
pub(super) fn statement_on_connection<T>(
    pool: &Pool<Connector>,
    work: impl FnOnce(&mut Db) -> QueryResult<T>,
) -> Result<T, Error> {
    run(pool, work, || true)
}

/// `may_be_done`: asked when the connection was lost, whether the server may have committed the work. SQLite has no
/// server: a commit that failed is undone.
fn run<T>(
    pool: &Pool<Connector>,
    work: impl FnOnce(&mut Db) -> QueryResult<T>,
    may_be_done: impl FnOnce() -> bool,
) -> Result<T, Error> {
    let mut held = take(pool)?;
    let began = Instant::now();
    work(&mut held.db).map_err(|error| {
        if takes_no_writes(&error) {
            held.end_epoch();
        } else if is_contention(&error, began.elapsed(), LOCKED_AFTER) {
            log::warn!("database contention, the work was refused: {}", one_line(&error));
            return Error::Busy;
        } else if !writer::is_lost(&mut held.db, &error) {
            return error.into();
        } else if matches!(held.db, Db::Postgres(_)) && may_be_done() {
            log::warn!("a database connection was lost during a commit: {}", one_line(&error));
            return Error::OutcomeUnknown;
        }
        log::warn!("a database connection was lost: {}", one_line(&error));
        Error::Busy
    })
}

fn take(pool: &Pool<Connector>) -> Result<PooledConnection<Connector>, Error> {
    pool.get().map_err(|e| {
        log::warn!("no database connection: {}", one_line(&e));
        Error::Busy
    })
}

/// Opens connections for a pool. Diesel's own manager would try one backend after the other and lose
/// the reason why the right one failed.
pub(super) struct Connector {
    pub(super) url: DatabaseUrl,
    pub(super) open: fn(&DatabaseUrl) -> diesel::ConnectionResult<Db>,
    pub(super) epoch: Epoch,
    pub(super) closing: Closing,
}

/// A pooled connection, and the epoch that it was opened in.
pub(super) struct Held {
    pub(super) db: Db,
    opened_in: u64,
    epoch: Epoch,
    closing: Closing,
}

impl Held {
    /// Retires this connection and all others of its epoch.
    pub(super) fn end_epoch(&self) {
        self.epoch.end(self.opened_in);
    }

    /// Its epoch has ended, or the database is closed.
    fn is_retired(&self) -> bool {
        self.opened_in != self.epoch.current() || self.closing.is_closed()
    }
}

impl ManageConnection for Connector {
    type Connection = Held;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Held, Self::Error> {
        if self.closing.is_closed() {
            return Err(RETIRED);
        }
        // Read first: the epoch may end while the connection is being opened.
        let opened_in = self.epoch.current();
        let db = (self.open)(&self.url).map_err(Self::Error::ConnectionError)?;
        Ok(Held { db, opened_in, epoch: self.epoch.clone(), closing: self.closing.clone() })
    }

    fn is_valid(&self, held: &mut Held) -> Result<(), Self::Error> {
        if held.is_retired() {
            return Err(RETIRED);
        }
        held.db.ping().map_err(Self::Error::QueryError)
    }

    fn has_broken(&self, held: &mut Held) -> bool {
        std::thread::panicking() || held.is_retired() || held.db.is_broken()
    }
}

/// Already logged once, when the epoch ended or the program was told to stop.
const RETIRED: diesel::r2d2::Error = diesel::r2d2::Error::QueryError(DieselError::BrokenTransactionManager);

#[derive(Debug)]
struct LogPoolError;

impl diesel::r2d2::HandleError<diesel::r2d2::Error> for LogPoolError {
    fn handle_error(&self, error: diesel::r2d2::Error) {
        if !matches!(error, diesel::r2d2::Error::QueryError(DieselError::BrokenTransactionManager)) {
            log::warn!("database connection: {}", one_line(&error));
        }
    }
}
