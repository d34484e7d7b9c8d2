//! The metrics for Prometheus. Counters stand in one registry, where the features register them; gauges are read when
//! Prometheus asks. Labels have few values: URL patterns, not paths; outcomes, never names of people.
//!
//! What a feature counts does not belong here: the feature has its counters, and registers them.

mod payments;
mod process;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use chrono::Utc;
use prometheus_client::encoding::prometheus_text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

pub(super) use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;

use super::cached_probe::{CachedProbe, TIMEOUT};
use super::readiness::{ReadinessReport, ReadinessStatus};
use super::request_metrics::Requests;
use super::{Identity, Watched};
use crate::booking::desk::Desk;
use crate::db::Database;
use crate::outbox::{self, Backlog};
use crate::payment::store::backlog::{self, PaymentBacklog};
use crate::queue::rooms::Rooms;

const PREFIX: &str = "techkraft";

type Labeled = Family<[(&'static str, String); 1], Gauge<f64, AtomicU64>>;

pub(super) struct Metrics {
    registry: Registry,
    pub(super) requests: Arc<Requests>,
    mail: CachedProbe<Backlog>,
    payments: CachedProbe<PaymentBacklog>,
}

impl Metrics {
    pub(super) fn new(identity: &Identity, db: &Database, desk: &Desk) -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let requests = Arc::<Requests>::default();
        registry.register_collector(Box::new(Arc::clone(&requests)));
        desk.register(&mut registry);
        db.register(&mut registry);
        let build = [
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("region", identity.region().to_owned()),
            ("server", identity.server.clone()),
        ];
        registry.register("build", "Version, region and name of this server", Info::new(build));
        Self { registry, requests, mail: CachedProbe::default(), payments: CachedProbe::default() }
    }

    /// All metrics, in Prometheus's text format.
    pub(super) async fn render(
        &self,
        watched: &Watched,
        report: &ReadinessReport,
    ) -> Result<String, fmt::Error> {
        let ask = |db: &Database| db.probe_blocking(TIMEOUT, outbox::store::backlog);
        let backlog = self.mail.get(&watched.db, ask).await.found;
        let ask = |db: &Database| db.probe_blocking(TIMEOUT, backlog::backlog);
        let unpaid = self.payments.get(&watched.db, ask).await.found;
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        let mut now = Registry::with_prefix(PREFIX);
        add_readiness(&mut now, report);
        add_work(&mut now, watched);
        add_waiting_rooms(&mut now, &watched.rooms);
        add_databases(&mut now, &watched.db);
        if let Ok(backlog) = backlog {
            add_mail(&mut now, &backlog);
        }
        if let Ok(backlog) = unpaid {
            payments::add(&mut now, &backlog);
        }
        encode(&mut text, &now)?;
        let mut process = Registry::with_prefix("process");
        process::add(&mut process);
        encode(&mut text, &process)?;
        Ok(text)
    }
}

fn add_readiness(now: &mut Registry, report: &ReadinessReport) {
    gauge(
        now,
        "ready",
        "1 if visitors should be sent to this server",
        f64::from(report.status == ReadinessStatus::Ready),
    );
    let is_draining = f64::from(report.status == ReadinessStatus::Draining);
    gauge(now, "draining", "1 while the server is about to stop", is_draining);
    let parts = Labeled::default();
    for part in &report.parts {
        set(&parts, "part", part.name, f64::from(part.ok));
    }
    now.register("ready_part", "1 for each readiness check that passes", parts);
}

fn add_work(now: &mut Registry, watched: &Watched) {
    gauge(now, "desk_queue_orders", "Orders waiting at the desk", watched.desk.waiting() as f64);
    let most = watched.desk.limits().queue_length as f64;
    gauge(now, "desk_queue_limit_orders", "Most orders that may wait; more are refused with 503", most);
    let help = "Time since the desk worker's last heartbeat";
    seconds(now, "desk_silence", help, watched.desk.silence().as_secs_f64());
    seconds(now, "board_age", "Time since the whole board was last read", watched.board.age().as_secs_f64());
    let pace = f64::from(watched.board.pace().seconds);
    seconds(now, "poll_interval", "Polling interval that browsers are told", pace);
}

/// For the whole site, as this server knows it; the silence is its own.
fn add_waiting_rooms(now: &mut Registry, rooms: &Rooms) {
    let totals = rooms.totals();
    gauge(now, "waiting_rooms", "Waiting rooms that are switched on", totals.rooms as f64);
    let waiting = totals.people_waiting as f64;
    gauge(now, "waiting_room_people", "People in lobbies and lines who are not served", waiting);
    let passes = totals.passes_out as f64;
    gauge(now, "waiting_room_passes", "Passes of waiting rooms that are good and not used", passes);
    let help = "Time since the lines were last read and moved on";
    seconds(now, "waiting_room_silence", help, rooms.silence().as_secs_f64());
}

fn add_databases(now: &mut Registry, db: &Database) {
    let pool = db.pool_use();
    let connections = Labeled::default();
    set(&connections, "state", "busy", f64::from(pool.busy));
    set(&connections, "state", "idle", f64::from(pool.idle));
    now.register("pool_connections", "Database connections in the pool; the desk has its own", connections);
    gauge(now, "pool_limit_connections", "Most connections in the pool", f64::from(pool.limit));
    let (lag, in_use) = (Labeled::default(), Labeled::default());
    for replica in db.replica_statuses() {
        set(&lag, "replica", &replica.place, replica.lag.as_secs_f64());
        set(&in_use, "replica", &replica.place, f64::from(replica.is_in_use));
    }
    now.register_with_unit("replica_lag", "Replication lag", Unit::Seconds, lag);
    now.register("replica_in_use", "1 while reads go to this replica", in_use);
}

/// For the whole site: every server reports the same.
fn add_mail(now: &mut Registry, backlog: &Backlog) {
    let mails = Labeled::default();
    set(&mails, "state", "queued", backlog.waiting.unsent() as f64);
    set(&mails, "state", "failed", backlog.waiting.failed as f64);
    now.register("mails", "Emails not sent: queued to be tried again, or failed for good", mails);
    let age = backlog.oldest.map_or(0.0, |oldest| (Utc::now().naive_utc() - oldest).as_seconds_f64());
    seconds(now, "mail_oldest_queued", "Age of the oldest queued email", age.max(0.0));
}

fn gauge(registry: &mut Registry, name: &str, help: &str, value: f64) {
    registry.register(name, help, ConstGauge::new(value));
}

fn seconds(registry: &mut Registry, name: &str, help: &str, value: f64) {
    registry.register_with_unit(name, help, Unit::Seconds, ConstGauge::new(value));
}

fn set(family: &Labeled, label: &'static str, value: &str, number: f64) {
    family.get_or_create(&[(label, value.to_owned())]).set(number);
}
