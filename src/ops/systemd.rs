//! Tells systemd, if it has started us (`NOTIFY_SOCKET`, sd_notify(3)), that we are ready, that we are stopping and,
//! where it has a watchdog, that we are alive.

use std::time::Duration;

use actix_web::web;
use sd_notify::NotifyState;

use super::Ops;

/// The desk, the refresher or a server thread that is silent for longer is stuck. Waiting for a database that does not
/// respond is something else: a restart would not fix that.
const STUCK_AFTER: Duration = Duration::from_secs(15);

/// Reports that visitors are served from now on, and feeds the watchdog, where there is one.
pub fn notify_ready(ops: &web::Data<Ops>) {
    let status = format!("serving as {}", ops.identity);
    notify(&[NotifyState::Ready, NotifyState::Status(&status)]);
    if let Some(limit) = sd_notify::watchdog_enabled() {
        actix_web::rt::spawn(feed_watchdog(ops.clone(), limit));
    }
}

/// Reports that the server is about to stop.
pub fn notify_stopping() {
    notify(&[NotifyState::Stopping, NotifyState::Status("draining")]);
}

/// Feeds the watchdog three times in its period, so that one busy second does not get the process killed.
async fn feed_watchdog(ops: web::Data<Ops>, limit: Duration) {
    loop {
        match find_stuck(&ops) {
            None => notify(&[NotifyState::Watchdog]),
            Some(part) => log::error!("{part} is stuck: not feeding the systemd watchdog"),
        }
        tokio::time::sleep(limit / 3).await;
    }
}

fn find_stuck(ops: &Ops) -> Option<&'static str> {
    match () {
        () if !ops.watched.desk.is_alive(STUCK_AFTER) => Some("the desk"),
        () if !ops.watched.board.is_refreshed(STUCK_AFTER.max(ops.watched.board_refresh * 3)) => {
            Some("the refresher")
        }
        () if ops.threads_silence().is_none_or(|it| it > STUCK_AFTER) => Some("a server thread"),
        () => None,
    }
}

/// If systemd does not listen there is nothing to be done; the next message may arrive.
fn notify(states: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(states) {
        log::warn!("systemd cannot be notified: {error}");
    }
}
