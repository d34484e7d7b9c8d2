//! The mails that the site sends to its buyers.

pub mod calendar;
pub mod contents;
mod flood;
mod organizer;
mod outbox;
mod reader;
mod refusals;
mod smtp;
mod suppression;

use std::thread;
use std::time::{Duration, Instant};

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};

use crate::support::TestApp;
use testkit::outbox::OUTBOX;

#[derive(Debug, QueryableByName)]
struct StateCount {
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(Debug, QueryableByName)]
struct LastError {
    #[diesel(sql_type = Text)]
    last_error: String,
}

/// How many mails are in which state.
fn states(app: &TestApp) -> Vec<(String, i64)> {
    let counts: Vec<StateCount> = app
        .database
        .rows(&format!("SELECT state, COUNT(*) AS count FROM {OUTBOX} GROUP BY state ORDER BY state"));
    counts.into_iter().map(|it| (it.state, it.count)).collect()
}

fn last_errors(app: &TestApp) -> Vec<String> {
    let sql = "SELECT DISTINCT coalesce(last_error, '-') AS last_error FROM mails";
    app.database.rows::<LastError>(sql).into_iter().map(|row| row.last_error).collect()
}

/// Waits until exactly these numbers of mails are in these states. It waits longer than the sender's longest pause,
/// which is 75 s.
pub fn wait_for_states(app: &TestApp, wanted: &[(&str, i64)]) {
    let wanted: Vec<(String, i64)> =
        wanted.iter().map(|(state, count)| ((*state).to_owned(), *count)).collect();
    let begun = Instant::now();
    while states(app) != wanted {
        assert!(
            begun.elapsed() < Duration::from_secs(100),
            "{:?}, not {wanted:?}: {:?}",
            states(app),
            last_errors(app)
        );
        thread::sleep(Duration::from_millis(10));
    }
}
