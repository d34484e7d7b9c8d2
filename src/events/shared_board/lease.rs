//! The lease: which of the servers refreshes the snapshot for all of them. It is short and renewed with
//! every refresh, so a holder that is gone or hangs is followed by another within moments. Compare and set
//! happen in one step inside Redis, as scripts, so that no two servers ever both believe they hold it.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Value};

use super::keys::RedisNames;

/// How long a lease lasts, in refreshes of its holder.
const REFRESHES: u32 = 3;
/// A lease outlasts a hiccup of the network, however short the refreshes are.
const LEAST: Duration = Duration::from_secs(1);

/// Takes the lease when it is free or the caller's own; otherwise answers with the snapshot.
const TAKE_OR_READ: &str = "
    local holder = redis.call('GET', KEYS[1])
    if holder and holder ~= ARGV[1] then return redis.call('GET', KEYS[2]) end
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
    return 1";

/// Writes the snapshot, unless the lease has meanwhile gone to somebody else.
const WRITE: &str = "
    if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
    redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
    return 1";

/// Gives the lease back, unless it is somebody else's.
const GIVE_BACK: &str = "
    if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
    return 1";

/// One server's claim to the lease.
pub struct Lease {
    /// Who the server is among the others: no two have the same.
    server: String,
    length: Duration,
    /// How long a snapshot counts: a little longer than the lease, so that the others have something to
    /// read until the next holder has written its first.
    snapshot_life: Duration,
}

/// What a server does in a refresh.
pub enum Role {
    /// It holds the lease: it reads the database and writes the snapshot.
    Leader,
    /// Another does, and this is its snapshot as JSON.
    Follower(Vec<u8>),
    /// Another does, but has left no snapshot, or none that is fresh.
    Alone,
}

impl Lease {
    #[must_use]
    pub fn new(refresh: Duration) -> Self {
        let length = (refresh * REFRESHES).max(LEAST);
        let server = format!("{:032x}", rand::random::<u128>());
        Self { server, length, snapshot_life: length + refresh }
    }

    /// Takes or renews the lease, or reads what its holder has written: one round trip.
    pub async fn take_role(&self, redis: &mut MultiplexedConnection, keys: &RedisNames) -> RedisResult<Role> {
        let mut script = redis::cmd("EVAL");
        script.arg(TAKE_OR_READ).arg(2).arg(&keys.lease).arg(&keys.snapshot);
        let answer = script.arg(&self.server).arg(millis(self.length)).query_async(redis).await?;
        Ok(match answer {
            Value::Int(_) => Role::Leader,
            Value::BulkString(snapshot) => Role::Follower(snapshot),
            _ => Role::Alone,
        })
    }

    /// Writes the snapshot, when the lease is still this server's.
    pub async fn write(
        &self,
        redis: &mut MultiplexedConnection,
        keys: &RedisNames,
        json: &str,
    ) -> RedisResult<()> {
        let mut script = redis::cmd("EVAL");
        script.arg(WRITE).arg(2).arg(&keys.lease).arg(&keys.snapshot);
        script.arg(&self.server).arg(json).arg(millis(self.snapshot_life)).query_async(redis).await
    }

    /// Writes the snapshot without holding the lease: for a server that knows more than the holder's last reading.
    pub async fn overwrite(
        &self,
        redis: &mut MultiplexedConnection,
        keys: &RedisNames,
        json: &str,
    ) -> RedisResult<()> {
        let mut command = redis::cmd("SET");
        command.arg(&keys.snapshot).arg(json).arg("PX").arg(millis(self.snapshot_life));
        command.query_async(redis).await
    }

    /// For a holder that cannot read the database: another may.
    pub async fn give_back(&self, redis: &mut MultiplexedConnection, keys: &RedisNames) -> RedisResult<()> {
        let mut script = redis::cmd("EVAL");
        script.arg(GIVE_BACK).arg(1).arg(&keys.lease).arg(&self.server).query_async(redis).await
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
