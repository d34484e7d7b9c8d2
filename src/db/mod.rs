//! The database: opening, migrations, reads, and write transactions.
//!
//! SQLite allows one writer at a time. Writers queue for a fair lock in this process before they ask the file
//! for its lock: with SQLite's own retries some writers wait for seconds, but in the queue only for
//! milliseconds. PostgreSQL needs no such lock.
//!
//! The queries of a feature do not belong here: they are in its store.

mod cause;
mod closing;
mod connection;
mod grants;
mod identifier;
mod metrics;
mod migrations;
pub mod permissions;
mod pool;
pub mod pooler;
mod primary;
mod replicas;
mod text_enum;
mod time;
pub mod tls;
mod url;
pub mod wal;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::task::spawn_blocking;
use diesel::connection::SimpleConnection as _;
use diesel::r2d2::Pool;
use diesel::{Connection, PgConnection, QueryResult, SqliteConnection};
use tokio::sync::oneshot;

use self::closing::Closing;
pub use self::connection::Db;
pub(crate) use self::connection::on_either;
pub use self::grants::grant;
pub(crate) use self::identifier::quoted;
use self::metrics::PoolMetrics;
pub use self::migrations::{Schema, hold_migrations, is_migrated, lock_first_rows, migrate, schema};
use self::pool::{Connector, on_connection, open_pool, statement_on_connection, write_on_connection};
use self::primary::{Epoch, primary};
pub(crate) use self::replicas::MAX_LAG as REPLICA_LAG_MAX;
pub use self::replicas::ReplicaConfig;
use self::replicas::Replicas;
pub(crate) use self::text_enum::text_enum;
pub use self::time::clock;
pub(crate) use self::time::minute_sql;
pub use self::url::DatabaseUrl;
pub(crate) use self::writer::WriteTurn;
pub use self::writer::{Failure, Writer, write_transaction};
use crate::error::Error;
use crate::log_safe::one_line;
use crate::start_error::StartError;

/// The settings of every SQLite connection. `synchronous=FULL`: a confirmed booking survives a power cut. The
/// checkpoint (every so many pages) is sized for a rush: the default writes the same pages of the indexes to
/// the file again and again. The cache (in KiB) is small, because each connection of the pool fills one of
/// its own; the desk's [`Writer`] has a larger one.
const SQLITE_PRAGMAS: &str =
    "PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL;
    PRAGMA cache_size = -4096; PRAGMA wal_autocheckpoint = 8000;";

/// The settings of every PostgreSQL connection, so that a server that is frozen or cut off in the middle of a
/// transaction does not hold ticket types for hours, which is how long PostgreSQL waits by itself. The
/// keepalives are those of PostgreSQL's end of the connection. `synchronous_commit`: a confirmed booking
/// survives a power cut, whatever a role or a database is set to; a server that is set to wait for its
/// standbys goes on waiting for them.
const POSTGRES_SETTINGS: &str = "SET lock_timeout = '2s'; SET idle_in_transaction_session_timeout = '5s';
    SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 5;
    SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') IN ('off', 'local');
    SET default_transaction_isolation = 'read committed'";

/// How long connections that are at work may take when the database is closed.
const CLOSING_WAIT: Duration = Duration::from_secs(2);

/// A handle on the database; clones share its pools.
#[derive(Clone)]
pub struct Database {
    url: DatabaseUrl,
    pool: Pool<Connector>,
    metrics: PoolMetrics,
    turn: WriteTurn,
    epoch: Epoch,
    closing: Closing,
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
        let (metrics, epoch, closing) = (PoolMetrics::default(), Epoch::default(), Closing::default());
        let url = primary(url);
        wal::check(&url)?;
        let pool = open_pool(&url, pool_size, &metrics, (&epoch, &closing))?;
        let turn = WriteTurn::new(&url);
        let db = Self { pool, metrics, turn, epoch, closing, url, replicas: None };
        if db.file().is_some() {
            db.read_primary_blocking(|connection| wal::acknowledge(&db.url, connection))?;
        }
        Ok(db)
    }

    /// Opens the database for `work` alone, and closes every connection after it: if that were left to the
    /// pool's threads, the last one might still be open when the program ends, and an SQLite file would keep
    /// its log.
    ///
    /// # Errors
    /// As [`Database::open`], and those of `work`.
    pub fn briefly<T>(
        url: &DatabaseUrl,
        work: impl FnOnce(&Self) -> Result<T, StartError>,
    ) -> Result<T, StartError> {
        let db = Self::open(url, 1)?;
        let done = work(&db);
        db.closing.close(&db.pool, CLOSING_WAIT);
        done
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

    /// Whether [`Database::read`] may answer from a replica.
    #[must_use]
    pub fn has_replicas(&self) -> bool {
        self.replicas.is_some()
    }

    /// Closes all connections of an SQLite database for good: it is one file then, if no other program has it open. A
    /// connection that is still at work after two seconds keeps its log beside the file. Blocks the thread.
    pub fn close(&self) {
        if self.url.file().is_none() {
            return;
        }
        self.closing.close(&self.pool, CLOSING_WAIT);
        if let Err(error) = wal::finish(&self.url) {
            let error = one_line(&error);
            log::warn!("{}: its log could not be written back; keep its -wal file: {error}", self.url);
        }
    }

    /// A writer with its own connection, for a dedicated thread.
    #[must_use]
    pub fn writer(&self) -> Writer {
        Writer::new(self.url.clone(), self.turn.clone(), self.epoch.clone(), &self.closing)
    }

    /// Runs `work` on a healthy replica, or on the primary if there is none. The data may be a little old: at its last
    /// probe the replica lagged 2 s at most. If `work` fails on a replica, it runs again on the next one. Runs off the
    /// async threads.
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

    /// Runs `work` on the primary, for data that must be current: a buyer's own booking, and nearly everything on the
    /// admin pages. Runs off the async threads.
    ///
    /// # Errors
    /// [`Error::Busy`] when no connection was free in time, otherwise the database's error.
    pub async fn read_primary<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Db) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, Error> {
        let pool = self.pool.clone();
        off_thread(move || on_connection(&pool, work)).await
    }

    /// Runs `work` in one write transaction, off the async threads.
    ///
    /// # Errors
    /// As [`Database::read_primary`], and [`Error::OutcomeUnknown`] when the connection was lost during the commit.
    /// After any other error nothing has been written.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Db) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, Error> {
        let pool = self.pool.clone();
        let turn = self.turn.clone();
        off_thread(move || {
            let _turn = turn.wait();
            write_on_connection(&pool, work)
        })
        .await
    }

    /// Runs `work` that writes in a single statement. On PostgreSQL the statement commits by itself, so rows
    /// that everybody needs are not locked during a network round trip. On SQLite as [`Database::write`].
    ///
    /// # Errors
    /// As [`Database::write`].
    pub async fn write_alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Db) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, Error> {
        match self.url {
            DatabaseUrl::Postgres(_) => {
                let pool = self.pool.clone();
                off_thread(move || statement_on_connection(&pool, work)).await
            }
            DatabaseUrl::Sqlite(_) => self.write(work).await,
        }
    }

    /// As [`Database::read_primary`], for callers that have a thread of their own.
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
        write_on_connection(&self.pool, work)
    }
}

/// Runs `work` on a thread that may block. All work is boxed into one type of task: a type for each query
/// would make up a twenty-fifth of the binary.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let (answer, answered) = oneshot::channel();
    let work: Box<dyn FnOnce() + Send> = Box::new(move || {
        // Nobody waits for it any more when the client has gone.
        let _ = answer.send(work());
    });
    spawn_blocking(work);
    answered.await.map_err(|_| Error::Internal("database work was interrupted".into()))?
}

fn connect(url: &DatabaseUrl) -> diesel::ConnectionResult<Db> {
    match url {
        DatabaseUrl::Postgres(url) => {
            let mut pg = PgConnection::establish(url)?;
            pg.batch_execute(POSTGRES_SETTINGS)
                .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
            Ok(Db::Postgres(pg))
        }
        DatabaseUrl::Sqlite(path) => {
            let mut sqlite = SqliteConnection::establish(&path.to_string_lossy())?;
            sqlite
                .batch_execute(SQLITE_PRAGMAS)
                .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
            Ok(Db::Sqlite(sqlite))
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
