//! Prints the tables and the ratios, and writes them to a file.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::Result;
use crate::flat_out::{CONNECTIONS, Contender};
use crate::vigil::Seen;
use testkit::bench::results::{self, median};

/// The fragment should reach this share of the answers a second that the simplest page of the same server reaches. The
/// share is printed and not judged.
const LEAST_OF_HELLO: f64 = 0.9;

#[derive(Default)]
pub struct Report {
    pub vigils: Vec<Seen>,
    pub flat_out: Vec<Contender>,
}

impl Report {
    /// Whether nothing failed. Times are not judged.
    pub fn is_well(&self) -> bool {
        self.vigils.iter().all(|seen| seen.errors + seen.booking_errors == 0 && seen.verify)
    }

    pub fn print(&self) {
        for seen in &self.vigils {
            print_vigil(seen);
        }
        println!("\n{:16} {:>10} {:>10}", "flat out", "64 conns", "512 conns");
        for contender in &self.flat_out {
            let rates = contender.rounds.each_ref().map(|rounds| median(rounds.clone()));
            println!("{:16} {:>8.0}/s {:>8.0}/s", contender.name, rates[0], rates[1]);
        }
        println!("\n{:30} {:>8} {:>9}", "ratio", "", "at least");
        for (name, ratio, least) in self.ratios() {
            let least = least.map(|least| least.to_string()).unwrap_or_default();
            println!("{name:30} {ratio:>8.2} {least:>9}");
        }
    }

    /// Writes `watchers.json` to the build folder: `target`, or the folder that replaces it.
    pub fn write(&self) -> Result<PathBuf> {
        let rates = |contender: &Contender| {
            let rates = contender.rounds.each_ref().map(|rounds| median(rounds.clone()));
            json!({ "name": contender.name, "connections": CONNECTIONS, "answers_per_second": rates })
        };
        let ratios = self.ratios().into_iter().map(|(name, ratio, _)| (name, json!(ratio)));
        let report = json!({
            "watchers": self.vigils,
            "flat_out": self.flat_out.iter().map(rates).collect::<Vec<Value>>(),
            "ratios": ratios.collect::<Map<_, _>>(),
        });
        results::write("watchers.json", &report)
    }

    /// The name, the value, and the promised minimum of each ratio.
    fn ratios(&self) -> Vec<(String, f64, Option<f64>)> {
        let mut ratios = Vec::new();
        for (place, connections) in CONNECTIONS.iter().enumerate() {
            for (status, fragment) in [("200", "fragment_200"), ("304", "fragment_304")] {
                let against = |other: &str| self.ratio(fragment, other, place);
                let name = |other: &str| format!("{fragment}_{connections}_vs_{other}");
                ratios.push((name("hello"), against("hello"), Some(LEAST_OF_HELLO)));
                ratios.push((name("nginx"), against(&format!("nginx_{status}")), None));
            }
        }
        ratios
    }

    /// The median of the rounds' ratios. Both sides of a ratio were measured shortly after each other.
    fn ratio(&self, above: &str, below: &str, place: usize) -> f64 {
        let rates = |name: &str| {
            let contender = self.flat_out.iter().find(|contender| contender.name == name);
            contender.into_iter().flat_map(|contender| contender.rounds[place].iter().copied())
        };
        median(rates(above).zip(rates(below)).map(|(above, below)| above / below).collect())
    }
}

fn print_vigil(seen: &Seen) {
    println!(
        "\n{} watchers on {} server process(es); one may open {} descriptors\n",
        seen.watchers, seen.servers, seen.descriptors
    );
    let line = |what: &str, rate: f64, p50: f64, p95: f64, p99: f64, errors: u64| {
        println!("{what:10} {rate:>8.0} {p50:>8.2} {p95:>8.2} {p99:>8.2} {errors:>8}");
    };
    println!("{:10} {:>8} {:>8} {:>8} {:>8} {:>8}", "", "a second", "p50 ms", "p95 ms", "p99 ms", "errors");
    line("polls", seen.polls_per_second, seen.poll_p50_ms, seen.poll_p95_ms, seen.poll_p99_ms, seen.errors);
    line(
        "bookings",
        seen.bookings_per_second,
        seen.booking_p50_ms,
        seen.booking_p95_ms,
        seen.booking_p99_ms,
        seen.booking_errors,
    );
    println!(
        "\nlate polls {}, answers with a body {:.0} %, cores: server {:.2}, PostgreSQL {:.2}, load {:.2}",
        seen.late,
        seen.changed_share * 100.0,
        seen.server_cores,
        seen.postgres_cores,
        seen.load_cores
    );
    println!(
        "server memory {:.0} MiB, {:.1} KiB for each connection; board read {:.1} times a second; verify {}",
        seen.rss_mib, seen.kib_per_connection, seen.board_reads_per_second, seen.verify
    );
}
