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

/// Checking out a free connection, with its liveness check, takes less than this.
const WAITED: Duration = Duration::from_millis(5);

/// Counts the waits for a connection.
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
    /// Registers the metrics of the waits for the pool's connections.
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

    /// The status of each replica, in the order of the settings.
    #[must_use]
    pub fn replica_statuses(&self) -> Vec<ReplicaStatus> {
        self.replicas.as_ref().map(|replicas| replicas.statuses()).unwrap_or_default()
    }

    /// Asks the primary, through the pool, how its schema compares to this program. Blocks the thread, and
    /// waits for a free connection no longer than `wait`.
    ///
    /// # Errors
    /// One line: that no connection came free, that the server takes no writes, or a database error.
    pub fn schema_blocking(&self, wait: Duration) -> Result<Schema, String> {
        let mut held = self.pool.get_timeout(wait).map_err(|e| one_line(&e))?;
        let schema = schema(&mut held.db).map_err(|e| one_line(&e))?;
        if !takes_writes(&mut held.db).map_err(|e| one_line(&e))? {
            held.end_epoch();
            return Err("it takes no writes".into());
        }
        Ok(schema)
    }

    /// Runs `work` on the primary if a connection is free within `wait`. For monitoring: an error goes to the
    /// caller alone. Blocks the thread.
    ///
    /// # Errors
    /// One line: that no connection came free, or a database error.
    pub fn probe_blocking<T>(
        &self,
        wait: Duration,
        work: impl FnOnce(&mut Db) -> QueryResult<T>,
    ) -> Result<T, String> {
        let mut held = self.pool.get_timeout(wait).map_err(|e| one_line(&e))?;
        work(&mut held.db).map_err(|e| one_line(&e))
    }
}
