//! The SQL of accounts, their sessions, second factors and invitations, of API tokens, and of wrong passwords.
//! Of the tables of other modules only the audit log is used here.
//!
//! The previous release knows no roles: it would let each account open everything. So the hashes of passwords
//! and sessions of an account that is not an owner are stored in a form that it cannot use: see [`stored`].
//!
//! How a password or a code is checked does not belong here: see `auth::password` and `auth::totp`.

pub mod accounts;
pub mod api_tokens;
pub mod invitations;
pub mod second_factor;
pub mod sessions;
pub mod team;
pub mod throttle;

use crate::role::AccountRole;

/// Prefix of a hash that the previous release must not recognize.
const RESTRICTED: &str = "restricted:";

/// A password's or a token's hash as the database holds it.
fn stored(role: AccountRole, hash: &str) -> String {
    let prefix = if role == AccountRole::Owner { "" } else { RESTRICTED };
    format!("{prefix}{hash}")
}

/// The hash itself.
fn plain(stored: &str) -> &str {
    stored.strip_prefix(RESTRICTED).unwrap_or(stored)
}
