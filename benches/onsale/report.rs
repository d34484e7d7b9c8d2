//! Prints the table and the ratios, and writes them to a file.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::Result;
use crate::contender::{Kind, Round};
use crate::plan::Plan;
use testkit::bench::results::{self, median};

/// One contender at one number of connections, round by round.
pub struct Row {
    pub kind: Kind,
    pub connections: usize,
    pub rounds: Vec<Round>,
}

/// A contender at a number of connections.
type Place = (Kind, usize);

/// The name in the file, the numerator, the denominator, and the promised minimum.
struct Ratio(&'static str, Place, Place, f64);

const RATIOS: [Ratio; 12] = [
    Ratio("postgres_1024_vs_no_database", (Kind::PostgresBatched, 1024), (Kind::NoDatabase, 1024), 0.6),
    Ratio(
        "postgres_1024_vs_no_outbox",
        (Kind::PostgresBatched, 1024),
        (Kind::PostgresWithoutMail, 1024),
        0.9,
    ),
    Ratio("sqlite_1024_vs_no_outbox", (Kind::SqliteBatched, 1024), (Kind::SqliteWithoutMail, 1024), 0.9),
    Ratio(
        "postgres_two_lines_vs_one_line",
        (Kind::PostgresTwoLines, 1024),
        (Kind::PostgresBatched, 1024),
        0.5,
    ),
    Ratio("sqlite_two_lines_vs_one_line", (Kind::SqliteTwoLines, 1024), (Kind::SqliteBatched, 1024), 0.5),
    Ratio("postgres_holds_vs_bookings", (Kind::PostgresHolds, 1024), (Kind::PostgresBatched, 1024), 0.9),
    Ratio("sqlite_holds_vs_bookings", (Kind::SqliteHolds, 1024), (Kind::SqliteBatched, 1024), 0.9),
    Ratio("postgres_1024_vs_unbatched", (Kind::PostgresBatched, 1024), (Kind::PostgresUnbatched, 1024), 25.0),
    Ratio("postgres_1024_vs_pgbench", (Kind::PostgresBatched, 1024), (Kind::Pgbench, 64), 10.0),
    Ratio("postgres_64_vs_no_database", (Kind::PostgresBatched, 64), (Kind::NoDatabase, 64), 0.3),
    Ratio("sqlite_1024_vs_no_database", (Kind::SqliteBatched, 1024), (Kind::NoDatabase, 1024), 0.6),
    Ratio("sqlite_1024_vs_unbatched", (Kind::SqliteBatched, 1024), (Kind::SqliteUnbatched, 1024), 10.0),
];

impl Row {
    pub fn new(kind: Kind, connections: usize) -> Self {
        Self { kind, connections, rounds: Vec::new() }
    }

    /// Whether all counts added up after every round.
    pub fn is_true(&self) -> bool {
        self.rounds.iter().all(|round| round.verify.unwrap_or(true))
    }

    fn median(&self, of: impl Fn(&Round) -> f64) -> f64 {
        median(self.rounds.iter().map(of).collect())
    }

    fn errors(&self) -> u64 {
        self.rounds.iter().map(|round| round.errors).sum()
    }

    fn verify(&self) -> Option<bool> {
        self.rounds.iter().any(|round| round.verify.is_some()).then(|| self.is_true())
    }

    fn to_json(&self) -> Value {
        json!({
            "desk": self.kind,
            "connections": self.connections,
            "bookings_per_second": self.median(|round| round.bookings_per_second),
            "p50_ms": self.median(|round| round.p50_ms),
            "p95_ms": self.median(|round| round.p95_ms),
            "p99_ms": self.median(|round| round.p99_ms),
            "errors": self.errors(),
            "server_cores": self.median(|round| round.server_cores),
            "postgres_cores": self.median(|round| round.postgres_cores),
            "load_cores": self.median(|round| round.load_cores),
            "server_rss_mib": self.median(|round| round.server_rss_mib),
            "verify": self.verify(),
            "rounds": self.rounds,
        })
    }
}

pub fn print(rows: &[Row], disk_sync_ms: f64) {
    println!(
        "\nOne hot ticket type; medians of {} rounds. A write that waits for this disk takes {disk_sync_ms:.2} ms.\n",
        rows.first().map_or(0, |row| row.rounds.len())
    );
    println!(
        "{:22} {:>5} {:>10} {:>8} {:>8} {:>8} {:>7} {:>7} {:>8} {:>6} {:>8}  verify",
        "desk",
        "conns",
        "bookings/s",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "errors",
        "server",
        "postgres",
        "load",
        "RSS MiB"
    );
    for row in rows {
        println!(
            "{:22} {:>5} {:>10.0} {:>8.2} {:>8.2} {:>8.2} {:>7} {:>7.2} {:>8.2} {:>6.2} {:>8.0}  {}",
            row.kind.name(),
            row.connections,
            row.median(|round| round.bookings_per_second),
            row.median(|round| round.p50_ms),
            row.median(|round| round.p95_ms),
            row.median(|round| round.p99_ms),
            row.errors(),
            row.median(|round| round.server_cores),
            row.median(|round| round.postgres_cores),
            row.median(|round| round.load_cores),
            row.median(|round| round.server_rss_mib),
            row.verify().map_or("-".to_owned(), |it| it.to_string()),
        );
    }
    println!("\nserver, postgres, load: processor cores in use, of the same few\n");
    println!("{:30} {:>8} {:>9}", "ratio", "", "at least");
    for Ratio(name, above, below, least) in RATIOS {
        let ratio = ratio(rows, above, below);
        if ratio.is_finite() {
            println!("{name:30} {ratio:>8.2} {least:>9}");
        }
    }
}

/// Writes `onsale.json` to the build folder: `target`, or the folder that replaces it.
pub fn write(rows: &[Row], plan: &Plan, disk_sync_ms: f64) -> Result<PathBuf> {
    let ratios =
        RATIOS.map(|Ratio(name, above, below, _)| (name.to_owned(), json!(ratio(rows, above, below))));
    let report = json!({
        "rounds": plan.rounds,
        "measured_seconds": plan.measured.as_secs_f64(),
        "disk_sync_ms": disk_sync_ms,
        "rows": rows.iter().map(Row::to_json).collect::<Vec<_>>(),
        "ratios": ratios.into_iter().collect::<Map<_, _>>(),
    });
    results::write("onsale.json", &report)
}

/// The median of the rounds' ratios. Both sides of a ratio were measured shortly after each other.
fn ratio(rows: &[Row], above: Place, below: Place) -> f64 {
    let rates = |(kind, connections): Place| {
        let row = rows.iter().find(|row| (row.kind, row.connections) == (kind, connections));
        row.into_iter().flat_map(|row| row.rounds.iter().map(|round| round.bookings_per_second))
    };
    median(rates(above).zip(rates(below)).map(|(above, below)| above / below).collect())
}
