//! The entries of the audit log.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};

use super::TestApp;

/// A line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Entry {
    #[diesel(sql_type = Text)]
    pub actor: String,
    #[diesel(sql_type = Text)]
    pub action: String,
    #[diesel(sql_type = Text)]
    pub subject: String,
    #[diesel(sql_type = BigInt)]
    pub affected: i64,
    #[diesel(sql_type = Text)]
    pub client_address: String,
}

pub fn audit(app: &TestApp) -> Vec<Entry> {
    app.database.rows("SELECT actor, action, subject, affected, client_address FROM audit_log ORDER BY id")
}

/// The entries of one action: actor, subject, how many, address.
pub fn audited(app: &TestApp, action: &str) -> Vec<(String, String, i64, String)> {
    let entries = audit(app).into_iter().filter(|entry| entry.action == action);
    entries.map(|entry| (entry.actor, entry.subject, entry.affected, entry.client_address)).collect()
}
