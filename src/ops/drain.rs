//! How the server stops. A signal begins it, and each further one skips what is being waited for:
//!
//! 1. `/readyz` says DRAINING and every answer closes its connection, so that balancers and browsers go
//!    elsewhere; connections are still taken, for `DRAIN_SECONDS`.
//! 2. No more connections are taken, in a way that loses none where others go on taking them
//!    ([`Departure`]). Requests that have begun are answered, what waits at the desk is booked, and mails
//!    that were begun are sent.
//! 3. The process ends, with 0.

use actix_web::dev::ServerHandle;
use actix_web::web;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::Ops;
use super::systemd;
use crate::connections::Departure;
use crate::mail::service::SenderHandle;
use crate::start_error::StartError;

/// Signals to stop, one after the other.
pub struct StopSignals(UnboundedReceiver<()>);

impl StopSignals {
    /// Catches SIGTERM and SIGINT, from now on.
    ///
    /// # Errors
    /// When the system has no way to catch them.
    pub fn catch() -> Result<Self, StartError> {
        let (sender, receiver) = unbounded_channel();
        let wrong = |e: std::io::Error| StartError::new(format!("signals cannot be caught: {e}"));
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
                let (mut signals, sender) = (signal(kind).map_err(wrong)?, sender.clone());
                actix_web::rt::spawn(async move {
                    while signals.recv().await.is_some() && sender.send(()).is_ok() {}
                });
            }
        }
        #[cfg(not(unix))]
        {
            let _ = wrong;
            actix_web::rt::spawn(async move {
                while tokio::signal::ctrl_c().await.is_ok() && sender.send(()).is_ok() {}
            });
        }
        Ok(Self(receiver))
    }

    async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// Waits for the signal, stops the server, and returns when everything that it had taken on is done, or when
/// signals have skipped that.
pub async fn on_signal(
    mut signals: StopSignals,
    server: ServerHandle,
    departure: Departure,
    ops: web::Data<Ops>,
    mail: SenderHandle,
) {
    signals.next().await;
    ops.begin_draining();
    systemd::notify_stopping();
    let grace = ops.drain;
    if !grace.is_zero() {
        log::info!("draining: connections are taken for {} s more", grace.as_secs());
        tokio::select! {
            () = tokio::time::sleep(grace) => {}
            () = signals.next() => log::info!("a second signal: the rest of them is skipped"),
        }
    }
    log::info!("stopping: requests that have begun are answered first");
    let finished = async {
        mail.stop_handle().stop();
        departure.leave(&server).await;
        server.stop(true).await;
        let is_done = ops.watched.desk.finish().await;
        mail.end().await;
        is_done
    };
    tokio::select! {
        is_done = finished => if is_done {
            log::info!("stopped: nothing was left undone");
        } else {
            log::warn!("stopped, though the database has not answered for orders that nobody waits for");
        },
        () = signals.next() => log::warn!("one more signal: stopped at once"),
    }
}
