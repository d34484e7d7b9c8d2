//! The program: from settings to a server that answers, and from a signal to its end. Tests start it
//! through the same door.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::{Compress, Logger, NormalizePath, TrailingSlash, from_fn};
use actix_web::{App as ActixApp, HttpServer, web};

use crate::admin::throttle::Throttle;
use crate::admin::{self, password};
use crate::booking::desk::Desk;
use crate::booking::request_key::RequestKeys;
use crate::config::Config;
use crate::db::{self, Database};
use crate::error::StartError;
use crate::events::board::{Board, keep_fresh};
use crate::guard::cookies::Cookies;
use crate::guard::{headers, origin, secret};
use crate::{events, routes};

/// Longer than the 5 s between two polls of a page, so that a browser keeps its connection.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Also met by idle connections that a browser keeps, so it is long; see `docs/architecture.md`.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a stopping server waits for the requests that it has begun.
const SHUTDOWN_SECONDS: u64 = 10;
const BACKLOG: i32 = 4096;

/// What handlers share.
pub struct App {
    pub config: Config,
    pub db: Database,
    pub board: Arc<Board>,
    pub desk: Desk,
    pub cookies: Cookies,
    pub request_keys: RequestKeys,
    pub sign_ins: Throttle,
    public_url: String,
}

impl App {
    /// The site's address as visitors know it, without a slash at the end.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// Whether visitors come over TLS, so that cookies may insist on it.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

/// A server that listens.
pub struct Started {
    pub address: SocketAddr,
    pub server: Server,
    /// The password that was made because there was none.
    pub new_password: Option<String>,
    /// The site's address as visitors know it.
    pub public_url: String,
}

/// Opens the database, migrates it, seeds it when it is empty, and listens. Called inside actix's runtime,
/// in which the server and what keeps the board fresh go on.
///
/// # Errors
/// One line that names what is wrong and the mend.
pub fn start(config: Config) -> Result<Started, StartError> {
    // The port first: when it is taken, nothing has been touched yet.
    let listener = listen(config.bind)?;
    let address = listener.local_addr().map_err(|e| StartError::new(e.to_string()))?;
    let (db, _) = open_database(&config)?;
    let new_password = ensure_admin(&db)?;
    let secret = secret::load(&config, &db)?;
    let public_url = config.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let board = Arc::new(Board::default());
    board.refresh_here(&db)?;
    actix_web::rt::spawn(keep_fresh(Arc::clone(&board), db.clone(), config.board_refresh));
    let desk = if config.desk_pretends {
        Desk::pretend(Arc::clone(&board), config.desk)?
    } else {
        Desk::open(&db, Arc::clone(&board), config.desk)?
    };
    let app = web::Data::new(App {
        board,
        desk,
        db,
        cookies: Cookies::new(&secret),
        request_keys: RequestKeys::new(&secret),
        sign_ins: Throttle::default(),
        public_url: public_url.clone(),
        config,
    });
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(app.clone())
            .configure(routes::configure)
            .wrap(from_fn(origin::same_origin))
            .wrap(Compress::default())
            .wrap(NormalizePath::new(TrailingSlash::Trim))
            .wrap(from_fn(headers::secure_headers))
            .wrap(request_log())
    })
    .keep_alive(KEEP_ALIVE)
    .client_request_timeout(REQUEST_TIMEOUT)
    .shutdown_timeout(SHUTDOWN_SECONDS)
    .disable_signals()
    .listen(listener)
    .map_err(|e| StartError::new(format!("cannot listen: {e}")))?
    .run();
    Ok(Started { address, server, new_password, public_url })
}

fn listen(bind: SocketAddr) -> Result<TcpListener, StartError> {
    let wrong = |e: std::io::Error| {
        let mend = "stop what uses that port, or choose another, as BIND=127.0.0.1:3001";
        StartError::setting("BIND", &bind.to_string(), &e.to_string(), mend)
    };
    let domain = socket2::Domain::for_address(bind);
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None).map_err(wrong)?;
    // A restart need not wait until the kernel has forgotten the old connections.
    #[cfg(unix)]
    socket.set_reuse_address(true).map_err(wrong)?;
    socket.bind(&bind.into()).and_then(|()| socket.listen(BACKLOG)).map_err(wrong)?;
    socket.set_nonblocking(true).map_err(wrong)?;
    Ok(socket.into())
}

/// The database, migrated and seeded, and whether it was seeded just now.
///
/// # Errors
/// One line that names what is wrong and the mend.
pub(crate) fn open_database(config: &Config) -> Result<(Database, bool), StartError> {
    db::migrate(&config.database_url)?;
    let db = Database::open(&config.database_url, config.database_pool_size)?;
    let seeded = db.write_here(|db| events::store::seed_if_empty(db, &events::seed::concert()))?;
    Ok((db, seeded))
}

/// Makes the admin's account when there is none, and returns its password, which is shown only now.
fn ensure_admin(db: &Database) -> Result<Option<String>, StartError> {
    if db.read_here(|db| admin::store::find_admin(db, admin::USERNAME))?.is_some() {
        return Ok(None);
    }
    let password = password::generate();
    let hash = hash(&password)?;
    let added = db.write_here(|db| admin::store::insert_admin(db, admin::USERNAME, &hash))?;
    Ok(added.then_some(password))
}

pub(crate) fn hash(password: &str) -> Result<String, StartError> {
    password::hash(password).map_err(|e| StartError::new(format!("the password cannot be hashed: {e}")))
}

/// SIGTERM and SIGINT: no new connections, and every request that has begun is answered.
pub(crate) fn stop_on_signal(server: ServerHandle) -> Result<(), StartError> {
    let stop = stop_signal().map_err(|e| StartError::new(format!("signals cannot be caught: {e}")))?;
    actix_web::rt::spawn(async move {
        stop.await;
        log::info!("stopping: requests that have begun are answered first");
        server.stop(true).await;
    });
    Ok(())
}

#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// One line a request: method, path, status, milliseconds.
fn request_log() -> Logger {
    Logger::new("%{method}xi %{path}xi %s %Dms")
        .log_target("techkraft::request")
        .custom_request_replace("method", |request| request.method().to_string())
        .custom_request_replace("path", |request| routes::without_secrets(request.path()))
}
