//! A session as the database holds it, and how long it lasts.

use chrono::{NaiveDateTime, TimeDelta};

use crate::role::AccountRole;

/// Sessions of one account. A further sign-in ends the oldest.
pub const SESSIONS_MAX: i64 = 20;

/// How long sessions last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// Without activity.
    pub idle: TimeDelta,
    /// In any case.
    pub lifetime: TimeDelta,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self { idle: TimeDelta::minutes(30), lifetime: TimeDelta::hours(12) }
    }
}

/// A session to be inserted.
pub struct NewSession {
    pub token_hash: String,
    pub account_id: i64,
    pub role: AccountRole,
    /// UTC.
    pub expires_at: NaiveDateTime,
    pub client_address: String,
    /// Whether a second factor was shown.
    pub second_factor: bool,
}

/// A session in the list on the account page.
#[derive(Debug, Clone)]
pub struct LiveSession {
    pub token_hash: String,
    /// UTC.
    pub started_at: NaiveDateTime,
    /// UTC, to the minute.
    pub last_seen_at: NaiveDateTime,
    /// Where it was started. Empty when unknown.
    pub client_address: String,
}

impl LiveSession {
    /// Its id in forms: the start of a hash, which opens nothing.
    #[must_use]
    pub fn id(&self) -> &str {
        id_of(&self.token_hash)
    }
}

pub(super) fn id_of(token_hash: &str) -> &str {
    token_hash.get(..16).unwrap_or(token_hash)
}
