//! What the shared board is called inside Redis.

use std::fmt::Write as _;

use crate::guard::secret::{Purpose, Secrets};

/// Counts the forms of what is kept and sent. Raised with every change of them, so that while a release is
/// rolled out its servers and the older ones each share a board of their own, and neither misreads.
const SCHEMA: u32 = 3;

/// Bytes of the site's key in a name: enough to tell sites apart.
const SITE_BYTES: usize = 8;

/// The names that the servers of one site and one release use.
pub struct RedisNames {
    /// Who refreshes the snapshot.
    pub lease: String,
    /// All concerts with their ticket types, as JSON.
    pub snapshot: String,
    /// The channel on which servers tell each other what has changed.
    pub updates: String,
}

impl RedisNames {
    /// Servers of one site share its secret, so it names the site: two sites on one Redis do not mix. The
    /// number of the database inside Redis is part of the names, because channels know no such numbers.
    #[must_use]
    pub fn new(secrets: &Secrets, redis_database: i64) -> Self {
        let key = secrets.key(Purpose::SharedBoard);
        let mut prefix = String::from("techkraft:");
        for byte in &key[..SITE_BYTES] {
            // Writing to a string cannot fail.
            _ = write!(prefix, "{byte:02x}");
        }
        let name = |what: &str| format!("{prefix}:{redis_database}:v{SCHEMA}:{what}");
        Self { lease: name("lease"), snapshot: name("board"), updates: name("news") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_a_database_and_a_form_have_names_of_their_own() {
        let keys = RedisNames::new(&"a secret".into(), 0);
        assert_eq!(keys.lease, RedisNames::new(&"a secret".into(), 0).lease);
        assert_ne!(keys.updates, RedisNames::new(&"a secret".into(), 1).updates);
        assert_ne!(keys.updates, RedisNames::new(&"another".into(), 0).updates);
        assert!(keys.snapshot.ends_with(":0:v3:board") && !keys.snapshot.contains("a secret"));
    }
}
