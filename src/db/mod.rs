//! The database: opening, migrations, reads, and write transactions.
//!
//! SQLite allows one writer at a time. Writers queue for a fair lock in this process before they ask the file for
//! its lock: with SQLite's own retries some wait for seconds, in the queue for milliseconds. PostgreSQL needs no
//! such lock.

mod connection;
mod metrics;
mod migrations;
mod primary;
mod replicas;
pub mod tls;
mod url;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use diesel::connection::{AnsiTransactionManager, SimpleConnection as _, TransactionManager};
use diesel::r2d2::{ManageConnection, Pool, PooledConnection, R2D2Connection as _};
use diesel::result::Error as DieselError;
use diesel::{Connection, PgConnection, QueryResult, SqliteConnection};

pub use self::connection::Db;
pub(crate) use self::connection::on_either;
use self::metrics::PoolMetrics;
pub use self::migrations::{Schema, migrate, take_turn_to_fill};
use self::primary::{Epoch, primary, takes_no_writes};
pub use self::replicas::ReplicaConfig;
use self::replicas::Replicas;
pub use self::url::DatabaseUrl;
pub(crate) use self::writer::WriteTurn;
pub use self::writer::{Failure, Writer};
use crate::error::Error;
use crate::log_safe::one_line;
use crate::start_error::StartError;

/// How long a request waits for a connection before it fails as busy. The pool's backoff between two attempts to
/// connect is at most half of this.
const CONNECTION_WAIT: Duration = Duration::from_secs(2);

/// Settings of every SQLite connection. `synchronous=FULL`: a confirmed booking survives a power cut. The cache
/// (in KiB) and the checkpoint (in pages) are sized for an on-sale: with the defaults, SQLite writes the same index
/// pages to the file again and again.
const SQLITE_PRAGMAS: &str =
    "PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL;
    PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 8000;";

/// A handle to the database; clones share its pools.
#[derive(Clone)]
pub struct Database {
    url: DatabaseUrl,
    pool: Pool<Connector>,
    metrics: PoolMetrics,
    turn: WriteTurn,
    epoch: Epoch,
    /// `None`: every read goes to the primary.
    replicas: Option<Arc<Replicas>>,
}

impl Database {
    /// The file of an SQLite database.
    #[must_use]
    pub fn file(&self) -> Option<&std::path::Path> {
        self.url.file()
    }

    /// Opens the database of the URL. Call [`migrate`] first.
    ///
    /// # Errors
    /// One line that names what could not be reached or opened.
    pub fn open(url: &DatabaseUrl, pool_size: u32) -> Result<Self, StartError> {
        let (metrics, epoch) = (PoolMetrics::default(), Epoch::default());
        let url = primary(url);
        let pool = open_pool(&url, pool_size, &metrics, &epoch)?;
        Ok(Self { pool, metrics, turn: WriteTurn::new(&url), epoch, url, replicas: None })
    }

    /// Adds replicas for [`Database::read`]. A replica that is down is not an error: it is used when it becomes
    /// healthy.
    ///
    /// # Errors
    /// One line when the primary's WAL position cannot be read or a thread cannot be started.
    pub fn with_replicas(self, config: &ReplicaConfig) -> Result<Self, StartError> {
        let replicas = Replicas::watched(&self.url, config)?;
        Ok(Self { replicas, ..self })
    }

    /// A writer with its own connection, for a dedicated thread.
    #[must_use]
    pub fn writer(&self) -> Writer {
        Writer::new(self.url.clone(), self.turn.clone(), self.epoch.clone())
    }

    /// Runs `work` on a healthy replica, or on the primary if there is none. The data may be a little old (2 s at
    /// most). If `work` fails on a replica, it runs again on the next one. Runs off the async threads.
    ///
    /// # Errors
    /// As [`Database::read_primary`].
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Db) -> QueryResult<T> + Send + Sync + 'static,
    ) -> Result<T, Error> {
        let work = Arc::new(work);
        if let Some(replicas) = &self.replicas
            && let Some(answer) = replicas.read(&work).await
        {
            return Ok(answer?);
        }
        self.read_primary(move |db| work(db)).await
    }

    /// Runs `work` on the primary, for data that must be current: a buyer's own booking, and all admin pages. Runs
    /// off the async threads.
    ///
    /// # Errors
    /// [`Error::Busy`] when no connection was free in time, otherwise the database's error.
    pub async fn read_primary<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Db) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, Error> {
        let pool = self.pool.clone();
        web::block(move || on_connection(&pool, work)).await?
    }

    /// Runs `work` in one write transaction, off the async threads.
    ///
    /// # Errors
    /// As [`Database::read_primary`]; after an error nothing has been written.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Db) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, Error> {
        let pool = self.pool.clone();
        let turn = self.turn.clone();
        web::block(move || {
            let _turn = turn.wait();
            on_connection(&pool, |db| write_transaction(db, work))
        })
        .await?
    }

    /// As [`Database::read_primary`], for callers on a blocking thread.
    ///
    /// # Errors
    /// As [`Database::read_primary`].
    pub fn read_primary_blocking<T>(&self, work: impl FnOnce(&mut Db) -> QueryResult<T>) -> Result<T, Error> {
        on_connection(&self.pool, work)
    }

    /// As [`Database::write`], for callers on a blocking thread.
    ///
    /// # Errors
    /// As [`Database::write`].
    pub fn write_blocking<T>(&self, work: impl FnOnce(&mut Db) -> QueryResult<T>) -> Result<T, Error> {
        let _turn = self.turn.wait();
        on_connection(&self.pool, |db| write_transaction(db, work))
    }
}

fn open_pool(
    url: &DatabaseUrl,
    size: u32,
    metrics: &PoolMetrics,
    epoch: &Epoch,
) -> Result<Pool<Connector>, StartError> {
    Pool::builder()
        .max_size(size)
        .min_idle(Some(1))
        .connection_timeout(CONNECTION_WAIT)
        .error_handler(Box::new(LogPoolError))
        .event_handler(Box::new(metrics.clone()))
        .build(Connector { url: url.clone(), open: connect, epoch: epoch.clone() })
        .map_err(|e| unreachable_database(url, &e))
}

/// Runs `work` on a pooled connection. A lost connection is [`Error::Busy`], as if none had been free: the caller can
/// safely retry.
fn on_connection<T>(
    pool: &Pool<Connector>,
    work: impl FnOnce(&mut Db) -> QueryResult<T>,
) -> Result<T, Error> {
    let mut held = take(pool)?;
    work(&mut held.db).map_err(|error| {
        if takes_no_writes(&error) {
            held.end_epoch();
        } else if !writer::is_lost(&mut held.db, &error) {
            return error.into();
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

fn connect(url: &DatabaseUrl) -> diesel::ConnectionResult<Db> {
    match url {
        DatabaseUrl::Postgres(url) => PgConnection::establish(url).map(Db::Postgres),
        DatabaseUrl::Sqlite(path) => {
            let mut sqlite = SqliteConnection::establish(&path.to_string_lossy())?;
            sqlite
                .batch_execute(SQLITE_PRAGMAS)
                .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
            Ok(Db::Sqlite(sqlite))
        }
    }
}

/// Opens connections for a pool. Diesel's own manager would try one backend after the other and lose the error of
/// the right one.
struct Connector {
    url: DatabaseUrl,
    open: fn(&DatabaseUrl) -> diesel::ConnectionResult<Db>,
    epoch: Epoch,
}

/// A pooled connection and the epoch in which it was opened.
struct Held {
    db: Db,
    opened_in: u64,
    epoch: Epoch,
}

impl Held {
    /// Retires this connection and all others of its epoch.
    fn end_epoch(&self) {
        self.epoch.end(self.opened_in);
    }

    fn is_from_ended_epoch(&self) -> bool {
        self.opened_in != self.epoch.current()
    }
}

impl ManageConnection for Connector {
    type Connection = Held;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Held, Self::Error> {
        // Read first: the epoch may end while the connection is being opened.
        let opened_in = self.epoch.current();
        let db = (self.open)(&self.url).map_err(Self::Error::ConnectionError)?;
        Ok(Held { db, opened_in, epoch: self.epoch.clone() })
    }

    fn is_valid(&self, held: &mut Held) -> Result<(), Self::Error> {
        if held.is_from_ended_epoch() {
            // Already logged once, when the epoch ended.
            return Err(Self::Error::QueryError(DieselError::BrokenTransactionManager));
        }
        held.db.ping().map_err(Self::Error::QueryError)
    }

    fn has_broken(&self, held: &mut Held) -> bool {
        std::thread::panicking() || held.is_from_ended_epoch() || held.db.is_broken()
    }
}

#[derive(Debug)]
struct LogPoolError;

impl diesel::r2d2::HandleError<diesel::r2d2::Error> for LogPoolError {
    fn handle_error(&self, error: diesel::r2d2::Error) {
        if !matches!(error, diesel::r2d2::Error::QueryError(DieselError::BrokenTransactionManager)) {
            log::warn!("database connection: {}", one_line(&error));
        }
    }
}

fn unreachable_database(url: &DatabaseUrl, error: &impl std::fmt::Display) -> StartError {
    let hint = match url {
        DatabaseUrl::Sqlite(_) => "name a file in a folder that this user may write to",
        DatabaseUrl::Postgres(_) => "start PostgreSQL there, or correct the URL",
    };
    StartError::setting("DATABASE_URL", &url.to_string(), &one_line(error), hint)
}
