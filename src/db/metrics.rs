//! The metrics of the connection pool and of the replicas, and probes for readiness.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use diesel::QueryResult;
use diesel::r2d2::event::{CheckoutEvent, HandleEvent, TimeoutEvent};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::{Registry, Unit};

use super::migrations::{Schema, schema};
use super::primary::takes_writes;
use super::{Database, Db, one_line};

/// A free connection is handed over, and asked whether it is still there, in less.
const WAITED: Duration = Duration::from_millis(5);

/// Counts who waits for a connection.
#[derive(Debug, Clone, Default)]
pub(super) struct PoolMetrics {
    waits: Counter,
    wait_seconds: Counter<f64, AtomicU64>,
    timeouts: Counter,
}

impl HandleEvent for PoolMetrics {
    fn handle_checkout(&self, event: CheckoutEvent) {
        if event.duration() >= WAITED {
            self.waits.inc();
            self.wait_seconds.inc_by(event.duration().as_secs_f64());
        }
    }

    fn handle_timeout(&self, event: TimeoutEvent) {
        self.timeouts.inc();
        self.wait_seconds.inc_by(event.timeout().as_secs_f64());
    }
}

/// What the pool holds now.
#[derive(Debug, Clone, Copy)]
pub struct PoolUse {
    /// Connections at work.
    pub busy: u32,
    pub idle: u32,
    /// Most connections.
    pub limit: u32,
}

/// What is known of a replica.
#[derive(Debug, Clone)]
pub struct ReplicaStatus {
    /// Host and port.
    pub place: String,
    /// Whether it is read from.
    pub is_in_use: bool,
    /// How far it is behind; grows while it does not answer.
    pub lag: Duration,
}

impl Database {
    /// Has the waits for the pool's connections shown.
    pub fn register(&self, registry: &mut Registry) {
        let PoolMetrics { waits, wait_seconds, timeouts } = self.metrics.clone();
        registry.register("pool_waits", "Times that somebody waited for a database connection", waits);
        registry.register_with_unit(
            "pool_wait",
            "Time spent waiting for a database connection",
            Unit::Seconds,
            wait_seconds,
        );
        registry.register("pool_timeouts", "Times that no database connection came free", timeouts);
    }

    /// What the primary's pool holds now.
    #[must_use]
    pub fn pool_use(&self) -> PoolUse {
        let state = self.pool.state();
        let idle = state.idle_connections;
        PoolUse { busy: state.connections.saturating_sub(idle), idle, limit: self.pool.max_size() }
    }

    /// How the replicas stand, in the order in which they are set.
    #[must_use]
    pub fn replica_statuses(&self) -> Vec<ReplicaStatus> {
        self.replicas.as_ref().map(|replicas| replicas.statuses()).unwrap_or_default()
    }

    /// Asks the primary, through the pool, how its schema stands to this program. Blocks the thread, for a
    /// free connection no longer than `wait`.
    ///
    /// # Errors
    /// One line: that no connection came free, that the server takes no writes, or what the database said.
    pub fn schema_blocking(&self, wait: Duration) -> Result<Schema, String> {
        let mut held = self.pool.get_timeout(wait).map_err(|e| one_line(&e))?;
        let schema = schema(&mut held.db).map_err(|e| one_line(&e))?;
        if !takes_writes(&mut held.db).map_err(|e| one_line(&e))? {
            held.end_epoch();
            return Err("it takes no writes".into());
        }
        Ok(schema)
    }

    /// Runs `work` on the primary, as long as that needs no longer than `wait` for a free connection. For
    /// those who watch: an error is theirs alone. Blocks the thread.
    ///
    /// # Errors
    /// One line: that no connection came free, or what the database said.
    pub fn probe_blocking<T>(
        &self,
        wait: Duration,
        work: impl FnOnce(&mut Db) -> QueryResult<T>,
    ) -> Result<T, String> {
        let mut held = self.pool.get_timeout(wait).map_err(|e| one_line(&e))?;
        work(&mut held.db).map_err(|e| one_line(&e))
    }
}
