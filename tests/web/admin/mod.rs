//! The organizer's pages.

mod audit_log;
mod export;
mod password;
#[cfg(target_os = "linux")]
mod password_queue;
mod reseed;
mod sale;
mod sessions;
mod sign_in;
mod terms;
mod throttle;

use chrono::{TimeDelta, Utc};

use crate::support::TestApp;

/// A line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, diesel::QueryableByName)]
struct Entry {
    #[diesel(sql_type = diesel::sql_types::Text)]
    actor: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    action: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    subject: String,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    affected: i64,
    #[diesel(sql_type = diesel::sql_types::Text)]
    client_address: String,
}

fn audit(app: &TestApp) -> Vec<Entry> {
    app.database.rows("SELECT actor, action, subject, affected, client_address FROM audit_log ORDER BY id")
}

/// The entries of one action: actor, subject, how many, address.
fn audited(app: &TestApp, action: &str) -> Vec<(String, String, i64, String)> {
    let entries = audit(app).into_iter().filter(|entry| entry.action == action);
    entries.map(|entry| (entry.actor, entry.subject, entry.affected, entry.client_address)).collect()
}

fn count(app: &TestApp, from: &str) -> i64 {
    i64::try_from(app.database.count(from)).expect("a small number")
}

/// Whoever must wait now waits for as long as the test takes, however slow the machine is.
fn prolong_waits(app: &TestApp) {
    let until = minutes_ago(-10);
    let waiting = "slowed_until > last_failed_at";
    app.database.execute(&format!("UPDATE sign_in_brakes SET slowed_until = {until} WHERE {waiting}"));
}

/// A time in SQL, UTC.
fn minutes_ago(minutes: i64) -> String {
    (Utc::now() - TimeDelta::minutes(minutes)).format("'%Y-%m-%d %H:%M:%S'").to_string()
}
