//! How a server leaves its port when it stops.
//!
//! The kernel completes connections and queues them on the listening socket until they are accepted. A socket that
//! systemd handed over outlives this process, so the next server accepts what still waits in its queue. A socket of
//! our own is closed, and its queue with it.

use std::time::Duration;

use actix_web::dev::ServerHandle;

/// Time for connections that were just accepted to send their request and get a response.
const LAST_REQUESTS: Duration = Duration::from_millis(500);

/// Who owns the listening socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocketOwner {
    /// This process: its end closes the port.
    Own,
    /// The service manager, which keeps it open.
    HandedOver,
}

impl SocketOwner {
    /// Stops accepting connections on a socket that was handed over, and gives those just accepted time for their
    /// request. A socket of our own is closed when the server stops.
    pub async fn leave(self, server: &ServerHandle) {
        if self == Self::HandedOver {
            server.pause().await;
            tokio::time::sleep(LAST_REQUESTS).await;
        }
    }
}
