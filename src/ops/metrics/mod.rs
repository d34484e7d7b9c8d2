//! The metrics, as Prometheus reads them. What is counted all the time is in one registry, which the features
//! fill; what is only looked at when somebody asks is put together then. No label has values without end:
//! patterns of routes, never paths; names of outcomes, never of people.

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
use super::readiness::{Report, Status};
use super::request_metrics::Requests;
use super::{Identity, Watched};
use crate::booking::desk::Desk;
use crate::db::Database;
use crate::outbox::{self, Backlog};

const PREFIX: &str = "techkraft";

type Labeled = Family<[(&'static str, String); 1], Gauge<f64, AtomicU64>>;

pub(super) struct Metrics {
    registry: Registry,
    pub(super) requests: Arc<Requests>,
    mail: CachedProbe<Backlog>,
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
        registry.register("build", "What this is and where", Info::new(build));
        Self { registry, requests, mail: CachedProbe::default() }
    }

    /// Everything, as text.
    pub(super) async fn render(&self, watched: &Watched, report: &Report) -> Result<String, fmt::Error> {
        let ask = |db: &Database| db.probe_blocking(TIMEOUT, outbox::store::backlog);
        let backlog = self.mail.get(&watched.db, ask).await.found;
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        let mut now = Registry::with_prefix(PREFIX);
        look_at_readiness(&mut now, report);
        look_at_work(&mut now, watched);
        look_at_databases(&mut now, &watched.db);
        if let Ok(backlog) = backlog {
            look_at_mail(&mut now, &backlog);
        }
        encode(&mut text, &now)?;
        let mut process = Registry::with_prefix("process");
        process::look_at(&mut process);
        encode(&mut text, &process)?;
        Ok(text)
    }
}

fn look_at_readiness(now: &mut Registry, report: &Report) {
    gauge(now, "ready", "1 when visitors should be sent here", f64::from(report.status == Status::Ready));
    let is_draining = f64::from(report.status == Status::Draining);
    gauge(now, "draining", "1 when the server is about to stop", is_draining);
    let parts = Labeled::default();
    for part in &report.parts {
        set(&parts, "part", part.name, f64::from(part.ok));
    }
    now.register("ready_part", "1 for each part of readiness that is well", parts);
}

fn look_at_work(now: &mut Registry, watched: &Watched) {
    gauge(now, "desk_queue_orders", "Orders that wait at the desk", watched.desk.waiting() as f64);
    let most = watched.desk.limits().queue_length as f64;
    gauge(now, "desk_queue_limit_orders", "Orders that may wait; the next one hears 503", most);
    let help = "Since the desk's worker was last seen";
    seconds(now, "desk_silence", help, watched.desk.silence().as_secs_f64());
    seconds(now, "board_age", "Since all of the board was last read", watched.board.age().as_secs_f64());
    let pace = f64::from(watched.board.pace().seconds);
    seconds(now, "poll_interval", "What browsers are asked to leave between two polls", pace);
}

fn look_at_databases(now: &mut Registry, db: &Database) {
    let pool = db.pool_use();
    let connections = Labeled::default();
    set(&connections, "state", "busy", f64::from(pool.busy));
    set(&connections, "state", "idle", f64::from(pool.idle));
    now.register("pool_connections", "Database connections held, besides the desk's own", connections);
    gauge(now, "pool_limit_connections", "Most of them", f64::from(pool.limit));
    let (lag, in_use) = (Labeled::default(), Labeled::default());
    for replica in db.replica_statuses() {
        set(&lag, "replica", &replica.place, replica.lag.as_secs_f64());
        set(&in_use, "replica", &replica.place, f64::from(replica.is_in_use));
    }
    now.register_with_unit("replica_lag", "How far a replica is behind", Unit::Seconds, lag);
    now.register("replica_in_use", "1 when a replica is read from", in_use);
}

/// Of the whole site: each of its servers says the same.
fn look_at_mail(now: &mut Registry, backlog: &Backlog) {
    let mails = Labeled::default();
    set(&mails, "state", "queued", backlog.waiting.unsent() as f64);
    set(&mails, "state", "failed", backlog.waiting.failed as f64);
    now.register("mails", "Mails that are not sent: still to be tried, and given up", mails);
    let age = backlog.oldest.map_or(0.0, |oldest| (Utc::now().naive_utc() - oldest).as_seconds_f64());
    seconds(now, "mail_oldest_queued", "Since the mail was queued that has waited longest", age.max(0.0));
}

fn gauge(registry: &mut Registry, name: &str, help: &str, value: f64) {
    registry.register(name, help, ConstGauge::new(value));
}

fn seconds(registry: &mut Registry, name: &str, help: &str, value: f64) {
    registry.register_with_unit(name, help, Unit::Seconds, ConstGauge::new(value));
}

fn set(family: &Labeled, label: &'static str, value: &str, figure: f64) {
    family.get_or_create(&[(label, value.to_owned())]).set(figure);
}
