//! Connections: the listening socket, how many connections there may be, how many of them one network may hold, and how
//! long each may take.
//!
//! A browser keeps its connection between two polls, so an idle connection may stay longer than that. A request that
//! has begun has a deadline of its own, on the first request of a connection and on every later one. Actix has one
//! time-out for both, so this module assembles the server from actix's parts, over a stream with a clock
//! ([`timed_stream`]). Which connections may be opened, and which are ended when there are too many, is in [`table`].
//!
//! What a request says does not belong here: see `guard`.

pub mod body_allowance;
mod descriptors;
mod listener;
mod read_pace;
mod socket_owner;
mod table;
mod timed_stream;

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_http::body::{BoxBody, MessageBody};
use actix_http::{HttpService, Request, Response, ResponseHead};
use actix_server::ServerBuilder;
use actix_service::{IntoServiceFactory, ServiceFactory, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::dev::{AppConfig, Server};
use actix_web::error::Error;
use actix_web::rt::net::TcpStream;
use socket2::SockRef;

pub use self::descriptors::{fit, raise};
pub use self::listener::{listen, open_site};
pub use self::socket_owner::SocketOwner;
use self::table::ConnectionTable;
pub use self::table::{NetworkLimits, network_share};
use self::timed_stream::TimedStream;

/// Most open connections of one server; fewer where the limit of open files allows fewer ([`fit`]).
pub const CONNECTIONS_MAX: usize = 50_000;

/// How long a connection may be idle. Longer than the time between two polls of a page, and than a load balancer's
/// usual 60 s.
pub const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// How long a stopping server waits for the requests that it has begun.
pub const SHUTDOWN_SECONDS: u64 = 10;

/// The limits of connections.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// Most open connections; further ones wait in the backlog.
    pub connections: usize,
    /// Whether other servers may listen on the same port.
    pub reuse_port: bool,
    /// Worker threads; `None`: one for each core.
    pub workers: Option<usize>,
    /// How long a connection may be idle.
    pub keep_alive: Duration,
    /// From a request's first byte to its response's first byte, and how long a client may leave a response unread. One
    /// that reads slowly gets more time for larger responses ([`timed_stream`]).
    pub request_timeout: Duration,
}

/// Adds the server's own headers to every response.
pub type HeadHook = Arc<dyn Fn(&mut ResponseHead) + Send + Sync>;

/// Serves the app on a listening socket.
pub fn serve<A, I, S, B>(
    listener: TcpListener,
    limits: ConnectionLimits,
    networks: NetworkLimits,
    signature: HeadHook,
    app: impl Fn() -> A + Clone + Send + 'static,
) -> io::Result<Server>
where
    A: IntoServiceFactory<S, Request> + 'static,
    I: fmt::Debug,
    S: ServiceFactory<Request, Config = AppConfig, InitError = I> + 'static,
    S::Error: Into<Error> + 'static,
    S::Response: Into<Response<B>> + 'static,
    S::Service: 'static,
    B: MessageBody + 'static,
{
    let workers = limits.workers.unwrap_or_else(cores);
    listener::configure_accepted(&listener, limits.request_timeout)?;
    let builder = ServerBuilder::new()
        .workers(workers)
        .max_concurrent_connections(limits.connections.div_ceil(workers))
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .disable_signals();
    let table = Arc::new(ConnectionTable::new(limits.connections, networks));
    actix_web::rt::spawn(Arc::clone(&table).keep_room());
    let stopping = builder.graceful_shutdown_signal();
    let builder = builder.listen("site", listener, move || {
        let stopping = stopping.clone();
        let (sign, sign_error) = (Arc::clone(&signature), Arc::clone(&signature));
        let app = app().into_factory();
        let app = app.map(move |response| {
            let mut response: Response<B> = response.into();
            sign(response.head_mut());
            response
        });
        let app = app.map_err(move |error| {
            let mut response: Response<BoxBody> = error.into().error_response().into();
            sign_error(response.head_mut());
            response
        });
        let http = HttpService::build()
            .keep_alive(limits.keep_alive)
            // For connections without a request yet: browsers open some in advance.
            .client_request_timeout(limits.keep_alive)
            .on_connect_ext(|stream: &TimedStream, data| {
                data.insert(stream.allowance());
            })
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .h1(map_config(app, |()| AppConfig::default()));
        let table = Arc::clone(&table);
        fn_service(move |stream: TcpStream| {
            let accepted = accept(&table, stream, limits.request_timeout);
            async move { accepted }
        })
        .map_err(actix_http::error::DispatchError::Io)
        .and_then(http)
    })?;
    Ok(builder.run())
}

/// Accepts a connection that may stay. One that may not is reset, so that the system keeps nothing of it.
fn accept(
    table: &Arc<ConnectionTable>,
    stream: TcpStream,
    request_timeout: Duration,
) -> io::Result<(TimedStream, Option<SocketAddr>)> {
    let peer = stream.peer_addr()?;
    let Some(connection) = table.admit(peer.ip()) else {
        SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
        return Err(io::ErrorKind::ConnectionRefused.into());
    };
    // Actix sets it only on its own stream types.
    stream.set_nodelay(true)?;
    Ok((TimedStream::new(stream, connection, request_timeout), Some(peer)))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
}
