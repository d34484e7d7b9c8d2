//! Measures scheduling lag. Each server thread sleeps for a fixed time again and again; how late it wakes up is how
//! long a request waits for that thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::heartbeat::Heartbeat;

/// Short enough to see a busy second, long enough to cost nothing.
const MEASURE_EVERY: Duration = Duration::from_millis(200);

/// The highest lag of all threads since it was last taken.
#[derive(Debug, Default)]
pub struct Lag {
    worst_us: AtomicU64,
}

impl Lag {
    fn record(&self, late: Duration) {
        let late_us = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
        self.worst_us.fetch_max(late_us, Ordering::Relaxed);
    }

    /// Returns the highest lag since the last call and resets it.
    pub fn take_worst(&self) -> Duration {
        Duration::from_micros(self.worst_us.swap(0, Ordering::Relaxed))
    }
}

/// Measures the lag of the current thread forever, and sends its heartbeat.
pub async fn measure(lag: Arc<Lag>, heartbeat: Arc<Heartbeat>) {
    loop {
        let wake_at = Instant::now() + MEASURE_EVERY;
        sleep_until(wake_at).await;
        lag.record(wake_at.elapsed());
        heartbeat.beat();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn a_thread_that_is_kept_busy_is_found_late_once() {
        let lag = Arc::new(Lag::default());
        actix_web::rt::spawn(measure(Arc::clone(&lag), Arc::default()));
        tokio::time::sleep(MEASURE_EVERY / 2).await;
        std::thread::sleep(MEASURE_EVERY + Duration::from_millis(50));
        tokio::time::sleep(MEASURE_EVERY / 4).await;
        let late = lag.take_worst();
        assert!(late >= Duration::from_millis(120), "{late:?}");
        assert_eq!(lag.take_worst(), Duration::ZERO, "it is reported once");
    }
}
