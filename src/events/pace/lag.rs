//! The lag: how late a thread of the server is at what it meant to do. Each of them sets itself an alarm
//! again and again; by how much it oversleeps is how long a request waits for its turn there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::heartbeat::Heartbeat;

/// Often enough that a busy second is not missed, seldom enough to cost nothing.
const ALARM_EVERY: Duration = Duration::from_millis(200);

/// The worst lag of all threads since it was last taken.
#[derive(Debug, Default)]
pub struct Lag {
    worst_us: AtomicU64,
}

impl Lag {
    fn note(&self, late: Duration) {
        let late_us = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
        self.worst_us.fetch_max(late_us, Ordering::Relaxed);
    }

    /// The worst since the last time, which is forgotten.
    pub fn take_worst(&self) -> Duration {
        Duration::from_micros(self.worst_us.swap(0, Ordering::Relaxed))
    }
}

/// Measures the thread that it runs on, for as long as that runs, and shows that it does.
pub async fn measure(lag: Arc<Lag>, heartbeat: Arc<Heartbeat>) {
    loop {
        let alarm = Instant::now() + ALARM_EVERY;
        sleep_until(alarm).await;
        lag.note(alarm.elapsed());
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
        tokio::time::sleep(ALARM_EVERY / 2).await;
        std::thread::sleep(ALARM_EVERY + Duration::from_millis(50));
        tokio::time::sleep(ALARM_EVERY / 4).await;
        let late = lag.take_worst();
        assert!(late >= Duration::from_millis(120), "{late:?}");
        assert_eq!(lag.take_worst(), Duration::ZERO, "it is told once");
    }
}
