//! The server that reads the database for all goes, and another takes its place.

use std::time::Duration;

use crate::cluster::Cluster;
use crate::redis_server::RedisServer;
use crate::site::{Site, shows_within, within};

const REFRESH_MS: u32 = 500;
/// Three refreshes, and one until the next server has its turn.
const FOLLOWED_WITHIN: Duration = Duration::from_millis(4 * REFRESH_MS as u64);
/// What a busy machine may add.
const GRACE: Duration = Duration::from_millis(500);

/// Tried: with a lease that does not end the others went on with what they knew, once the snapshot had ended
/// each by itself, and nobody held it.
#[test]
fn a_holder_that_is_killed_is_followed_by_another() {
    followed_after(|site| site.servers[0].kill());
}

/// It comes back and finds that another holds the lease: it follows.
#[test]
fn a_holder_that_hangs_is_followed_by_another() {
    followed_after(|site| site.servers[0].signal("-STOP"));
}

fn followed_after(loss: impl FnOnce(&mut Site)) {
    let (cluster, redis) = (Cluster::start(), RedisServer::start());
    let mut site = Site::open(1, &cluster, &redis, REFRESH_MS);
    let lease = redis.names("lease").pop().expect("the first server took it");
    let holder = || redis.ask::<Option<String>>(&["GET", &lease]);
    let first = holder().expect("it holds it");
    site.add(2);
    assert_eq!(holder().as_ref(), Some(&first), "renewed, and not taken from it");

    loss(&mut site);
    let followed = || holder().is_some_and(|holder| holder != first);
    let took = within(FOLLOWED_WITHIN + GRACE, "another holds the lease", followed);
    println!("followed after {took:?}");
    // What changes in the database without any desk is read by the new holder, and shown by both.
    site.database.set_available("VIP", 7);
    for server in [1, 2] {
        shows_within(Duration::from_secs(5), &mut site.visitor(server), &[7, 200, 1_000]);
    }
    if site.servers[0].is_running() {
        site.servers[0].signal("-CONT");
        shows_within(Duration::from_secs(5), &mut site.visitor(0), &[7, 200, 1_000]);
        assert_ne!(holder(), Some(first), "the lease is the new holder's");
    }
}
