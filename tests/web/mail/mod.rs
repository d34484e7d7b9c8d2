//! The mails that the site sends to its buyers.

pub mod calendar;
mod flood;
pub mod letter;
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
#[expect(dead_code, reason = "it is printed")]
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

/// Waits until exactly these numbers of mails are in these states. It waits longer than the sender's longest pause,
/// which is 75 s.
pub fn wait_for_states(app: &TestApp, wanted: &[(&str, i64)]) {
    let wanted: Vec<(String, i64)> =
        wanted.iter().map(|(state, count)| ((*state).to_owned(), *count)).collect();
    let begun = Instant::now();
    while states(app) != wanted {
        let errors = || {
            app.database
                .rows::<LastError>("SELECT DISTINCT coalesce(last_error, '-') AS last_error FROM mails")
        };
        assert!(
            begun.elapsed() < Duration::from_secs(100),
            "{:?}, not {wanted:?}: {:?}",
            states(app),
            errors()
        );
        thread::sleep(Duration::from_millis(10));
    }
}
