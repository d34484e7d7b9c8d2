//! A pulse: when something that goes on by itself was last seen alive.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Beaten by one, looked at by others. A beat costs a look at the clock and a store.
#[derive(Debug)]
pub struct Pulse {
    begun: Instant,
    /// Milliseconds from the beginning to the last beat.
    beaten_ms: AtomicU64,
    /// For somebody else, so that its silence is not its own fault.
    waits: AtomicBool,
}

impl Default for Pulse {
    /// Has just beaten.
    fn default() -> Self {
        Self { begun: Instant::now(), beaten_ms: AtomicU64::new(0), waits: AtomicBool::new(false) }
    }
}

impl Pulse {
    pub fn beat(&self) {
        self.beaten_ms.store(self.now_ms(), Ordering::Relaxed);
        self.waits.store(false, Ordering::Relaxed);
    }

    /// Beats, and is silent from now on because it waits for somebody else, until it beats again.
    pub fn begin_waiting(&self) {
        self.beat();
        self.waits.store(true, Ordering::Relaxed);
    }

    /// Whether it was seen lately, or waits.
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
    fn a_pulse_ages_until_it_beats() {
        let pulse = Pulse::default();
        std::thread::sleep(Duration::from_millis(60));
        assert!(pulse.age() >= Duration::from_millis(50));
        pulse.beat();
        assert!(pulse.age() < Duration::from_millis(50));
    }

    #[test]
    fn who_waits_for_somebody_else_is_not_dead() {
        let pulse = Pulse::default();
        pulse.begin_waiting();
        std::thread::sleep(Duration::from_millis(30));
        assert!(pulse.is_alive(Duration::from_millis(10)) && pulse.age() >= Duration::from_millis(20));
        pulse.beat();
        std::thread::sleep(Duration::from_millis(30));
        assert!(!pulse.is_alive(Duration::from_millis(10)));
    }
}
