//! Wakes the sender.

use tokio::sync::Notify;

/// Notified after a commit that has put something into the outbox. Notifying never waits, and several
/// notifications while the sender is awake count as one.
#[derive(Default)]
pub struct Wakeup(Notify);

impl Wakeup {
    /// There may be something to send.
    pub fn notify(&self) {
        self.0.notify_one();
    }

    /// Waits for the next notification, or returns at once when there was one since the last wait. May be
    /// canceled at any time.
    pub async fn notified(&self) {
        self.0.notified().await;
    }
}
