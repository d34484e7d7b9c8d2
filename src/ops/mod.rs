//! For operators: liveness, readiness and metrics, which server this is, and how it stops.
//!
//! `/healthz` answers from memory while the process runs. `/readyz` checks everything that a booking needs: a load
//! balancer sends visitors to servers that are ready. `/metrics` is for Prometheus. With `OPS_BIND` they have a port
//! of their own, which responds however busy the visitors' threads are.
//!
//! The counters of a feature belong to the feature, which registers them here.

mod cached_probe;
pub mod drain;
pub mod health_check;
pub mod identity;
mod metrics;
pub mod pages;
pub mod readiness;
mod request_metrics;
#[cfg(unix)]
pub mod systemd;
#[cfg(not(unix))]
pub mod systemd {
    //! No systemd on this platform.
    use actix_web::web;

    pub fn notify_ready(_: &web::Data<super::Ops>) {}
    pub fn notify_stopping() {}
}

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::{App as ActixApp, HttpServer, web};
use parking_lot::Mutex;

pub use self::identity::{Identity, OperationsConfig};
use self::metrics::Metrics;
use self::readiness::Readiness;
pub use self::request_metrics::Recorder;
use crate::booking::desk::Desk;
use crate::connections;
use crate::db::Database;
use crate::error::Error;
use crate::events::board::Board;
use crate::heartbeat::Heartbeat;
use crate::queue::rooms::Rooms;
use crate::start_error::StartError;

/// The state of this server.
pub struct Ops {
    pub identity: Identity,
    is_draining: Arc<AtomicBool>,
    /// One heartbeat for each of the threads that serve, for as long as it lives.
    threads: Mutex<Vec<Weak<Heartbeat>>>,
    readiness: Readiness,
    metrics: Metrics,
    /// From the signal to stop until no more connections are accepted.
    drain: Duration,
    watched: Watched,
}

/// What readiness and the metrics read.
struct Watched {
    db: Database,
    desk: Arc<Desk>,
    board: Arc<Board>,
    rooms: Arc<Rooms>,
    board_refresh: Duration,
}

impl Ops {
    #[must_use]
    pub fn new(
        config: &OperationsConfig,
        db: &Database,
        desk: &Arc<Desk>,
        board: &Arc<Board>,
        rooms: &Arc<Rooms>,
        board_refresh: Duration,
    ) -> Self {
        let identity = config.identity.clone();
        Self {
            metrics: Metrics::new(&identity, db, desk),
            identity,
            is_draining: Arc::default(),
            threads: Mutex::default(),
            readiness: Readiness::default(),
            drain: config.drain,
            watched: Watched {
                db: db.clone(),
                desk: Arc::clone(desk),
                board: Arc::clone(board),
                rooms: Arc::clone(rooms),
                board_refresh,
            },
        }
    }

    /// The heartbeat of a thread that serves, which it must keep beating.
    #[must_use]
    pub fn thread_heartbeat(&self) -> Arc<Heartbeat> {
        let heartbeat = Arc::<Heartbeat>::default();
        let mut threads = self.threads.lock();
        threads.retain(|known| known.strong_count() > 0);
        threads.push(Arc::downgrade(&heartbeat));
        heartbeat
    }

    /// The longest time since a server thread's last heartbeat; `None` if no thread runs.
    fn threads_silence(&self) -> Option<Duration> {
        self.threads.lock().iter().filter_map(Weak::upgrade).map(|heartbeat| heartbeat.age()).max()
    }

    /// A recorder that counts the requests of the calling thread.
    #[must_use]
    pub fn recorder(&self) -> Recorder {
        self.metrics.requests.recorder()
    }

    /// Whether the server is about to stop.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::Relaxed)
    }

    fn begin_draining(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }

    /// Adds to every response the name of the server and, while it is draining, `Connection: close`.
    #[must_use]
    pub fn signature(&self) -> connections::HeadHook {
        let is_draining = Arc::clone(&self.is_draining);
        let served_by = self.identity.header();
        Arc::new(move |head| {
            head.headers_mut().insert(identity::SERVED_BY, served_by.clone());
            let switches = head.status == StatusCode::SWITCHING_PROTOCOLS;
            if is_draining.load(Ordering::Relaxed) && !switches {
                head.set_connection_type(ConnectionType::Close);
            }
        })
    }
}

/// Listens on the port of `OPS_BIND`, if it is set.
///
/// # Errors
/// One line that names the address and what is wrong with it.
pub fn listen(config: &OperationsConfig, reuse_port: bool) -> Result<Option<TcpListener>, StartError> {
    let bind = |address| connections::listen("OPS_BIND", address, reuse_port);
    config.bind.map(bind).transpose()
}

/// Serves this module's pages on that port, on a thread of their own, until the process ends.
///
/// # Errors
/// If the socket cannot be used.
pub fn serve(listener: TcpListener, ops: web::Data<Ops>) -> Result<Server, StartError> {
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(ops.clone())
            .configure(pages::on_own_port)
            .default_service(web::to(|| async { Err::<&str, _>(Error::NotFound) }))
    });
    let server = server.workers(1).disable_signals().listen(listener);
    Ok(server.map_err(|e| StartError::new(format!("cannot listen: {e}")))?.run())
}
