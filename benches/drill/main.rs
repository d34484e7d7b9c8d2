//! A day's drill in five minutes: `scripts/drill`. People buy and look without a pause, from two servers that
//! share a port, over a PostgreSQL with a synchronous standby. Meanwhile the servers are replaced by new ones,
//! killed, lose their primary, and lose their data; the table at the end says what people noticed.
//!
//! No confirmed booking may be lost, except those made after the backup that is restored.

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
