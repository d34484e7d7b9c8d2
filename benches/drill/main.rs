//! A failure drill of five minutes: `scripts/drill`. Visitors buy tickets and look at pages all the time, on two
//! servers that share a port and use a PostgreSQL with a synchronous standby. Meanwhile the servers are replaced by
//! new ones, the servers are killed, the primary is killed, and the data is deleted. The table at the end shows how
//! much of that the visitors noticed.
//!
//! No confirmed booking may be lost, except those that were made after the backup that is restored.

mod day;
mod site;
mod table;

use std::time::Duration;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let seconds = arguments.iter().position(|it| it == "--seconds").and_then(|at| arguments.get(at + 1));
    let phase = Duration::from_secs(seconds.map_or(60, |it| it.parse().expect("--seconds takes a number")));
    day::run(phase);
}
