//! TLS connections to Redis.

use std::time::Duration;
use testkit::wait::within;

use crate::redis::redis_server::RedisServer;
use crate::redis::site::{Site, shows_within};
use testkit::cluster::Cluster;

const A_MINUTE: u32 = 60_000;
const SOON: Duration = Duration::from_secs(30);

#[test]
fn servers_share_over_tls() {
    let (cluster, redis) = (Cluster::start(), RedisServer::start_with_tls());
    let (url, trusted) = (redis.tls_url(), redis.certificate());
    let trusted = trusted.to_str().expect("a path");
    let settings = [("REDIS_URL", url.as_str()), ("SSL_CERT_FILE", trusted), ("RATE_LIMITS", "off")];
    let mut site = Site::closed(&cluster, &redis, A_MINUTE, &settings);
    site.add(2);
    let (mut here, mut there) = (site.visitor(0), site.visitor(1));
    site.book_one(&mut here);
    shows_within(SOON, &mut there, &[100, 200, 999]);
    let settings = [("REDIS_URL", url.as_str()), ("SSL_CERT_FILE", trusted), ("RATE_LIMITS", "on")];
    let mut limited = Site::closed(&cluster, &redis, A_MINUTE, &settings);
    limited.add(1);
    let log = || limited.servers[0].logged();
    within(SOON, "counting together", || log().contains("are counted together through Redis"));
}

/// Servers do not use a Redis without a valid certificate: they sell as without Redis, and take no messages from it.
#[test]
fn a_redis_that_cannot_prove_who_it_is_is_not_used() {
    let (cluster, redis) = (Cluster::start(), RedisServer::start_with_tls());
    let url = redis.tls_url();
    let mut site = Site::closed(&cluster, &redis, 1_000, &[("REDIS_URL", &url)]);
    site.add_alone(1);
    site.wait_until_alone(1);
    let log = site.servers[0].logged();
    assert!(log.contains("certificate"), "{log}");
    site.book_one(&mut site.visitor(0));
    assert!(redis.names("board").is_empty() && redis.names("lease").is_empty());
}
