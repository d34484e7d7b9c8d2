//! Two sites use one Redis, and neither sees anything of the other.

use std::thread;
use std::time::Duration;

use crate::redis::redis_server::RedisServer;
use crate::redis::site::{Site, shown, shows_within};
use testkit::cluster::Cluster;
use testkit::wait::eventually;

const REFRESH_MS: u32 = 200;
const SOON: Duration = Duration::from_secs(30);

/// Both sites have the same ids of concerts and ticket types, and the same versions at the start.
/// Seen to fail with Redis names that do not depend on the secret: the first site never showed its own numbers.
#[test]
fn two_sites_on_one_redis_do_not_mix() {
    let (cluster, redis) = (Cluster::start(), RedisServer::start());
    let one = Site::open(2, &cluster, &redis, REFRESH_MS);
    let secret = [("SECRET_KEY", "another secret, that of the servers of another site")];
    let mut other = Site::closed(&cluster, &redis, REFRESH_MS, &secret);
    other.add(2);

    let mut buyer = one.visitor(0);
    for _ in 0..5 {
        one.book_one(&mut buyer);
    }
    other.database.set_available("VIP", 42);
    for server in [0, 1] {
        shows_within(SOON, &mut one.visitor(server), &[100, 200, 995]);
        shows_within(SOON, &mut other.visitor(server), &[42, 200, 1_000]);
    }
    // Meanwhile every server refreshes several times.
    thread::sleep(Duration::from_millis(8 * u64::from(REFRESH_MS)));
    for server in [0, 1] {
        assert_eq!(shown(&mut one.visitor(server)), [100, 200, 995]);
        assert_eq!(shown(&mut other.visitor(server)), [42, 200, 1_000]);
    }
    // On a busy machine a lease may expire before it is renewed.
    eventually("a lease and a channel of each", || {
        (redis.names("lease").len(), redis.names("news").len()) == (2, 2)
    });
}
