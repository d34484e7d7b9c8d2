//! The listening socket.

use std::io;
use std::net::{SocketAddr, TcpListener};

use super::ConnectionLimits;
use crate::error::StartError;

/// Where Linux keeps the most that any socket's backlog may hold.
const KERNEL_LIMIT: &str = "/proc/sys/net/core/somaxconn";

/// Listens on the address.
///
/// # Errors
/// One line that names the address and what is wrong with it.
pub fn listen(bind: SocketAddr, limits: &ConnectionLimits) -> Result<TcpListener, StartError> {
    let kernel_limit: Option<u32> =
        std::fs::read_to_string(KERNEL_LIMIT).ok().and_then(|text| text.trim().parse().ok());
    if let Some(most) = kernel_limit.filter(|&most| most < limits.backlog) {
        log::warn!(
            "LISTEN_BACKLOG={}: the system allows {most}; net.core.somaxconn raises it",
            limits.backlog
        );
    }
    open(bind, limits).map_err(|e| {
        let mend = "stop what uses that port, or choose another, as BIND=127.0.0.1:3001";
        StartError::setting("BIND", &bind.to_string(), &e.to_string(), mend)
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
    socket.listen(i32::try_from(limits.backlog).unwrap_or(i32::MAX))?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}
