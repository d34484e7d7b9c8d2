//! The on-sale, measured: `cargo bench --bench onsale`, with `-- --quick` for a first look, with `-- --floors` for a
//! sale with and without a database alone, with `-- --outbox` for what the outbox costs, or with `-- --kinds` for what
//! bookings of two ticket types and holds cost.
//!
//! A crowd on many connections books one hot ticket type with real form posts, on SQLite and on a PostgreSQL that
//! is made for this run, both as durable as in production. The benchmark also measures the same server with
//! bookings of two ticket types, with holds, with no database behind its desk and with one transaction for each
//! booking, and pgbench with the same statements. They take turns within the same run, so that other work on the
//! machine slows all of them down alike. The ratios are what matters: they hold on other machines too.

mod contender;
mod crowd;
mod holds;
mod no_database;
mod own_server;
mod pgbench;
mod plan;
mod report;
mod unbatched;

use std::env;
use std::process::ExitCode;
use testkit::bench::{machine, postgres};

use plan::Plan;

/// Whatever goes wrong ends the run with one line.
use testkit::bench::Result;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let is_asked = |option: &str| arguments.iter().any(|argument| argument == option);
    let serve: Option<fn() -> Result<()>> = match () {
        () if is_asked(no_database::ARGUMENT) => Some(no_database::serve),
        () if is_asked(holds::ARGUMENT) => Some(holds::serve),
        () if is_asked(unbatched::ARGUMENT) => Some(unbatched::serve),
        () => None,
    };
    if let Some(serve) = serve {
        return match serve() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("onsale: {error}");
                ExitCode::FAILURE
            }
        };
    }
    // Only `cargo bench` says so; `cargo test --benches` must not wait ten minutes.
    if !is_asked("--bench") {
        println!("Nothing is measured here: run `cargo bench --bench onsale`.");
        return ExitCode::SUCCESS;
    }
    let plan = match () {
        () if is_asked("--quick") => Plan::QUICK,
        () if is_asked("--floors") => Plan::FLOORS,
        () if is_asked("--outbox") => Plan::OUTBOX,
        () if is_asked("--kinds") => Plan::KINDS,
        () => Plan::FULL,
    };
    match run(&plan) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("onsale: the books are not true");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("onsale: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every count of the books was true.
fn run(plan: &Plan) -> Result<bool> {
    let folder = tempfile::tempdir()?;
    let disk_sync_ms = machine::disk_sync_ms(folder.path())?;
    let postgres = postgres::Cluster::start()?;
    let mut contenders = contender::all(folder.path(), &postgres)?;
    let rows = plan.run(&mut contenders)?;
    report::print(&rows, disk_sync_ms);
    let file = report::write(&rows, plan, disk_sync_ms)?;
    println!("\nWritten to {}", file.display());
    Ok(rows.iter().all(report::Row::is_true))
}
