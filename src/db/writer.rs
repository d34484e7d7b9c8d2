//! A writer with a connection of its own, for a thread that does nothing but write, and the transaction of every write.

use std::sync::Arc;

use diesel::QueryResult;
use diesel::connection::{AnsiTransactionManager, Connection, SimpleConnection as _, TransactionManager};
use diesel::r2d2::R2D2Connection as _;
use diesel::result::Error as DieselError;
use parking_lot::{FairMutex, FairMutexGuard};

use super::cause::{is_answer, is_passing, is_short};
use super::closing::{Closing, WriterSlot};
use super::primary::{Epoch, takes_no_writes};
use super::{Db, connect, one_line};
use crate::db::url::DatabaseUrl;
use crate::error::Error;

/// Keeps a connection open, and opens a new one when it is lost.
pub struct Writer {
    url: DatabaseUrl,
    turn: WriteTurn,
    epoch: Epoch,
    closing: Closing,
    connection: WriterSlot,
}

/// PostgreSQL plans a prepared statement once, perhaps while a table is still empty, and keeps the plan while the table
/// grows. So sequential scans are off. That only gives them a very high cost, which would make PostgreSQL compile the
/// plan, so `jit` is off too. Plans are general ones: a plan for the rows of one batch could join with a whole table,
/// and a new plan for each batch takes a twentieth of its time. A row that is locked for longer than `lock_timeout`
/// does not stop the desk: its statement ends with nothing done, as on SQLite after `busy_timeout`.
const POSTGRES_SETTINGS: &str = "SET enable_seqscan = off; SET jit = off; SET plan_cache_mode = force_generic_plan; \
                                 SET lock_timeout = '1s'";

/// In a rush the pages of the indexes that bookings are added to stay in memory (in KiB).
const SQLITE_PRAGMAS: &str = "PRAGMA cache_size = -32768";

/// Why a piece of work was not done, or is not known to be done.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// There was no connection, or another server was in the way: nothing was done, and the same work may succeed when
    /// it is tried again.
    #[error("{0}")]
    Passing(String),
    /// The connection was lost in the middle: the work may have been done. Doing it again must be harmless.
    #[error("connection lost: {0}")]
    Unknown(String),
    /// The same work would fail again.
    #[error("{0}")]
    Lasting(DieselError),
}

impl Writer {
    pub(super) fn new(url: DatabaseUrl, turn: WriteTurn, epoch: Epoch, closing: &Closing) -> Self {
        Self { url, turn, epoch, connection: closing.new_slot(), closing: closing.clone() }
    }

    /// Runs `work`, which opens its own transactions, on this writer's connection. Blocks the thread.
    ///
    /// # Errors
    /// [`Failure`] says whether to try again.
    pub fn run<T>(&mut self, work: impl FnOnce(&mut Db) -> QueryResult<T>) -> Result<T, Failure> {
        let turn = self.turn.clone();
        let _turn = turn.wait();
        // Taken out, and put back only when it is known to be good.
        let now = self.epoch.current();
        let slot = Arc::clone(&self.connection);
        let mut connection = slot.lock();
        let (mut db, opened_in) = match connection.take() {
            Some(known) if known.1 == now => known,
            _ => (self.connect()?, now),
        };
        let error = match work(&mut db) {
            Ok(value) => {
                *connection = Some((db, opened_in));
                return Ok(value);
            }
            Err(error) => error,
        };
        if takes_no_writes(&error) {
            self.epoch.end(opened_in);
            return Err(Failure::Passing(one_line(&error)));
        }
        if is_lost(&mut db, &error) {
            return Err(Failure::Unknown(one_line(&error)));
        }
        // A connection with a plan that no longer fits a changed table would fail for ever, so it is kept only after an
        // error of the rows themselves.
        if is_answer(&error) {
            *connection = Some((db, opened_in));
        }
        Err(if is_passing(&error) { Failure::Passing(one_line(&error)) } else { Failure::Lasting(error) })
    }

    fn connect(&self) -> Result<Db, Failure> {
        if self.closing.is_closed() {
            return Err(Failure::Passing("the database is closed".into()));
        }
        let mut db = connect(&self.url).map_err(|e| Failure::Passing(one_line(&e)))?;
        let set = match &mut db {
            Db::Postgres(pg) => pg.batch_execute(POSTGRES_SETTINGS),
            Db::Sqlite(sqlite) => sqlite.batch_execute(SQLITE_PRAGMAS),
        };
        set.map_err(|e| Failure::Passing(one_line(&e)))?;
        Ok(db)
    }
}

/// Runs `work` between BEGIN and COMMIT. On SQLite, BEGIN IMMEDIATE takes the write lock: a transaction that reads
/// first and takes the lock later fails at once if another has written, regardless of the busy timeout.
///
/// # Errors
/// The error of `work` or of the database; the transaction is rolled back.
pub fn write_transaction<T>(db: &mut Db, work: impl FnOnce(&mut Db) -> QueryResult<T>) -> QueryResult<T> {
    match db {
        Db::Postgres(pg) => AnsiTransactionManager::begin_transaction(pg)?,
        Db::Sqlite(sqlite) => AnsiTransactionManager::begin_transaction_sql(sqlite, "BEGIN IMMEDIATE")?,
    }
    type Transactions = <Db as Connection>::TransactionManager;
    match work(db) {
        Ok(value) => {
            Transactions::commit_transaction(db)?;
            Ok(value)
        }
        Err(error) => {
            if let Err(e) = Transactions::rollback_transaction(db) {
                log::warn!("rollback failed: {}", one_line(&e));
            }
            Err(error)
        }
    }
}

/// Whether an error was caused by a lost connection.
pub(super) fn is_lost(db: &mut Db, error: &DieselError) -> bool {
    db.is_broken() || (!is_answer(error) && db.ping().is_err())
}

/// The lock that the SQLite writers of this process take in turn; nothing on PostgreSQL. It is fair, so that
/// a busy desk does not keep an organizer waiting.
#[derive(Clone)]
pub(crate) struct WriteTurn(Option<Arc<FairMutex<()>>>);

impl WriteTurn {
    pub(super) fn new(url: &DatabaseUrl) -> Self {
        Self(url.file().map(|_| Arc::default()))
    }

    /// Blocks the thread until it is the caller's turn, which ends when the guard is dropped.
    pub(super) fn wait(&self) -> Option<FairMutexGuard<'_, ()>> {
        self.0.as_ref().map(|turn| turn.lock())
    }
}

impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::NotFound => Self::NotFound,
            // Nothing was changed. There may be room when the visitor tries again.
            short if is_short(&short) => {
                log::warn!("the database could not write: {}", one_line(&short));
                Self::Busy
            }
            other => Self::Database(other),
        }
    }
}
