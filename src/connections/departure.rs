//! How a port is left that others listen on, too, without losing whoever waits to be accepted.
//!
//! A connection is made by the kernel and waits in the queue of one listening socket. Where that socket was
//! handed over and is shared, nobody has to do anything: whoever is still there takes the connection from the
//! same queue. With SO_REUSEPORT each server has a queue of its own, and what waits in it is reset when it is
//! closed (unless `net.ipv4.tcp_migrate_req` is on). So that queue must be emptied, and nothing new may come
//! into it meanwhile: a filter on the socket drops who asks for a connection. Their kernel asks again after a
//! second (RFC 6298, section 2), and by then another socket of the group answers.

use std::net::TcpListener;
use std::time::Duration;

use actix_web::dev::ServerHandle;

/// For as long a connection that has just been accepted may take to say what it wants, and have its answer:
/// less than the second after which those who were not let in ask again.
const LAST_CALL: Duration = Duration::from_millis(500);

/// Whom a listening socket belongs to.
#[derive(Debug)]
pub enum Departure {
    /// To this process alone: when it goes, the port is closed.
    Alone,
    /// To others as well.
    HandedOver,
    /// One of several sockets on the port. A second handle on ours.
    OneOfSeveral(TcpListener),
}

impl Departure {
    /// Lets nobody in any more, and waits until those who are inside have said what they want.
    pub async fn leave(self, server: &ServerHandle) {
        match self {
            Self::Alone => {}
            Self::HandedOver => {
                server.pause().await;
                tokio::time::sleep(LAST_CALL).await;
            }
            Self::OneOfSeveral(socket) => {
                if let Err(error) = refuse_newcomers(&socket) {
                    log::warn!("whoever connects now may be refused: {error}");
                }
                tokio::time::sleep(LAST_CALL).await;
            }
        }
    }
}

/// Drops every packet that begins a connection (SYN without ACK, RFC 9293, section 3.1), so that its sender
/// tries again, and lets those pass that finish one.
#[cfg(target_os = "linux")]
fn refuse_newcomers(socket: &TcpListener) -> std::io::Result<()> {
    use socket2::SockFilter;

    /// Classic BPF: load the byte with the flags, keep SYN and ACK, and drop the packet if SYN is alone.
    const FILTER: [SockFilter; 5] = [
        SockFilter::new(0x30, 0, 0, 13),       // ldb [13]
        SockFilter::new(0x54, 0, 0, 0x12),     // and #0x12
        SockFilter::new(0x15, 0, 1, 0x02),     // jeq #0x02
        SockFilter::new(0x06, 0, 0, 0),        // ret #0
        SockFilter::new(0x06, 0, 0, u32::MAX), // ret all
    ];
    socket2::SockRef::from(socket).attach_filter(&FILTER)
}

#[cfg(not(target_os = "linux"))]
fn refuse_newcomers(_: &TcpListener) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}
