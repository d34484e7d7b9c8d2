//! The bell that wakes the sender.

use tokio::sync::Notify;

/// Rung by whoever has put something into the outbox, after the commit. Whoever rings waits for nobody, and
/// rings that come while the sender is awake are one ring.
#[derive(Default)]
pub struct Bell(Notify);

impl Bell {
    /// There may be something to do.
    pub fn ring(&self) {
        self.0.notify_one();
    }

    /// Waits until it has rung since the last time. May be canceled at any time.
    pub async fn rung(&self) {
        self.0.notified().await;
    }
}
