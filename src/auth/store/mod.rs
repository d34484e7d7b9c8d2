//! The SQL of accounts, sessions and wrong passwords. Tables of other rooms are never touched here.
//!
//! The release before knows no roles: it would let each account open everything. So what belongs to an account that is
//! no owner is stored in a way that it cannot use: [`stored`].

pub mod accounts;
pub mod api_tokens;
pub mod second_factor;
pub mod sessions;
pub mod team;
pub mod throttle;

use crate::role::AccountRole;

/// In front of a hash that the release before must not recognize.
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
