//! Watches the primary's WAL position and each replica. Each has its own thread, so a machine that does not answer
//! delays only its own watcher.

use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use diesel::sql_types::{BigInt, Bool, Text};
use diesel::{QueryResult, QueryableByName, RunQueryDsl as _};
use parking_lot::Mutex;

use super::positions::Positions;
use super::{MAX_LAG, Replica, Replicas, connect_with_settings, with_time_limits};
use crate::db::url::DatabaseUrl;
use crate::db::{Db, one_line};
use crate::start_error::StartError;

/// Time between two probes: half of the allowed lag.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// One query for both roles: the flushed position on the primary, the replayed position on a standby. Standbys have
/// the system identifier of their primary.
const PROBE: &str = "
    SELECT (pg_control_system()).system_identifier || ' ' || current_database() AS origin,
           pg_is_in_recovery() AS is_standby,
           COALESCE(pg_wal_lsn_diff(
               CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END,
               '0/0'), 0)::bigint AS position";

#[derive(QueryableByName)]
struct Reading {
    /// The system identifier and the database name.
    #[diesel(sql_type = Text)]
    origin: String,
    #[diesel(sql_type = Bool)]
    is_standby: bool,
    /// The WAL position in bytes.
    #[diesel(sql_type = BigInt)]
    position: i64,
}

/// What is known about the primary.
struct Primary {
    origin: String,
    positions: Positions,
}

/// A connection for probes, reopened after an error.
struct ReplicaProbe {
    url: DatabaseUrl,
    connection: Option<Db>,
}

/// Starts the threads. The primary is probed once first, so that a replica is used only when it has replayed
/// everything up to the start: the tables and the concerts.
///
/// # Errors
/// One line when the primary does not answer or a thread cannot be started.
pub(super) fn start(replicas: &Arc<Replicas>, primary_url: &DatabaseUrl) -> Result<(), StartError> {
    let mut probe = ReplicaProbe { url: with_time_limits(primary_url), connection: None };
    let asked_at = Instant::now();
    let reading = probe.ask().map_err(|e| {
        let hint = "let its user call pg_control_system() and pg_current_wal_flush_lsn(), or leave DATABASE_READ_URLS out";
        StartError::setting("DATABASE_URL", &primary_url.to_string(), &e, hint)
    })?;
    let positions = Positions::new(asked_at, reading.position);
    let primary = Arc::new(Mutex::new(Primary { origin: reading.origin, positions }));
    for index in 0..replicas.all.len() {
        let primary = Arc::clone(&primary);
        let mut probe = ReplicaProbe { url: replicas.all[index].url.clone(), connection: None };
        watch(replicas, move |replicas| {
            judge(&replicas.all[index], &mut probe, &primary);
        })?;
    }
    watch(replicas, move |_| follow(&mut probe, &primary))
}

/// Runs `look` at an interval in its own thread, until the replicas are dropped.
fn watch(
    replicas: &Arc<Replicas>,
    mut look: impl FnMut(&Replicas) + Send + 'static,
) -> Result<(), StartError> {
    let replicas: Weak<Replicas> = Arc::downgrade(replicas);
    let run = move || {
        while let Some(replicas) = replicas.upgrade() {
            look(&replicas);
            drop(replicas);
            thread::sleep(PROBE_INTERVAL);
        }
    };
    let thread = thread::Builder::new().name("replica watch".into()).spawn(run);
    thread.map(drop).map_err(|e| StartError::new(format!("a thread for the replicas cannot be started: {e}")))
}

/// Records the primary's position. While the primary does not answer, the recorded positions are used.
fn follow(probe: &mut ReplicaProbe, primary: &Mutex<Primary>) {
    let asked_at = Instant::now();
    match probe.ask() {
        Ok(reading) => {
            let mut primary = primary.lock();
            primary.origin = reading.origin;
            primary.positions.note(asked_at, reading.position);
        }
        Err(error) => log::debug!("the primary's position is unknown: {error}"),
    }
}

fn judge(replica: &Replica, probe: &mut ReplicaProbe, primary: &Mutex<Primary>) {
    let is_in_use = replica.is_in_use();
    // Hysteresis: a replica returns only after it has caught up, so that it does not flap.
    let limit = if is_in_use { MAX_LAG } else { MAX_LAG / 2 };
    let judgment = probe.ask().and_then(|reading| {
        let primary = primary.lock();
        *replica.lag.lock() = (primary.positions.lag(reading.position, Instant::now()), Instant::now());
        check(&reading, &primary, limit)?;
        Ok(is_in_use || primary.positions.is_past_start(reading.position))
    });
    match judgment {
        Ok(true) => replica.take_back().unwrap_or_else(|why| replica.leave_out(&why)),
        // It is still replaying what was written before the start. Not worth a log line.
        Ok(false) => {}
        Err(why) => replica.leave_out(&why),
    }
}

/// Checks whether a replica may be read from; the error says why not.
fn check(reading: &Reading, primary: &Primary, limit: Duration) -> Result<(), String> {
    if reading.origin != primary.origin {
        return Err("it is not a standby of the primary in DATABASE_URL".into());
    }
    if !reading.is_standby {
        return Err("it is not a standby: it accepts writes".into());
    }
    let lag = primary.positions.lag(reading.position, Instant::now());
    if lag > limit {
        return Err(format!("its lag is {} ms; the limit is {} ms", lag.as_millis(), limit.as_millis()));
    }
    Ok(())
}

impl ReplicaProbe {
    fn ask(&mut self) -> Result<Reading, String> {
        // Keep the connection only after a good answer.
        let mut db = match self.connection.take() {
            Some(db) => db,
            None => connect_with_settings(&self.url).map_err(|e| one_line(&e))?,
        };
        let reading = read(&mut db).map_err(|e| one_line(&e))?;
        self.connection = Some(db);
        Ok(reading)
    }
}

fn read(db: &mut Db) -> QueryResult<Reading> {
    match db {
        Db::Postgres(pg) => diesel::sql_query(PROBE).get_result::<Reading>(pg),
        // The settings allow replicas for PostgreSQL only.
        Db::Sqlite(_) => Err(diesel::result::Error::NotFound),
    }
}
