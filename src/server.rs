//! The server: opens the database, wires the parts together, binds the port and runs. Tests start it the same way.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::web::ServiceConfig;
use actix_web::{App as ActixApp, web};
use chrono::Utc;

use crate::api::middleware::ApiMiddleware;
use crate::app::{App, HeavyWork};
use crate::audit::Actor;
use crate::auth::invitation::InvitationSeal;
use crate::auth::store::accounts::{self, NewPassword};
use crate::auth::{self, Auth, first_password, password};
use crate::background::keep_running;
use crate::booking::desk::Desk;
use crate::booking::lookup::link::BookingLinks;
use crate::booking::request_key::RequestKeys;
use crate::config::Config;
use crate::connections::{self, ConnectionLimits, NetworkLimits, SocketOwner};
use crate::db::{self, Database};
use crate::events::board::Board;
use crate::events::pace::lag::{self, Lag};
use crate::events::pace::{self, PollSeconds};
use crate::events::refresher::keep_fresh;
use crate::events::shared_board::{self, SharedBoard};
use crate::guard::cookies::Cookies;
use crate::guard::limits::Limits;
use crate::guard::limits::middleware::RateLimit;
use crate::guard::limits::shared::{self as shared_limits, SharedLimits};
use crate::guard::limits::tickets::TicketCounter;
use crate::guard::secret::Secrets;
use crate::guard::{GuardSettings, csrf, headers, own_host, request_log, request_validation};
use crate::mail::service::{MailService, open as open_mail};
use crate::mail::suppression::SuppressionLinks;
use crate::ops::drain::Workers;
use crate::ops::{self, Ops};
use crate::outbox::wakeup::Wakeup;
use crate::page::{SiteLinks, TestMode};
use crate::queue::mover::open_rooms;
use crate::rehearsal::runner::{OwnAddress, keep_rehearsing};
use crate::start_error::StartError;
use crate::tickets::code::TicketCodes;
use crate::tickets::link::TicketLinks;
use crate::tickets::signers;
use crate::{events, routes, site};

/// A server that listens.
pub struct Started {
    pub address: SocketAddr,
    /// Where health, readiness and metrics have a port of their own.
    pub ops_address: Option<SocketAddr>,
    pub server: Server,
    /// Who owns the listening socket, and so how the port is released.
    pub socket_owner: SocketOwner,
    pub ops: web::Data<Ops>,
    /// The first password, which was made because there was no account.
    pub new_password: Option<String>,
    /// The site's address as visitors know it.
    pub public_url: String,
    pub workers: Workers,
    /// What its handlers share. Its database is to be closed at the end.
    pub app: web::Data<App>,
}

/// Opens the desk, on a database and a board, with the wakeup of the outbox.
pub type OpenDesk = Box<dyn FnOnce(&Database, Arc<Board>, Arc<Wakeup>) -> Result<Desk, StartError>>;

/// Listens, opens the database, migrates it, seeds it when it is empty, and wires the parts together. Called inside
/// actix's runtime, which then runs the server and the background tasks.
///
/// # Errors
/// One line that says what is wrong and how to fix it.
pub fn start(config: Config) -> Result<Started, StartError> {
    let limits = config.desk;
    start_with(config, Box::new(move |db, board, wakeup| Desk::open(db, board, wakeup, limits)))
}

/// The same with another desk: a benchmark uses one that books nothing.
///
/// # Errors
/// As [`start`].
pub fn start_with(config: Config, open_desk: OpenDesk) -> Result<Started, StartError> {
    // The port first: when it is taken, nothing has been touched yet.
    let (listener, socket_owner) = connections::open_site(config.bind, config.connections.reuse_port)?;
    let ops_listener = ops::listen(&config.operations, config.connections.reuse_port)?;
    let ops_address = ops_listener.as_ref().and_then(|listener| listener.local_addr().ok());
    let address = listener.local_addr().map_err(|e| StartError::new(e.to_string()))?;
    let (db, (limits, networks)) = (open_database(&config)?.0, connection_limits(&config));
    let (new_password, secrets) = (ensure_admin(&db)?, signers::load(&config.secrets, &db)?);
    let (db, public_url) = (db.with_replicas(&config.replicas)?, public_url(&config, address));
    let board = open_board(&db, &config, &secrets)?;
    let MailService { wakeup, sender: mail, from } = open_mail(&config.mail, &db, &public_url, &secrets)?;
    let desk = Arc::new(open_desk(&db, Arc::clone(&board), Arc::clone(&wakeup))?);
    let (payments, workers) = keep_running(&config, &db, &board, &desk, (&wakeup, &public_url), mail)?;
    let cookies = Cookies::new(&secrets, public_url.starts_with("https://"));
    let rooms = open_rooms(&db, &board, &secrets)?;
    let ops = web::Data::new(Ops::new(&config.operations, &db, &desk, &board, &rooms, config.board_refresh));
    let own = OwnAddress::new(address, &public_url, limits.connections);
    let (guard, rates) = (guard_settings(&config, &own, &db), rate_limits(&config, &secrets));
    let app = web::Data::new(App {
        rooms,
        board,
        desk,
        box_office: site::open(&db)?,
        auth: Auth::open(&db, &cookies, &secrets, config.sessions, config.sign_in_pace),
        db,
        cookies,
        request_keys: RequestKeys::new(&secrets),
        ticket_codes: TicketCodes::new(&secrets),
        ticket_links: TicketLinks::new(&secrets),
        booking_links: BookingLinks::new(&secrets),
        suppression_links: SuppressionLinks::new(&secrets),
        invitation_seal: InvitationSeal::new(&secrets),
        form_ages: config.forms,
        ticket_counter: TicketCounter::new(rates.clone()),
        outbox_wakeup: wakeup,
        public_url: public_url.clone(),
        mail_sender: from,
        allow_reseed: config.allow_reseed,
        heavy_work: HeavyWork::default(),
        payments,
        mail_folder: config.mail.destination.folder().map(Into::into),
    });
    let (guard, site_links) = (web::Data::new(guard), web::Data::new(config.site_links));
    let (operations, cors_origins, lag) =
        (config.operations, config.cors_origins, keep_pace(&app, config.poll, own));
    serve_ops(ops_listener, &ops)?;
    let (on_thread, shared) = (ops.clone(), app.clone());
    let server = connections::serve(listener, limits, networks, ops.signature(), move || {
        // Called once on each of the server's threads.
        actix_web::rt::spawn(lag::measure(Arc::clone(&lag), on_thread.thread_heartbeat()));
        let recorder = on_thread.recorder();
        ActixApp::new()
            .configure(app_data(&shared, &guard, &site_links))
            .app_data(on_thread.clone())
            .configure(ops::pages::beside_site(&operations))
            .configure(routes::configure)
            .wrap(RateLimit::new(guard.clone(), rates.clone()))
            .wrap(from_fn(csrf::same_origin))
            .wrap(from_fn(own_host::redirect_to_own_host))
            .wrap(from_fn(request_validation::validate_requests))
            .wrap(ApiMiddleware::new(cors_origins.clone()))
            .wrap(from_fn(headers::secure_headers))
            .wrap(from_fn(request_log::log_requests))
            .wrap_fn(move |request, service| recorder.measure(request, service))
    })
    .map_err(|e| StartError::new(format!("cannot listen: {e}")))?;
    log::info!("this is {}, version {}, on {address}", ops.identity.at_home(), env!("CARGO_PKG_VERSION"));
    Ok(Started { address, ops_address, server, socket_owner, ops, new_password, public_url, workers, app })
}

/// The app data for handlers, extractors and middlewares.
fn app_data(
    app: &web::Data<App>,
    guard: &web::Data<GuardSettings>,
    site_links: &web::Data<SiteLinks>,
) -> impl FnOnce(&mut ServiceConfig) + use<> {
    let (app, guard, site_links) = (app.clone(), guard.clone(), site_links.clone());
    let cookies = web::Data::new(app.cookies.clone());
    let test_mode = TestMode(app.payments.as_ref().is_some_and(|payments| !payments.live));
    move |site| {
        site.app_data(app.auth.clone()).app_data(app.box_office.clone()).app_data(app);
        site.app_data(cookies).app_data(guard).app_data(site_links).app_data(test_mode);
    }
}

/// Health, readiness and metrics on the port of their own, where there is one.
fn serve_ops(listener: Option<TcpListener>, ops: &web::Data<Ops>) -> Result<(), StartError> {
    if let Some(listener) = listener {
        actix_web::rt::spawn(ops::serve(listener, ops.clone())?);
    }
    Ok(())
}

/// Reads the board, and keeps it fresh.
fn open_board(db: &Database, config: &Config, secrets: &Secrets) -> Result<Arc<Board>, StartError> {
    let board = Arc::new(Board::new(config.poll));
    board.refresh_blocking(db)?;
    let shared = share(&board, config, secrets);
    actix_web::rt::spawn(keep_fresh(Arc::clone(&board), db.clone(), shared, config.board_refresh));
    Ok(board)
}

/// `PUBLIC_URL`, or the address that the server listens on.
fn public_url(config: &Config, address: SocketAddr) -> String {
    let url = config.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    if config.public_url.is_none() && !address.ip().is_loopback() {
        log::warn!("PUBLIC_URL is not set: links to bookings will begin with {url}");
    }
    url
}

/// The settings of the middlewares.
fn guard_settings(config: &Config, own: &OwnAddress, db: &Database) -> GuardSettings {
    GuardSettings {
        is_https: own.public_url.starts_with("https://"),
        is_private: config.operations.is_private,
        trusted_proxies: config.trusted_proxies.clone().with_own_key(&own.key),
        api_tokens: config.api_tokens.clone().with_site(db.clone()),
        api_bookings: config.api_bookings,
        public_url: config.public_url.clone(),
    }
}

/// Starts the task that slows browsers down while the server is under stress, and the one that runs
/// rehearsals. Returns the lag, which the server's threads measure.
fn keep_pace(app: &web::Data<App>, poll: PollSeconds, own: OwnAddress) -> Arc<Lag> {
    actix_web::rt::spawn(keep_rehearsing(app.clone(), own));
    let lag = Arc::<Lag>::default();
    let (desk, board) = (Arc::clone(&app.desk), Arc::clone(&app.board));
    let queue_fill = move || desk.queue_fill();
    let set_load = move |is_high, under_stress| board.set_load(is_high, under_stress);
    actix_web::rt::spawn(pace::keep(poll, set_load, Arc::clone(&lag), queue_fill));
    lag
}

/// Joins the board that the servers share, if there is a Redis.
fn share(board: &Arc<Board>, config: &Config, secrets: &Secrets) -> Option<Arc<SharedBoard>> {
    let shared = Arc::new(SharedBoard::new(config.redis_url.as_ref()?, secrets, config.board_refresh));
    actix_web::rt::spawn(Arc::clone(&shared).stay_connected(Arc::clone(board)));
    Some(shared)
}

/// The rate limits, counted together with the other servers if there is a Redis.
fn rate_limits(config: &Config, secrets: &Secrets) -> Option<Arc<Limits>> {
    let Some(rates) = &config.rate_limits else {
        log::warn!(
            "RATE_LIMITS=off: requests are not rate limited, and forms sent too fast are accepted; use this for load tests only"
        );
        return None;
    };
    let shared = config.redis_url.as_ref().map(|url| Arc::new(SharedLimits::new(url, secrets)));
    if let Some(shared) = &shared {
        actix_web::rt::spawn(Arc::clone(shared).stay_connected());
    }
    Some(Arc::new(Limits::new(rates, shared)))
}

/// The limits of the settings, lowered to what the system allows.
fn connection_limits(config: &Config) -> (ConnectionLimits, NetworkLimits) {
    // The desk has its own connection, and so has each watcher: one for each replica, one for the primary.
    let replicas = config.replicas.urls.len() * (config.replicas.pool_size as usize + 1);
    let redis = shared_board::CONNECTIONS + shared_limits::CONNECTIONS;
    let redis = if config.redis_url.is_some() { redis } else { 0 };
    let others = config.database_pool_size as usize + replicas + 2 + redis;
    let connections = connections::fit(config.connections.connections, others, connections::raise());
    let proxies = config.trusted_proxies.clone();
    let networks = NetworkLimits { proxies, is_on: config.rate_limits.is_some() };
    (ConnectionLimits { connections, ..config.connections }, networks)
}

/// The database, migrated and seeded, and whether it was seeded just now.
///
/// # Errors
/// One line that says what is wrong and how to fix it.
pub(crate) fn open_database(config: &Config) -> Result<(Database, bool), StartError> {
    db::migrate(&config.database_url)?;
    let db = Database::open(&config.database_url, config.database_pool_size)?;
    db.file().inspect(|file| db::permissions::warn_if_open(file));
    // Checked first: a server that takes over from one that sells has nothing to write, and its turn to write
    // might come later than SQLite's busy timeout.
    let seeded = db.read_primary_blocking(events::store::is_empty)?
        && db.write_blocking(|db| events::store::seed_if_empty(db, &events::seed::concert()))?;
    Ok((db, seeded))
}

/// Makes the admin's account when there is no account at all, and returns its first password, which is shown only now.
fn ensure_admin(db: &Database) -> Result<Option<String>, StartError> {
    if let Some(account) = db.read_primary_blocking(|db| accounts::find(db, auth::USERNAME))? {
        if account.first_password_ends_at.is_none_or(|ends_at| ends_at <= Utc::now().naive_utc()) {
            // The first password is of no use any more: it was changed, perhaps at another server, or has expired.
            first_password::delete(db.file());
        }
        return Ok(None);
    }
    // An owner has removed the admin's account.
    if db.read_primary_blocking(accounts::is_any)? {
        return Ok(None);
    }
    let (password, new) = make_first_password()?;
    let actor = Actor::server();
    let added = db.write_blocking(|db| accounts::insert(db, auth::USERNAME, &new, &actor))?;
    Ok(added.then_some(password))
}

/// A new first password, and what the database keeps of it.
pub(crate) fn make_first_password() -> Result<(String, NewPassword), StartError> {
    let password = password::generate();
    let hash = hash(&password)?;
    Ok((password, NewPassword { hash, first_password_ends_at: Some(first_password::ends_at()) }))
}

pub(crate) fn hash(password: &str) -> Result<String, StartError> {
    password::hash(password).map_err(|e| StartError::new(format!("the password cannot be hashed: {e}")))
}
