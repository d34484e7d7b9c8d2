//! How the server stops. A signal starts it, and each further signal skips the current wait:
//!
//! 1. `/readyz` says DRAINING and every response closes its connection, so that load balancers and browsers go to
//!    another server. New connections are still accepted, for `DRAIN_SECONDS`.
//! 2. No more connections are accepted. On a socket that systemd handed over, none is lost ([`SocketOwner`]). Running
//!    requests are answered, orders at the desk are booked, and started emails and calls to Stripe are finished.
//! 3. The process exits with 0.

use std::mem;

use actix_web::dev::ServerHandle;
use actix_web::rt::{System, SystemRunner};
use actix_web::web;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::Ops;
use super::systemd;
use crate::connections::SocketOwner;
use crate::mail::service::SenderHandle;
use crate::payment::worker::WorkerHandle;
use crate::start_error::StartError;

/// The background workers, which finish what they have started.
pub struct Workers {
    pub mail: SenderHandle,
    /// `None`: nothing is paid for online.
    pub payments: Option<WorkerHandle>,
}

impl Workers {
    /// Waits for both. The mail sender has been stopped before: a mail that payments still queue is sent later.
    async fn end(self) {
        if let Some(payments) = self.payments {
            payments.end().await;
        }
        self.mail.end().await;
    }
}

/// The signals to stop, in order.
pub struct StopSignals(UnboundedReceiver<()>);

impl StopSignals {
    /// Catches SIGTERM and SIGINT from now on.
    ///
    /// # Errors
    /// If the system does not support it.
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

/// Waits for the signal, stops the server, and returns when its work is finished or signals have skipped that.
pub async fn on_signal(
    mut signals: StopSignals,
    server: ServerHandle,
    socket_owner: SocketOwner,
    ops: web::Data<Ops>,
    workers: Workers,
) {
    signals.next().await;
    ops.begin_draining();
    systemd::notify_stopping();
    let grace = ops.drain;
    if !grace.is_zero() {
        log::info!("draining: accepting connections for another {} s", grace.as_secs());
        tokio::select! {
            () = tokio::time::sleep(grace) => {}
            () = signals.next() => log::info!("second signal: not waiting any longer"),
        }
    }
    log::info!("stopping: finishing running requests");
    let finished = async {
        workers.mail.stop_handle().stop();
        socket_owner.leave(&server).await;
        server.stop(true).await;
        let is_done = ops.watched.desk.finish().await;
        workers.end().await;
        is_done
    };
    tokio::select! {
        is_done = finished => if is_done {
            log::info!("stopped: all work is finished");
        } else {
            log::warn!("stopped, but the database did not respond for orders whose buyers no longer wait");
        },
        () = signals.next() => log::warn!("another signal: stopped immediately"),
    }
}

/// Leaves a stopped server's runtime to the end of the process. Dropping it would wait for threads that wait for a
/// database that may never answer. Everything that had to finish has finished; open transactions are rolled back.
pub fn leave_behind(runtime: SystemRunner) {
    // A worker's thread may end after this one, and would then drop the last handle of the system. That wakes a task
    // of this thread, for which the worker's thread needs state that it no longer has: the process would abort.
    mem::forget((runtime, System::try_current()));
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;
    use std::time::Duration;

    use actix_rt::Arbiter;
    use actix_web::rt::task::spawn_blocking;

    use super::*;

    /// The program's first thread is gone, and a worker's thread still waits for a query. Tried: without the system's
    /// handle the process aborts ("thread local panicked on drop").
    #[test]
    fn a_worker_that_ends_last_does_not_abort_the_process() {
        let (query, answer) = channel::<()>();
        let first = thread::spawn(move || {
            let runtime = System::new();
            let worker = runtime.block_on(async {
                let (worker, (began, begun)) = (Arbiter::new(), channel());
                worker.spawn_fn(move || {
                    drop(spawn_blocking(move || {
                        assert!(began.send(()).is_ok());
                        assert!(answer.recv().is_err());
                    }));
                });
                assert!(begun.recv().is_ok());
                worker.stop();
                // The system hears of it.
                tokio::time::sleep(Duration::from_millis(200)).await;
                worker
            });
            leave_behind(runtime);
            worker
        });
        let worker = first.join().expect("a thread");
        drop(query);
        worker.join().expect("a thread");
    }
}
