//! The strict limits count over all servers of a site together; without Redis, each server counts for itself.

use std::time::{Duration, Instant};

use crate::redis::redis_server::RedisServer;
use crate::redis::site::Site;
use testkit::cluster::Cluster;
use testkit::visitor::{Answer, Visitor};

const LIMITS: [(&str, &str); 6] = [
    ("RATE_LIMITS", "on"),
    ("API_BOOKINGS", "anonymous"),
    ("RATE_LIMIT_TICKETS", "10/hour"),
    ("RATE_LIMIT_BOOKINGS", "6/hour"),
    ("RATE_LIMIT_PAGES", "6/hour"),
    ("TRUSTED_PROXIES", "127.0.0.1"),
];
const TOGETHER: &str = "the strict rate limits are counted together through Redis";
const ALONE: &str = "every server counts its rate limits itself";

/// A site of two servers that count together.
fn open(cluster: &Cluster, redis: &RedisServer) -> Site {
    open_with(cluster, redis, &[])
}

/// The same with more settings.
fn open_with(cluster: &Cluster, redis: &RedisServer, more: &[(&str, &str)]) -> Site {
    let mut site = Site::closed(cluster, redis, 1_000, &[&LIMITS, more].concat());
    site.add(2);
    wait_until_together(&site, 1);
    site
}

fn wait_until_together(site: &Site, times: usize) {
    site.wait_until_said(TOGETHER, ALONE, times);
}

fn wait_until_alone(site: &Site, times: usize) {
    site.wait_until_said(ALONE, TOGETHER, times);
}

/// Sends a booking that names no ticket type, as a proxy would forward it: 429 if limited, another error if let
/// through.
fn book(visitor: &mut Visitor, from: &str) -> Answer {
    let request = format!(
        "POST /bookings HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {from}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=b"
    );
    visitor.send(&request).and_then(|()| visitor.receive()).expect("an answer")
}

/// Sends requests to both servers in turn; returns how many were not rate limited.
fn passes(visitors: &mut [Visitor; 2], times: usize, mut ask: impl FnMut(&mut Visitor) -> Answer) -> usize {
    (0..times).filter(|turn| ask(&mut visitors[turn % 2]).status != 429).count()
}

/// Seen to fail without the Redis script: twelve requests went through. Seen to fail with GET and SET in its place:
/// twelve of the concurrent requests went through.
#[test]
fn one_client_has_one_limit_on_two_servers() {
    let (cluster, redis) = (Cluster::start(), RedisServer::start());
    let site = open(&cluster, &redis);
    let mut visitors = [site.visitor(0), site.visitor(1)];
    let begun = Instant::now();
    assert_eq!(passes(&mut visitors, 20, |it| book(it, "198.51.100.1")), 6);
    assert_eq!(passes(&mut visitors, 20, |it| book(it, "198.51.100.2")), 6, "another client");
    let refused = book(&mut visitors[1], "198.51.100.1");
    let wait: u64 = refused.header("retry-after").parse().expect("a number");
    let passed = begun.elapsed().as_secs() + 1;
    assert!((600 - passed..=600).contains(&wait), "{wait} after {passed} s: one in ten minutes");
    // Each server counts page views by itself: a crowd makes many of them.
    let mut pages = 0;
    for visitor in &mut visitors {
        pages += (0..20).filter(|_| visitor.get("/").expect("an answer").status != 429).count();
    }
    assert_eq!(pages, 12);
    let names: Vec<String> = redis.ask(&["KEYS", "techkraft:limit:*"]);
    assert!(!names.is_empty() && names.iter().all(|name| !name.contains("198.51")), "{names:?}");

    // Concurrent requests do not exceed the limit either.
    let booked: usize = std::thread::scope(|scope| {
        let buyers: Vec<_> = (0..8)
            .map(|buyer| {
                let mut visitor = site.visitor(buyer % 2);
                scope.spawn(move || {
                    (0..10).filter(|_| book(&mut visitor, "198.51.100.3").status != 429).count()
                })
            })
            .collect();
        buyers.into_iter().map(|buyer| buyer.join().expect("a buyer")).sum()
    });
    assert_eq!(booked, 6);
}

/// Seen to fail with only the client's own key in the script: all 200 of the last part went through.
#[test]
fn one_ipv6_network_has_one_limit_on_two_servers() {
    let (cluster, redis) = (Cluster::start(), RedisServer::start());
    // A /48 gets one more every few minutes, so none during this test.
    let site = open_with(&cluster, &redis, &[("RATE_LIMIT_BOOKINGS", "1/hour burst 6")]);
    let mut visitors = [site.visitor(0), site.visitor(1)];
    assert_eq!(passes(&mut visitors, 20, |it| book(it, "2001:db8:1:0::1")), 6, "a /64");
    let mut number = 0;
    let mut next = || {
        number += 1;
        number
    };
    let others = passes(&mut visitors, 100, |it| book(it, &format!("2001:db8:1:{:x}::1", next())));
    assert_eq!(others, 18, "the rest of its /56");
    let others = passes(&mut visitors, 200, |it| book(it, &format!("2001:db8:1:{:x}00::1", next() - 100)));
    assert_eq!(others, 72, "the rest of its /48, though each is in a /56 of its own");
    assert_eq!(passes(&mut visitors, 20, |it| book(it, "2001:db8:2:0::1")), 6, "another /48");
}

/// Both servers count a client's tickets together as well. Tickets that were not booked after all are given back on
/// both.
#[test]
fn one_client_has_its_tickets_on_two_servers() {
    let (cluster, redis) = (Cluster::start(), RedisServer::start());
    let site = open(&cluster, &redis);
    let buy = |visitor: &mut Visitor, tier: &str, quantity: u32| {
        let id = site.database.ticket_type_id(tier);
        let body = format!("{{\"ticketTypeId\":\"{id}\",\"quantity\":{quantity},\"userId\":\"7\"}}");
        let request = format!(
            "POST /api/bookings HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 198.51.100.1\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        visitor.send(&request).and_then(|()| visitor.receive()).expect("an answer").status
    };
    let [mut one, mut other] = [site.visitor(0), site.visitor(1)];
    assert_eq!((buy(&mut one, "Front Row", 4), buy(&mut other, "Front Row", 4)), (201, 201));
    assert_eq!(buy(&mut one, "Front Row", 3), 429, "two are left for both together");
    site.database.set_available("VIP", 1);
    assert_eq!(buy(&mut one, "VIP", 2), 409);
    assert_eq!(buy(&mut other, "Front Row", 2), 201, "those that were not booked");
    assert_eq!(buy(&mut one, "Front Row", 1), 429);
}

/// Redis freezes, dies, and comes back empty: no request waits for it, and every server still has limits.
#[test]
fn without_redis_each_server_counts_itself() {
    let (cluster, mut redis) = (Cluster::start(), RedisServer::start());
    let site = open(&cluster, &redis);
    let mut visitors = [site.visitor(0), site.visitor(1)];
    assert_eq!(passes(&mut visitors, 4, |it| book(it, "198.51.100.1")), 4, "two on each");
    let begun = Instant::now();
    assert_eq!(passes(&mut visitors, 20, |it| book(it, "198.51.100.9")), 6);
    let usual = begun.elapsed();

    redis.freeze();
    let begun = Instant::now();
    assert_eq!(passes(&mut visitors, 20, |it| book(it, "198.51.100.1")), 8, "four more on each");
    let took = begun.elapsed();
    // If each of them waited half a second for Redis, that would be ten seconds more.
    assert!(took < usual * 3 + Duration::from_secs(5), "{took:?} for twenty answers, usually {usual:?}");
    wait_until_alone(&site, 1);
    redis.thaw();
    wait_until_together(&site, 2);
    redis.kill();
    wait_until_alone(&site, 2);
    assert_eq!(passes(&mut visitors, 20, |it| book(it, "198.51.100.2")), 12, "six on each");
    redis.start_again();
    wait_until_together(&site, 3);
    assert_eq!(passes(&mut visitors, 20, |it| book(it, "198.51.100.3")), 6);
    assert_eq!(passes(&mut visitors, 2, |it| book(it, "198.51.100.2")), 0, "still used up on each");

    // Redis answers, but refuses writes: the servers treat it as absent, and log that once.
    redis.ask::<()>(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    wait_until_alone(&site, 3);
    site.without_line(TOGETHER, || {
        assert_eq!(passes(&mut visitors, 20, |it| book(it, "198.51.100.4")), 12);
    });
    redis.ask::<()>(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    wait_until_together(&site, 4);
    site.assert_alternating(TOGETHER, ALONE);
}
