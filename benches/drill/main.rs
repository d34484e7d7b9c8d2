//! A day's drill in five minutes: `scripts/drill`. People buy and look without a pause, from two servers that
//! share a port, over a PostgreSQL with a synchronous standby. Meanwhile the servers are replaced by new ones,
//! killed, lose their primary, and lose their data; the table at the end says what people noticed.
//!
//! Nothing that was confirmed may be lost but what was booked after the backup that is restored.

mod day;
mod site;
mod table;

#[path = "../../tests/crash/cluster.rs"]
#[allow(dead_code, reason = "the crash tests use more of it")]
mod cluster;
#[path = "../../tests/support/database.rs"]
#[allow(dead_code, reason = "the tests of the site use more of it")]
mod database;
#[path = "../../tests/crash/rush.rs"]
#[allow(dead_code, reason = "the crash tests use more of it")]
mod rush;
#[path = "../../tests/crash/server.rs"]
#[allow(dead_code, reason = "the crash tests use more of it")]
mod server;
#[path = "../../tests/replicas/standby.rs"]
#[allow(dead_code, reason = "the tests of replicas use more of it")]
mod standby;
#[path = "../../tests/crash/visitor.rs"]
#[allow(dead_code, reason = "the crash tests use more of it")]
mod visitor;

use std::time::Duration;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let seconds = arguments.iter().position(|it| it == "--seconds").and_then(|at| arguments.get(at + 1));
    let phase = Duration::from_secs(seconds.map_or(60, |it| it.parse().expect("--seconds takes a number")));
    day::run(phase);
}
