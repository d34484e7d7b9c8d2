//! The listening socket.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use listenfd::ListenFd;
use socket2::SockRef;

use super::SocketOwner;
use crate::start_error::StartError;

/// Linux's limit for every socket's backlog.
const KERNEL_LIMIT: &str = "/proc/sys/net/core/somaxconn";

/// Connections that may wait to be accepted; `net.core.somaxconn` may lower it.
const BACKLOG: i32 = 4096;

/// Opens the site's socket: the one that was handed over (`LISTEN_FDS`, sd_listen_fds(3)), the first if there are
/// several, or a new one on `BIND`.
pub fn open_site(bind: SocketAddr, reuse_port: bool) -> Result<(TcpListener, SocketOwner), StartError> {
    let handed_over = ListenFd::from_env().take_tcp_listener(0).and_then(|listener| {
        // The service manager may have set another backlog, or blocking mode.
        listener.inspect(|it| drop(SockRef::from(it).listen(BACKLOG))).map_or(Ok(None), |it| {
            it.set_nonblocking(true)?;
            Ok(Some(it))
        })
    });
    let handed_over = handed_over.map_err(|e| {
        StartError::setting("LISTEN_FDS", "3", &e.to_string(), "hand over a listening TCP socket, or none")
    })?;
    if let Some(listener) = handed_over {
        log::info!("listening on the socket that was handed over; BIND is ignored");
        return Ok((listener, SocketOwner::HandedOver));
    }
    Ok((listen("BIND", bind, reuse_port)?, SocketOwner::Own))
}

/// Listens on the address that a setting names.
pub fn listen(setting: &str, bind: SocketAddr, reuse_port: bool) -> Result<TcpListener, StartError> {
    let kernel_limit: Option<i32> =
        std::fs::read_to_string(KERNEL_LIMIT).ok().and_then(|text| text.trim().parse().ok());
    if let Some(most) = kernel_limit.filter(|&most| most < BACKLOG) {
        log::warn!("only {most} connections may wait to be accepted; net.core.somaxconn={BACKLOG} raises it");
    }
    open(bind, reuse_port).map_err(|e| {
        let hint = format!("stop what uses that port, or choose another, as {setting}=127.0.0.1:3001");
        StartError::setting(setting, &bind.to_string(), &e.to_string(), &hint)
    })
}

/// Most bytes of responses that the system keeps for a client before it sends them. What a slow client has not taken
/// then waits in the program, where its pace is watched.
#[cfg(target_os = "linux")]
const UNSENT_MAX: u32 = 16 * 1024;

/// Settings that the system copies to each accepted connection. A client that acknowledges nothing for as long as
/// `timeout`, or keeps its window closed, is given up by the system, also after the program has closed the connection.
pub(super) fn configure_accepted(listener: &TcpListener, timeout: Duration) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        let socket = SockRef::from(listener);
        socket.set_tcp_notsent_lowat(UNSENT_MAX)?;
        socket.set_tcp_user_timeout(Some(timeout))?;
    }
    let _ = (listener, timeout);
    Ok(())
}

fn open(bind: SocketAddr, reuse_port: bool) -> io::Result<TcpListener> {
    let domain = socket2::Domain::for_address(bind);
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None)?;
    #[cfg(unix)]
    {
        // A restart need not wait until the kernel has forgotten the old connections.
        socket.set_reuse_address(true)?;
        // Only on request: two servers that share a port by mistake are hard to find.
        socket.set_reuse_port(reuse_port)?;
    }
    socket.bind(&bind.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}
