//! Measures the site with many concerts and bookings: `cargo bench --bench scale` takes fifteen minutes. With
//! `-- --quick` it uses a tenth of the bookings.
//!
//! Fills SQLite and PostgreSQL with 500 concerts and 1,000,000 bookings, and a second database of each kind with 500
//! concerts and 1,000 bookings. `verify` runs, one visitor reads the public pages and those of the organizer, and a
//! concert is exported. Then buyers book 200 times a second, in turns without other load and while an organizer's
//! pages poll. At the end `backup` runs. The results must keep the limits in [`report`]. With `-- sqlite` or
//! `-- postgres` only that database is measured.

mod fill;
mod pages;
mod report;
mod work;

use std::env;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use testkit::bench::Result;
use testkit::bench::postgres::BenchCluster;
use testkit::bench::server::BenchServer;

use report::{Measured, Report};

const MANY: u32 = 1_000_000;
const FEW: u32 = 1_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let is_asked = |option: &str| arguments.iter().any(|argument| argument == option);
    // Only `cargo bench` passes `--bench`; `cargo test --benches` must not wait that long.
    if !is_asked("--bench") {
        println!("Nothing is measured here: run `cargo bench --bench scale`.");
        return ExitCode::SUCCESS;
    }
    let many = if is_asked("--quick") { MANY / 10 } else { MANY };
    let kinds: Vec<&str> = ["sqlite", "postgres"].into_iter().filter(|kind| is_asked(kind)).collect();
    let kinds = if kinds.is_empty() { vec!["sqlite", "postgres"] } else { kinds };
    match run(&kinds, many) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("scale: something is over its limit");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("scale: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures the databases. Returns whether everything kept its limit.
fn run(kinds: &[&'static str], many: u32) -> Result<bool> {
    let mut report = Report::default();
    for kind in kinds {
        let folder = tempfile::tempdir()?;
        let cluster = if *kind == "postgres" { Some(BenchCluster::start()?) } else { None };
        let url = |name: &str| match &cluster {
            Some(cluster) => cluster.create_database(name),
            None => Ok(format!("sqlite:{}", folder.path().join(name).display())),
        };
        let few = measure(&url("few")?, folder.path(), FEW)?;
        let many = measure(&url("many")?, folder.path(), many)?;
        report.add(kind, few, many);
        report.print_last();
    }
    println!("\nWritten to {}", report.write()?.display());
    Ok(report.is_well())
}

fn measure(url: &str, folder: &Path, bookings: u32) -> Result<Measured> {
    // Each database has a folder of its own, so that secrets and backups of different databases do not mix.
    let folder = folder.join(format!("of-{bookings}"));
    std::fs::create_dir_all(folder.join("backups"))?;
    let begun = Instant::now();
    let filled = fill::fill(url, &folder, bookings)?;
    let fill_seconds = begun.elapsed().as_secs_f64();
    eprintln!("{bookings} bookings were made in {fill_seconds:.0} s");
    let verify_seconds = work::command(&filled, &["verify"])?;
    let server = BenchServer::start(url, &folder, &[])?;
    let pages = pages::read_all(&server, &filled)?;
    let export = work::export(&server, &filled)?;
    let disturbance = work::disturb(&server, &filled)?;
    drop(server);
    let backup_seconds = work::command(&filled, &["backup", "backups"])?;
    Ok(Measured { bookings, fill_seconds, verify_seconds, backup_seconds, pages, export, disturbance })
}
