//! Prints the table, and writes it to a file.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::Result;
use crate::assault::ASSAULTS;
use crate::attackers::Seen;
use testkit::bench::results::{self, median};
use testkit::bench::rush::Bookings;

/// An attack may make the 95th percentile of bookings at most this many times as long.
const RATIO_MAX: f64 = 2.0;
const SHARE: f64 = 0.95;

/// The turn with an attack, and the turn before it.
pub struct Round {
    pub name: &'static str,
    pub alone: Bookings,
    pub attacked: Bookings,
    pub seen: Seen,
}

#[derive(Default)]
pub struct Report {
    pub rounds: Vec<Round>,
    /// Whether `techkraft verify` finds no mistake and every confirmed booking is there.
    pub is_true: bool,
}

/// The results of an attack over all rounds.
struct Line {
    name: &'static str,
    alone_ms: f64,
    attacked_ms: f64,
    /// The median of the rounds' ratios. Both sides of a ratio were measured shortly after each other.
    ratio: f64,
    errors: u64,
    seen: Seen,
}

impl Report {
    /// How many bookings were confirmed, and how many were not.
    pub fn bookings(&self) -> (u64, u64) {
        let all = || self.rounds.iter().flat_map(|round| [&round.alone, &round.attacked]);
        (all().map(|it| it.latencies.count()).sum(), all().map(|it| it.errors).sum())
    }

    pub fn is_well(&self, judges_ratios: bool) -> bool {
        let is_quick = |line: &Line| !judges_ratios || line.ratio <= RATIO_MAX;
        self.is_true && self.lines().iter().all(|line| line.errors == 0 && is_quick(line))
    }

    pub fn print(&self) {
        println!(
            "\n{:15} {:>9} {:>9} {:>6} {:>7} {:>8} {:>7}  answers to the attackers",
            "attack", "alone ms", "then ms", "ratio", "errors", "turns", "ended"
        );
        for line in self.lines() {
            let answers: Vec<String> =
                line.seen.answers.iter().map(|(status, count)| format!("{status}: {count}")).collect();
            println!(
                "{:15} {:>9.2} {:>9.2} {:>6.2} {:>7} {:>8} {:>7}  {}",
                line.name,
                line.alone_ms,
                line.attacked_ms,
                line.ratio,
                line.errors,
                line.seen.turns,
                line.seen.ended,
                answers.join(", ")
            );
        }
        println!(
            "\np95 of bookings at 200 a second; a ratio of {RATIO_MAX} at most; verify {}",
            self.is_true
        );
    }

    /// Writes `attack.json` to the build folder: `target`, or the folder that replaces it.
    pub fn write(&self) -> Result<PathBuf> {
        let line = |line: &Line| {
            json!({
                "attack": line.name, "alone_p95_ms": line.alone_ms, "attacked_p95_ms": line.attacked_ms,
                "ratio": line.ratio, "booking_errors": line.errors, "attackers": line.seen,
            })
        };
        let lines: Vec<Value> = self.lines().iter().map(line).collect();
        results::write("attack.json", &json!({ "attacks": lines, "verify": self.is_true }))
    }

    fn lines(&self) -> Vec<Line> {
        let was_tried = |name| self.rounds.iter().any(|round| round.name == name);
        ASSAULTS
            .iter()
            .map(|it| it.name)
            .filter(|name| was_tried(*name))
            .map(|name| self.line(name))
            .collect()
    }

    fn line(&self, name: &'static str) -> Line {
        let rounds: Vec<&Round> = self.rounds.iter().filter(|round| round.name == name).collect();
        let p95 = |bookings: &Bookings| bookings.latencies.percentile_ms(SHARE);
        let mut seen = Seen::default();
        for round in &rounds {
            seen.turns += round.seen.turns;
            seen.ended += round.seen.ended;
            for (status, count) in &round.seen.answers {
                *seen.answers.entry(status.clone()).or_default() += count;
            }
        }
        Line {
            name,
            alone_ms: median(rounds.iter().map(|round| p95(&round.alone)).collect()),
            attacked_ms: median(rounds.iter().map(|round| p95(&round.attacked)).collect()),
            ratio: median(rounds.iter().map(|round| p95(&round.attacked) / p95(&round.alone)).collect()),
            errors: rounds.iter().map(|round| round.alone.errors + round.attacked.errors).sum(),
            seen,
        }
    }
}
