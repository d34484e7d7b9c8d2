//! Wakes a task in the background: the sender of mails, or the worker of payments.

use tokio::sync::Notify;

/// Notified after a commit that has made work for the task, or when the task is to stop. Notifying never
/// waits, and several notifications while the task is awake count as one.
#[derive(Default)]
pub struct Wakeup(Notify);

impl Wakeup {
    /// There may be something to do.
    pub fn notify(&self) {
        self.0.notify_one();
    }

    /// Waits for the next notification, or returns at once when there was one since the last wait. May be
    /// canceled at any time.
    pub async fn notified(&self) {
        self.0.notified().await;
    }
}
