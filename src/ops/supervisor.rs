//! What systemd is told, when it has started us and wants to know (`NOTIFY_SOCKET`, sd_notify(3)): that we are
//! ready, that we are stopping, and, where it has a watchdog, that we are alive.

use std::time::Duration;

use actix_web::web;
use sd_notify::NotifyState;

use super::Ops;

/// Silent for longer, the desk, the refresher or a thread that serves is stuck. That they wait for a database
/// that does not answer is something else: a restart would not mend that.
const STUCK_AFTER: Duration = Duration::from_secs(15);

/// Visitors are answered from now on. Feeds the watchdog, where there is one.
pub fn ready(ops: &web::Data<Ops>) {
    let status = format!("serving as {}", ops.identity);
    tell(&[NotifyState::Ready, NotifyState::Status(&status)]);
    if let Some(limit) = sd_notify::watchdog_enabled() {
        actix_web::rt::spawn(feed_watchdog(ops.clone(), limit));
    }
}

/// Visitors should go elsewhere.
pub fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("draining")]);
}

/// Three times in its period, so that a busy second does not cost the process its life.
async fn feed_watchdog(ops: web::Data<Ops>, limit: Duration) {
    loop {
        match stuck(&ops) {
            None => tell(&[NotifyState::Watchdog]),
            Some(who) => log::error!("{who} is stuck: the watchdog is not fed"),
        }
        tokio::time::sleep(limit / 3).await;
    }
}

fn stuck(ops: &Ops) -> Option<&'static str> {
    match () {
        () if !ops.watched.desk.is_alive(STUCK_AFTER) => Some("the desk"),
        () if !ops.watched.board.is_kept(STUCK_AFTER.max(ops.watched.board_refresh * 3)) => {
            Some("the refresher")
        }
        () if ops.threads_silence().is_none_or(|it| it > STUCK_AFTER) => Some("a thread that serves"),
        () => None,
    }
}

/// Nothing to be done about a systemd that does not listen; the next word may reach it.
fn tell(states: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(states) {
        log::warn!("systemd does not hear us: {error}");
    }
}
