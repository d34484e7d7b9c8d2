//! Measures the start of a sale: `cargo bench --bench onsale`. `-- --quick` gives a first impression. `-- --floors`
//! measures only a sale with and without a database, `-- --outbox` only the cost of the outbox, and `-- --kinds` only
//! the cost of holds and of bookings of two ticket types.
//!
//! Many buyers, each on a connection, book one hot ticket type with real form posts, on SQLite and on a PostgreSQL
//! that is made for this run, both as durable as in production. The benchmark also measures the same server with
//! bookings of two ticket types, with holds, with no database behind its desk and with one transaction for each
//! booking, and pgbench with the same statements. They take turns within the same run, so that other work on the
//! machine slows all of them down alike. The ratios matter most, because they hold on other machines too.

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

/// Any error ends the run with a message of one line.
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
    // Only `cargo bench` passes `--bench`; `cargo test --benches` must not wait ten minutes.
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

/// Runs the plan. Returns whether all counts added up after every round.
fn run(plan: &Plan) -> Result<bool> {
    let folder = tempfile::tempdir()?;
    let disk_sync_ms = machine::disk_sync_ms(folder.path())?;
    let postgres = postgres::BenchCluster::start()?;
    let mut contenders = contender::all(folder.path(), &postgres)?;
    let rows = plan.run(&mut contenders)?;
    report::print(&rows, disk_sync_ms);
    let file = report::write(&rows, plan, disk_sync_ms)?;
    println!("\nWritten to {}", file.display());
    Ok(rows.iter().all(report::Row::is_true))
}
