//! A heartbeat: when a background task last showed that it is alive.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Written by one task, read by others. A beat costs one clock read and two atomic stores.
#[derive(Debug)]
pub struct Heartbeat {
    begun: Instant,
    /// Milliseconds from `begun` to the last beat.
    beaten_ms: AtomicU64,
    /// Waiting for something else, so silence is not a failure.
    waits: AtomicBool,
}

impl Default for Heartbeat {
    /// Starts with a beat.
    fn default() -> Self {
        Self { begun: Instant::now(), beaten_ms: AtomicU64::new(0), waits: AtomicBool::new(false) }
    }
}

impl Heartbeat {
    pub fn beat(&self) {
        self.beaten_ms.store(self.now_ms(), Ordering::Relaxed);
        self.waits.store(false, Ordering::Relaxed);
    }

    /// Beats once, then counts as alive until the next beat, because it waits for something else.
    pub fn begin_waiting(&self) {
        self.beat();
        self.waits.store(true, Ordering::Relaxed);
    }

    /// Whether it beat recently, or is waiting.
    #[must_use]
    pub fn is_alive(&self, silence_max: Duration) -> bool {
        self.age() <= silence_max || self.waits.load(Ordering::Relaxed)
    }

    /// How long ago the last beat was.
    #[must_use]
    pub fn age(&self) -> Duration {
        Duration::from_millis(self.now_ms().saturating_sub(self.beaten_ms.load(Ordering::Relaxed)))
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heartbeat_ages_until_the_next_beat() {
        let heartbeat = Heartbeat::default();
        std::thread::sleep(Duration::from_millis(500));
        let old = heartbeat.age();
        assert!(old >= Duration::from_millis(490));
        heartbeat.beat();
        assert!(heartbeat.age() < old);
    }

    #[test]
    fn a_waiting_task_counts_as_alive() {
        let heartbeat = Heartbeat::default();
        heartbeat.begin_waiting();
        std::thread::sleep(Duration::from_millis(30));
        assert!(
            heartbeat.is_alive(Duration::from_millis(10)) && heartbeat.age() >= Duration::from_millis(20)
        );
        heartbeat.beat();
        std::thread::sleep(Duration::from_millis(30));
        assert!(!heartbeat.is_alive(Duration::from_millis(10)));
    }
}
