//! The lease decides which server refreshes the snapshot for all of them. It is short and renewed with every
//! refresh, so another server takes over soon after the holder fails. Redis scripts compare and set in one step,
//! so two servers never hold it at once.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Value};

use super::keys::RedisNames;

/// Length of a lease, in refresh intervals.
const REFRESHES: u32 = 3;
/// Minimum length of a lease, so that it survives a short network failure.
const LEAST: Duration = Duration::from_secs(1);

/// The longest snapshot that is read: thousands of concerts. A longer one is cut, so its signature is not valid.
const SNAPSHOT_MAX: usize = 16 << 20;

/// Takes the lease if it is free or the caller's own; otherwise returns the snapshot, or "" if there is none.
const TAKE_OR_READ: &str = "
    local holder = redis.call('GET', KEYS[1])
    if holder and holder ~= ARGV[1] then return redis.call('GETRANGE', KEYS[2], 0, ARGV[3]) end
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
    return 1";

/// Writes the snapshot if the caller still holds the lease.
const WRITE: &str = "
    if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
    redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
    return 1";

/// Releases the lease, unless another server holds it.
const RELEASE: &str = "
    if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
    return 1";

/// One server's claim to the lease.
pub struct Lease {
    /// A random id of this server.
    server: String,
    length: Duration,
    /// Time to live of a snapshot: longer than the lease, so that followers have one to read until the next
    /// leader has written its first.
    snapshot_life: Duration,
}

/// A server's role in a refresh.
pub enum Role {
    /// Holds the lease: reads the database and writes the snapshot.
    Leader,
    /// Another server holds the lease; this is its snapshot, not verified yet.
    Follower(Vec<u8>),
    /// Another server holds the lease, but there is no fresh snapshot.
    Alone,
}

impl Lease {
    #[must_use]
    pub fn new(refresh: Duration) -> Self {
        let length = (refresh * REFRESHES).max(LEAST);
        let server = format!("{:032x}", rand::random::<u128>());
        Self { server, length, snapshot_life: length + refresh }
    }

    /// How long a snapshot stays in Redis.
    pub fn snapshot_life(&self) -> Duration {
        self.snapshot_life
    }

    /// Takes or renews the lease, or reads the leader's snapshot, in one round trip.
    pub async fn take_role(&self, redis: &mut MultiplexedConnection, keys: &RedisNames) -> RedisResult<Role> {
        let mut script = redis::cmd("EVAL");
        script.arg(TAKE_OR_READ).arg(2).arg(&keys.lease).arg(&keys.snapshot);
        script.arg(&self.server).arg(millis(self.length)).arg(SNAPSHOT_MAX);
        let answer = script.query_async(redis).await?;
        Ok(match answer {
            Value::Int(_) => Role::Leader,
            Value::BulkString(snapshot) if !snapshot.is_empty() => Role::Follower(snapshot),
            _ => Role::Alone,
        })
    }

    /// Writes the snapshot if this server still holds the lease.
    pub async fn write(
        &self,
        redis: &mut MultiplexedConnection,
        keys: &RedisNames,
        snapshot: &[u8],
    ) -> RedisResult<()> {
        let mut script = redis::cmd("EVAL");
        script.arg(WRITE).arg(2).arg(&keys.lease).arg(&keys.snapshot);
        script.arg(&self.server).arg(snapshot).arg(millis(self.snapshot_life)).query_async(redis).await
    }

    /// Writes the snapshot without holding the lease, for a server with newer data than the leader's last read.
    pub async fn overwrite(
        &self,
        redis: &mut MultiplexedConnection,
        keys: &RedisNames,
        snapshot: &[u8],
    ) -> RedisResult<()> {
        let mut command = redis::cmd("SET");
        command.arg(&keys.snapshot).arg(snapshot).arg("PX").arg(millis(self.snapshot_life));
        command.query_async(redis).await
    }

    /// Releases the lease when this server cannot read the database, so that another can try.
    pub async fn release(&self, redis: &mut MultiplexedConnection, keys: &RedisNames) -> RedisResult<()> {
        let mut script = redis::cmd("EVAL");
        script.arg(RELEASE).arg(1).arg(&keys.lease).arg(&self.server).query_async(redis).await
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
