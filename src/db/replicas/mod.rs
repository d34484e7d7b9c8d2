//! Read replicas: PostgreSQL standbys that follow the primary, a little behind it.
//!
//! A replica is used while it is healthy: it answered its last probe, it is a standby of our primary, and its lag is
//! within the limit. A read that fails is repeated on the next replica at once, and finally on the primary; the
//! replica is left out until its next good probe. No read waits for a replica longer than [`TIMEOUT`].
//!
//! Which data may be a little old does not belong here: each caller of `Database::read` decides.

mod positions;
mod watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use actix_web::web;
use diesel::connection::SimpleConnection as _;
use diesel::r2d2::{NopErrorHandler, Pool};
use diesel::{ConnectionError, ConnectionResult, QueryResult};
use parking_lot::{Mutex, RwLock};

use super::DatabaseUrl;
use super::closing::Closing;
use super::metrics::ReplicaStatus;
use super::primary::Epoch;
use super::{Connector, Db, connect, one_line};
use crate::start_error::StartError;

/// How long a replica may take to answer; its statements have the same `statement_timeout`.
const TIMEOUT: Duration = Duration::from_secs(2);
/// How far a replica may lag. One that lags more is left out until it has caught up.
pub(crate) const MAX_LAG: Duration = Duration::from_secs(2);
/// How long a read waits for a free connection before it tries the next replica or the primary.
const CONNECTION_WAIT: Duration = Duration::from_millis(500);
/// A replica whose last good probe is older than this is left out.
const PROBE_AGE_MAX: Duration = Duration::from_secs(5);

/// libpq parameters, in seconds (`tcp_user_timeout`: milliseconds). A host that vanishes, or a network that drops
/// everything, is noticed after about [`TIMEOUT`].
const TIME_LIMITS: &str =
    "connect_timeout=2&tcp_user_timeout=2000&keepalives_idle=2&keepalives_interval=1&keepalives_count=2";
/// Read-only even after the replica was promoted.
const SETTINGS: &str = "SET statement_timeout = '2s'; SET default_transaction_read_only = on";

/// The standbys that may be read from, when there are any.
#[derive(Debug, Clone, Default)]
pub struct ReplicaConfig {
    /// PostgreSQL only.
    pub urls: Vec<DatabaseUrl>,
    /// Most connections to each.
    pub pool_size: u32,
}

pub(super) struct Replicas {
    all: Vec<Replica>,
    /// Counts reads, for round-robin.
    reads: AtomicUsize,
}

struct Replica {
    url: DatabaseUrl,
    pool_size: u32,
    state: RwLock<ReplicaState>,
    /// Its lag at the last probe, and the time of that probe.
    lag: Mutex<(Duration, Instant)>,
}

/// A replica that is left out keeps no connections: they may be dead, and a later read would wait for them.
enum ReplicaState {
    /// Not probed yet.
    Unknown,
    InUse {
        pool: Pool<Connector>,
        probed_at: Instant,
    },
    LeftOut,
}

impl Replicas {
    /// Starts the threads that watch the replicas. They end when the last handle is dropped.
    ///
    /// # Errors
    /// One line when the primary's WAL position cannot be read or a thread cannot be started.
    pub(super) fn watched(
        primary: &DatabaseUrl,
        config: &ReplicaConfig,
    ) -> Result<Option<Arc<Self>>, StartError> {
        if config.urls.is_empty() {
            return Ok(None);
        }
        let all = config.urls.iter().map(|url| Replica::new(url, config.pool_size)).collect();
        let replicas = Arc::new(Self { all, reads: AtomicUsize::new(0) });
        watch::start(&replicas, primary)?;
        Ok(Some(replicas))
    }

    /// The first result from a replica; `None` if none answers. `NotFound` is a result.
    pub(super) async fn read<T, W>(&self, work: &Arc<W>) -> Option<QueryResult<T>>
    where
        T: Send + 'static,
        W: Fn(&mut Db) -> QueryResult<T> + Send + Sync + 'static,
    {
        for (replica, pool) in self.in_turn() {
            let work = Arc::clone(work);
            let attempt = web::block(move || pool.get().ok().map(|mut held| work(&mut held.db)));
            match tokio::time::timeout(TIMEOUT, attempt).await {
                Ok(Ok(Some(answer @ (Ok(_) | Err(diesel::result::Error::NotFound))))) => return Some(answer),
                Ok(Ok(Some(Err(error)))) => {
                    replica.leave_out(&format!("a read failed: {}", one_line(&error)))
                }
                // All its connections are busy. If it is down, the watcher will notice.
                Ok(Ok(None) | Err(_)) => {}
                Err(_) => replica.leave_out(&format!("a read took longer than {} s", TIMEOUT.as_secs())),
            }
        }
        None
    }

    /// The status of each replica.
    pub(super) fn statuses(&self) -> Vec<ReplicaStatus> {
        self.all.iter().map(Replica::status).collect()
    }

    /// The healthy replicas, round-robin.
    fn in_turn(&self) -> Vec<(&Replica, Pool<Connector>)> {
        let mut well: Vec<_> =
            self.all.iter().filter_map(|replica| Some((replica, replica.pool()?))).collect();
        let turn = self.reads.fetch_add(1, Ordering::Relaxed);
        let first = turn.checked_rem(well.len()).unwrap_or(0);
        well.rotate_left(first);
        well
    }
}

impl Replica {
    fn new(url: &DatabaseUrl, pool_size: u32) -> Self {
        Self {
            url: with_time_limits(url),
            pool_size,
            state: RwLock::new(ReplicaState::Unknown),
            lag: Mutex::new((Duration::ZERO, Instant::now())),
        }
    }

    fn status(&self) -> ReplicaStatus {
        let shown = self.url.to_string();
        let place = shown.rsplit('@').next().unwrap_or_default();
        let place = place.rsplit("://").next().unwrap_or_default().split('/').next().unwrap_or_default();
        let (lag, asked_at) = *self.lag.lock();
        // While a replica does not answer, its lag may grow.
        let silence = asked_at.elapsed().saturating_sub(TIMEOUT);
        ReplicaStatus { place: place.to_owned(), is_in_use: self.is_in_use(), lag: lag + silence }
    }

    /// Its pool, if it is healthy.
    fn pool(&self) -> Option<Pool<Connector>> {
        let pool = match &*self.state.read() {
            ReplicaState::InUse { pool, probed_at } if probed_at.elapsed() < PROBE_AGE_MAX => {
                Some(pool.clone())
            }
            ReplicaState::InUse { .. } => None,
            ReplicaState::Unknown | ReplicaState::LeftOut => return None,
        };
        if pool.is_none() {
            self.leave_out("it does not answer probes");
        }
        pool
    }

    fn is_in_use(&self) -> bool {
        matches!(&*self.state.read(), ReplicaState::InUse { .. })
    }

    /// Uses the replica from now on, after a good probe.
    ///
    /// # Errors
    /// Why no connection could be opened.
    fn take_back(&self) -> Result<(), String> {
        if let ReplicaState::InUse { probed_at, .. } = &mut *self.state.write() {
            *probed_at = Instant::now();
            return Ok(());
        }
        let pool = Pool::builder()
            .max_size(self.pool_size)
            .min_idle(Some(1))
            // A read that finds a dead connection tries the next replica; testing each connection here would cost
            // a time-out each.
            .test_on_check_out(false)
            .connection_timeout(CONNECTION_WAIT)
            // The watcher logs what is wrong, once.
            .error_handler(Box::new(NopErrorHandler))
            .build(Connector {
                url: self.url.clone(),
                open: connect_with_settings,
                epoch: Epoch::default(),
                closing: Closing::default(),
            })
            .map_err(|e| one_line(&e))?;
        let before = std::mem::replace(
            &mut *self.state.write(),
            ReplicaState::InUse { pool, probed_at: Instant::now() },
        );
        match before {
            ReplicaState::Unknown => log::info!("replica {} is in use", self.url),
            ReplicaState::LeftOut | ReplicaState::InUse { .. } => {
                log::info!("replica {} is in use again", self.url)
            }
        }
        Ok(())
    }

    /// Leaves the replica out until its next good probe.
    fn leave_out(&self, why: &str) {
        let before = std::mem::replace(&mut *self.state.write(), ReplicaState::LeftOut);
        if !matches!(before, ReplicaState::LeftOut) {
            log::warn!("replica {} is left out: {why}", self.url);
        }
    }
}

/// The limits come first, so that the URL's own win: libpq keeps the last of two.
fn with_time_limits(url: &DatabaseUrl) -> DatabaseUrl {
    match url {
        DatabaseUrl::Postgres(url) => {
            let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
            DatabaseUrl::Postgres(format!("{place}?{TIME_LIMITS}&{parameters}").trim_end_matches('&').into())
        }
        DatabaseUrl::Sqlite(_) => url.clone(),
    }
}

/// A connection with time limits on every wait. The URL comes from [`with_time_limits`].
fn connect_with_settings(url: &DatabaseUrl) -> ConnectionResult<Db> {
    let mut db = connect(url)?;
    db.batch_execute(SETTINGS).map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(db)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_urls_own_time_limits_win() {
        let limited = |url: &str| match with_time_limits(&DatabaseUrl::Postgres(url.into())) {
            DatabaseUrl::Postgres(url) => url,
            DatabaseUrl::Sqlite(_) => unreachable!("it was PostgreSQL"),
        };
        assert_eq!(limited("postgres://a/x"), format!("postgres://a/x?{TIME_LIMITS}"));
        let own = "postgres://a/x?connect_timeout=9";
        assert_eq!(limited(own), format!("postgres://a/x?{TIME_LIMITS}&connect_timeout=9"));
    }
}
