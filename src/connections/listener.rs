//! The listening socket.

use std::io;
use std::net::{SocketAddr, TcpListener};

use listenfd::ListenFd;
use socket2::SockRef;

use super::{ConnectionLimits, Departure};
use crate::start_error::StartError;

/// Where Linux keeps the most that any socket's backlog may hold.
const KERNEL_LIMIT: &str = "/proc/sys/net/core/somaxconn";

/// The door of the site: the socket that was handed over (`LISTEN_FDS`, sd_listen_fds(3)), the first of them,
/// or one on the address of `BIND`; and how it is left.
///
/// # Errors
/// One line that names what is wrong.
pub fn open_door(
    bind: SocketAddr,
    limits: &ConnectionLimits,
) -> Result<(TcpListener, Departure), StartError> {
    let handed_over = ListenFd::from_env().take_tcp_listener(0).and_then(|listener| {
        // Who has made it may have chosen another backlog, or to wait for connections.
        listener.inspect(|it| drop(SockRef::from(it).listen(backlog(limits)))).map_or(Ok(None), |it| {
            it.set_nonblocking(true)?;
            Ok(Some(it))
        })
    });
    let handed_over = handed_over.map_err(|e| {
        StartError::setting("LISTEN_FDS", "3", &e.to_string(), "hand over a listening TCP socket, or none")
    })?;
    if let Some(listener) = handed_over {
        log::info!("listening on the socket that was handed over; BIND is not looked at");
        return Ok((listener, Departure::HandedOver));
    }
    let listener = listen("BIND", bind, limits)?;
    let departure = match limits.reuse_port.then(|| listener.try_clone()) {
        Some(second) => Departure::OneOfSeveral(second.map_err(|e| StartError::new(e.to_string()))?),
        None => Departure::Alone,
    };
    Ok((listener, departure))
}

fn backlog(limits: &ConnectionLimits) -> i32 {
    i32::try_from(limits.backlog).unwrap_or(i32::MAX)
}

/// Listens on the address that a setting names.
///
/// # Errors
/// One line that names the address and what is wrong with it.
pub fn listen(setting: &str, bind: SocketAddr, limits: &ConnectionLimits) -> Result<TcpListener, StartError> {
    let kernel_limit: Option<u32> =
        std::fs::read_to_string(KERNEL_LIMIT).ok().and_then(|text| text.trim().parse().ok());
    if let Some(most) = kernel_limit.filter(|&most| most < limits.backlog) {
        log::warn!(
            "LISTEN_BACKLOG={}: the system allows {most}; net.core.somaxconn raises it",
            limits.backlog
        );
    }
    open(bind, limits).map_err(|e| {
        let hint = format!("stop what uses that port, or choose another, as {setting}=127.0.0.1:3001");
        StartError::setting(setting, &bind.to_string(), &e.to_string(), &hint)
    })
}

fn open(bind: SocketAddr, limits: &ConnectionLimits) -> io::Result<TcpListener> {
    let domain = socket2::Domain::for_address(bind);
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None)?;
    #[cfg(unix)]
    {
        // A restart need not wait until the kernel has forgotten the old connections.
        socket.set_reuse_address(true)?;
        // Asked for only when it is wanted: two servers that share a port by mistake are hard to find.
        socket.set_reuse_port(limits.reuse_port)?;
    }
    socket.bind(&bind.into())?;
    socket.listen(backlog(limits))?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}
