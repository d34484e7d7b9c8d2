//! A histogram of millions of latencies, from several processes.

use std::collections::BTreeMap;
use std::time::Duration;

/// The resolution: latencies are rounded up to a multiple of this.
const STEP_US: u64 = 50;

#[derive(Debug, Default, Clone)]
pub struct Histogram {
    /// The number of latencies for each number of steps.
    counts: BTreeMap<u64, u64>,
}

impl Histogram {
    pub fn add(&mut self, latency: Duration) {
        *self.counts.entry(latency.as_micros() as u64 / STEP_US + 1).or_default() += 1;
    }

    pub fn merge(&mut self, other: &Self) {
        for (steps, count) in &other.counts {
            *self.counts.entry(*steps).or_default() += count;
        }
    }

    pub fn count(&self) -> u64 {
        self.counts.values().sum()
    }

    /// The latency that `share` of all latencies do not exceed.
    pub fn percentile_ms(&self, share: f64) -> f64 {
        let wanted = (self.count() as f64 * share).ceil() as u64;
        let mut seen = 0;
        let steps = self.counts.iter().find(|(_, count)| {
            seen += *count;
            seen >= wanted
        });
        steps.map_or(f64::NAN, |(steps, _)| (steps * STEP_US) as f64 / 1000.0)
    }

    /// One line of text, which `from_line` reads.
    pub fn to_line(&self) -> String {
        let pairs: Vec<String> =
            self.counts.iter().map(|(steps, count)| format!("{steps}:{count}")).collect();
        pairs.join(" ")
    }

    pub fn from_line(line: &str) -> Self {
        let pair = |text: &str| {
            let (steps, count) = text.split_once(':')?;
            Some((steps.parse().ok()?, count.parse().ok()?))
        };
        Self { counts: line.split_whitespace().filter_map(pair).collect() }
    }
}
