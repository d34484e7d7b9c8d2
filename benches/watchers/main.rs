//! Measures the hour before a sale starts: `cargo bench --bench watchers`.
//!
//! Fifty thousand browsers keep a connection and ask for the availability every five seconds, each with the ETag of
//! its last answer, while others book. The same follows with a hundred thousand browsers. After that the fragment is
//! requested at full speed, and compared with the simplest page of the same server and with the same bytes in a file
//! that nginx serves.
//!
//! `-- --lobby` measures the lobby of a waiting room instead: fifty thousand browsers poll it while it is drawn.
//! `-- --buyers 5000` sells 1,300 tickets through a waiting room, within five minutes.
//! `-- --watchers 5000 --seconds 10` gives a first impression, and the tests run it.

mod buyers;
mod crowd;
mod flat_out;
mod lobby;
mod nginx;
mod report;
mod site;
mod vigil;

use std::env;
use std::process::ExitCode;
use std::time::Duration;
use testkit::bench::postgres;

use crate::report::Report;
use crate::vigil::{SLUG, Vigil};

/// Any error ends the run with a message of one line.
use testkit::bench::Result;

/// What is measured.
struct Plan {
    /// Whether the watchers wait in a lobby.
    is_lobby: bool,
    /// How many buyers come for tickets through a waiting room, and in how many minutes.
    buyers: Option<(usize, usize)>,
    /// The number of watchers in each run. The runs follow one another.
    watchers: Vec<usize>,
    measured: Duration,
    /// In the flat-out part: how long each contender is measured in a round, and the number of rounds.
    flat_out: Duration,
    rounds: usize,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.first().is_some_and(|it| it == crowd::ROLE) {
        return end(crowd::run(&arguments[1..]).map(|()| true));
    }
    // Only `cargo bench` passes `--bench`; `cargo test --benches` must not wait five minutes.
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("Nothing is measured here: run `cargo bench --bench watchers`.");
        return ExitCode::SUCCESS;
    }
    end(Plan::parse(&arguments).and_then(|plan| run(&plan)))
}

fn end(result: Result<bool>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("watchers: there were errors, or the books are not true");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("watchers: {error}");
            ExitCode::FAILURE
        }
    }
}

impl Plan {
    fn parse(arguments: &[String]) -> Result<Self> {
        let number = |name: &str| -> Result<Option<usize>> {
            let Some(at) = arguments.iter().position(|argument| argument == name) else { return Ok(None) };
            let value = arguments.get(at + 1).and_then(|value| value.parse().ok()).filter(|&value| value > 0);
            Ok(Some(value.ok_or_else(|| format!("{name} needs a number of 1 or more"))?))
        };
        let (watchers, seconds) = (number("--watchers")?, number("--seconds")?.unwrap_or(60));
        let is_lobby = arguments.iter().any(|argument| argument == "--lobby");
        Ok(Self {
            is_lobby,
            buyers: number("--buyers")?.zip(Some(number("--minutes")?.unwrap_or(5))),
            measured: Duration::from_secs(seconds as u64),
            flat_out: Duration::from_secs(if watchers.is_some() { 1 } else { 3 }),
            rounds: if watchers.is_some() { 1 } else { 3 },
            watchers: watchers.map_or_else(|| vec![50_000, 100_000], |watchers| vec![watchers]),
        })
    }
}

/// Runs the plan. Returns whether nothing failed and all counts add up.
fn run(plan: &Plan) -> Result<bool> {
    let folder = tempfile::tempdir()?;
    let cluster = postgres::BenchCluster::start()?;
    if let Some((buyers, minutes)) = plan.buyers {
        return buyers::sell(buyers, minutes, &cluster.create_database("buyers")?, folder.path());
    }
    let (measured, postmaster) = (plan.measured, cluster.postmaster);
    if plan.is_lobby {
        let path = format!("/events/{SLUG}/queue/line");
        let vigil = Vigil { number: 0, watchers: plan.watchers[0], measured, postmaster, path };
        return lobby::keep(&vigil, &cluster.create_database("lobby")?, folder.path());
    }
    let mut report = Report::default();
    for (number, &watchers) in plan.watchers.iter().enumerate() {
        let url = cluster.create_database(&format!("watched{number}"))?;
        let vigil =
            Vigil { number, watchers, measured, postmaster, path: format!("/events/{SLUG}/availability") };
        report.vigils.push(vigil.keep(&url, folder.path())?);
    }
    let url = cluster.create_database("flat_out")?;
    report.flat_out = flat_out::measure(&url, folder.path(), plan.flat_out, plan.rounds)?;
    report.print();
    println!("\nWritten to {}", report.write()?.display());
    Ok(report.is_well())
}
