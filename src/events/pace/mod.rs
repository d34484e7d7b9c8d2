//! Adaptive polling: how often browsers poll. Each fragment contains the interval, so the server can ask for fewer
//! polls under load and return to the usual interval afterward.
//!
//! Load is measured by the scheduling lag of the server's threads (see [`lag`]) and by how full the desk's queue
//! is. Only polls slow down; bookings do not.
//!
//! The pace of a waiting room's line does not belong here: see `queue::pace`.

pub mod lag;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use self::lag::Lag;

/// Time between two measurements.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The lag that counts as stress. People notice delays from 0.1 s on (Nielsen, Response Times), and the target for
/// the 99th percentile of polls is a fifth of that.
const LAG_HIGH: Duration = Duration::from_millis(100);
/// The queue fill that counts as stress. While the desk keeps up, the queue holds one or two batches. A batch is a
/// twentieth of a queue of the default length.
const QUEUE_HIGH: f64 = 0.25;
/// Stressed measurements in a row before polling slows down. A single stall does not count.
const STRESSED_LOOKS: u32 = 3;

/// Polling intervals in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollSeconds {
    pub usual: u32,
    /// While the server is under stress; never fewer than usual.
    pub busy: u32,
}

impl Default for PollSeconds {
    fn default() -> Self {
        Self { usual: 5, busy: 15 }
    }
}

/// The current polling interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Seconds between two polls.
    pub seconds: u32,
    /// Slower than usual.
    pub is_slow: bool,
}

impl PollSeconds {
    /// The pace with or without stress.
    #[must_use]
    pub fn pace(self, under_stress: bool) -> Pace {
        let seconds = if under_stress { self.busy } else { self.usual };
        Pace { seconds, is_slow: seconds > self.usual }
    }
}

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stress {
    /// The highest lag of a server thread since the previous measurement.
    pub lag: Duration,
    /// How much of the desk's queue is taken: 0 to 1.
    pub queue_fill: f64,
}

impl Stress {
    fn is_high(self) -> bool {
        self.lag >= LAG_HIGH || self.queue_fill >= QUEUE_HIGH
    }

    /// Hysteresis: below half of the stress limits, so that a load near the limit does not make the pace flap.
    fn is_over(self) -> bool {
        self.lag < LAG_HIGH / 2 && self.queue_fill < QUEUE_HIGH / 2.0
    }
}

/// Decides from a series of measurements whether the server is under stress.
#[derive(Debug)]
pub struct LoadGovernor {
    under_stress: bool,
    /// Measurements in a row that call for a change.
    streak: u32,
    /// Calm measurements in a row that end the slow pace.
    calm_looks: u32,
}

impl LoadGovernor {
    /// The slow pace lasts for at least twice its interval: by then every browser has switched to it, and its
    /// effect has been measured.
    #[must_use]
    pub fn new(poll: PollSeconds) -> Self {
        Self { under_stress: false, streak: 0, calm_looks: 2 * poll.busy }
    }

    /// Adds a measurement; returns whether the server is under stress.
    pub fn judge(&mut self, stress: Stress) -> bool {
        let (calls_for_change, enough) = if self.under_stress {
            (stress.is_over(), self.calm_looks)
        } else {
            (stress.is_high(), STRESSED_LOOKS)
        };
        self.streak = if calls_for_change { self.streak + 1 } else { 0 };
        if self.streak >= enough {
            (self.under_stress, self.streak) = (!self.under_stress, 0);
        }
        self.under_stress
    }
}

/// Measures the load as long as the program runs and passes it to `set_load`: whether it was high in the last second,
/// and whether the server is under stress. It returns whether that has changed.
pub async fn keep(
    poll: PollSeconds,
    set_load: impl Fn(bool, bool) -> bool,
    lag: Arc<Lag>,
    queue_fill: impl Fn() -> f64,
) {
    let mut governor = LoadGovernor::new(poll);
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let stress = Stress { lag: lag.take_worst(), queue_fill: queue_fill() };
        let under_stress = governor.judge(stress);
        if !set_load(stress.is_high(), under_stress) {
            continue;
        }
        let Pace { seconds, .. } = poll.pace(under_stress);
        let (late_ms, full) = (stress.lag.as_millis(), (stress.queue_fill * 100.0).round());
        if under_stress {
            log::warn!("high load (lag {late_ms} ms, queue {full} % full): browsers poll every {seconds} s");
        } else {
            log::info!("load is normal again: browsers poll every {seconds} s");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLL: PollSeconds = PollSeconds { usual: 5, busy: 15 };
    const CALM: Stress = stress(5, 0.0);
    const LATE: Stress = stress(100, 0.0);
    const FULL: Stress = stress(5, 0.25);
    const BETWEEN: Stress = stress(60, 0.0);

    const fn stress(lag_ms: u64, queue_fill: f64) -> Stress {
        Stress { lag: Duration::from_millis(lag_ms), queue_fill }
    }

    /// The result after each measurement.
    fn judged(governor: &mut LoadGovernor, looks: &[Stress]) -> Vec<bool> {
        looks.iter().map(|look| governor.judge(*look)).collect()
    }

    fn under_stress() -> LoadGovernor {
        let mut governor = LoadGovernor::new(POLL);
        assert_eq!(judged(&mut governor, &[LATE; 3]), [false, false, true]);
        governor
    }

    #[test]
    fn stress_of_either_kind_slows_the_pace_when_it_lasts() {
        for looks in [[LATE; 3], [FULL; 3], [LATE, FULL, LATE]] {
            assert_eq!(judged(&mut LoadGovernor::new(POLL), &looks), [false, false, true]);
        }
        let stalls = [LATE, LATE, CALM].repeat(100);
        assert!(!judged(&mut LoadGovernor::new(POLL), &stalls).contains(&true), "stalls are no stress");
        assert!(!judged(&mut LoadGovernor::new(POLL), &[BETWEEN; 100]).contains(&true));
    }

    #[test]
    fn the_usual_pace_comes_back_by_itself_when_all_is_calm_for_long_enough() {
        let mut governor = under_stress();
        assert!(judged(&mut governor, &[CALM; 29]).iter().all(|under_stress| *under_stress));
        assert!(!governor.judge(CALM), "after twice the slow interval");
        assert_eq!(judged(&mut governor, &[LATE; 3]), [false, false, true], "and slows again as before");
    }

    #[test]
    fn a_load_at_the_brink_does_not_make_the_pace_flap() {
        for brink in [BETWEEN, stress(5, 0.2), LATE, FULL] {
            let mut governor = under_stress();
            let mut looks = [CALM; 29].to_vec();
            looks.push(brink);
            assert!(judged(&mut governor, &looks.repeat(20)).iter().all(|under_stress| *under_stress));
        }
    }

    #[test]
    fn equal_paces_are_one_pace() {
        let poll = PollSeconds { usual: 5, busy: 5 };
        assert_eq!(poll.pace(true), poll.pace(false));
        assert_eq!(POLL.pace(true), Pace { seconds: 15, is_slow: true });
    }
}
