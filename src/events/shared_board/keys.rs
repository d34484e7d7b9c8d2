//! Names of the Redis keys and the channel of the shared board.

use crate::guard::secret::{Purpose, Secrets};

/// The version of the formats. Raise it with every change of a format: during a rollout, servers of each
/// release then share a board of their own, and none misreads the other's.
const SCHEMA: u32 = 5;

/// Bytes of the site's key in a name. Enough to tell sites apart.
const SITE_BYTES: usize = 8;

/// The Redis names that the servers of one site share, as long as their formats have the same version.
pub struct RedisNames {
    /// The server that refreshes the snapshot.
    pub lease: String,
    /// All concerts with their ticket types, as JSON in an envelope.
    pub snapshot: String,
    /// The channel for changes.
    pub updates: String,
}

impl RedisNames {
    /// The prefix comes from the secret that the servers of a site share, so two sites on one Redis do not mix.
    /// The names contain the Redis database number, because channels are shared by all databases of a Redis.
    #[must_use]
    pub fn new(secrets: &Secrets, redis_database: i64) -> Self {
        let key = secrets.key(Purpose::SharedBoard);
        let prefix = format!("techkraft:{}", hex::encode(&key[..SITE_BYTES]));
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
        assert!(keys.snapshot.ends_with(":0:v5:board") && !keys.snapshot.contains("a secret"));
    }
}
