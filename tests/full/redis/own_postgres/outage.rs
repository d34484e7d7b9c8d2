//! Redis freezes, dies, comes back and is emptied while people buy and look: no buyer and no visitor notices.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use testkit::wait::within;

use crate::redis::redis_server::RedisServer;
use crate::redis::site::{Site, shown, shows_within};
use testkit::cluster::Cluster;
use testkit::rush::Rush;
use testkit::visitor::Visitor;

const REFRESH_MS: u32 = 200;
const BUYERS: u64 = 6;
/// A server shows another one's sale while Redis is away after one refresh, and the half second after which it gives
/// up on a Redis that does not answer. The rest is for a busy machine.
const SHOWN_WITHIN: Duration = Duration::from_secs(30);
const RECOVERED_WITHIN: Duration = Duration::from_secs(60);
/// So many polls are answered while Redis is frozen: no page waits for it.
const POLLS_WITHOUT_REDIS: usize = 20;

/// Seen to fail with a command timeout of minutes: no server noticed that Redis was frozen. Seen to fail without a
/// second subscription: no server listened afterward.
#[test]
fn redis_frozen_killed_restarted_and_emptied_under_load_costs_nothing() {
    let (cluster, mut redis) = (Cluster::start(), RedisServer::start());
    let site = Site::open(2, &cluster, &redis, REFRESH_MS);
    let rush = Rush::on(&site.database, [1_000_000; 3]);
    let polls = AtomicUsize::new(0);
    thread::scope(|scope| {
        let end = rush.until_dropped();
        for buyer in 0..BUYERS {
            let (rush, mut visitor) = (&rush, site.visitor(buyer as usize % 2));
            scope.spawn(move || rush.buy(&mut visitor, buyer));
        }
        for server in 0..2 {
            let (rush, polls, visitor) = (&rush, &polls, site.visitor(server));
            scope.spawn(move || look(rush, visitor, polls));
        }
        assert_sharing(&redis);

        redis.freeze();
        let before = polls.load(Ordering::Relaxed);
        site.wait_until_alone(1);
        site.while_alone(|| {
            thread::sleep(Duration::from_secs(1));
            within(RECOVERED_WITHIN, "polls while Redis is frozen", || {
                polls.load(Ordering::Relaxed) > before + POLLS_WITHOUT_REDIS
            });
        });
        redis.thaw();
        site.wait_until_joined(2);
        assert_sharing(&redis);

        redis.kill();
        site.wait_until_alone(2);
        site.while_alone(|| thread::sleep(Duration::from_secs(1)));
        redis.start_again();
        site.wait_until_joined(3);
        assert_sharing(&redis);

        redis.ask::<()>(&["FLUSHALL"]);
        assert_sharing(&redis);
        drop(end);
    });
    rush.assert_true(&site.database, &site.visitor(0));
    site.assert_no_line_is_repeated();
}

/// Servers start without Redis and work by themselves; when Redis starts, they share the board.
/// Seen to fail with a command timeout of minutes: a frozen Redis froze the board of the server without the lease.
#[test]
fn servers_start_without_redis_and_share_when_it_comes() {
    let (cluster, mut redis) = (Cluster::start(), RedisServer::prepared());
    let mut site = Site::closed(&cluster, &redis, 1_000, &[]);
    site.add_alone(2);
    site.wait_until_alone(1);
    let (mut here, mut there) = (site.visitor(0), site.visitor(1));
    site.book_one(&mut here);
    shows_within(SHOWN_WITHIN, &mut there, &[100, 200, 999]);
    redis.start_again();
    site.wait_until_joined(1);
    assert_sharing(&redis);
    site.book_one(&mut here);
    shows_within(SHOWN_WITHIN, &mut there, &[100, 200, 998]);

    // Redis is frozen until both bookings are made, so they do not wait for it; and the other server still shows them.
    redis.freeze();
    for left in [997, 996] {
        site.book_one(&mut here);
        shows_within(SHOWN_WITHIN, &mut there, &[100, 200, left]);
    }
    redis.thaw();
    site.wait_until_joined(2);

    // Redis answers, but refuses writes: the servers treat it as absent, and log that once.
    redis.ask::<()>(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    site.wait_until_alone(3);
    site.database.set_available("VIP", 50);
    shows_within(SHOWN_WITHIN, &mut here, &[50, 200, 996]);
    shows_within(SHOWN_WITHIN, &mut there, &[50, 200, 996]);
    site.while_alone(|| thread::sleep(Duration::from_secs(2)));
    redis.ask::<()>(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    site.wait_until_joined(3);
    site.assert_no_line_is_repeated();
    site.database.assert_books_balance();
}

/// Waits until a server holds the lease, there is a snapshot, and both servers listen.
fn assert_sharing(redis: &RedisServer) {
    let took = within(RECOVERED_WITHIN, "the servers share again", || {
        let listeners = redis.names("news").pop().map_or(0, |channel| {
            let numbers: (String, usize) = redis.ask(&["PUBSUB", "NUMSUB", &channel]);
            numbers.1
        });
        redis.names("lease").len() == 1 && redis.names("board").len() == 1 && listeners == 2
    });
    println!("sharing after {took:?}");
}

/// Polls the availability until the rush is over, and counts the polls: the numbers never rise.
fn look(rush: &Rush, mut visitor: Visitor, polls: &AtomicUsize) {
    let mut before = vec![i64::MAX; 3];
    while !rush.is_over() {
        let numbers = shown(&mut visitor);
        polls.fetch_add(1, Ordering::Relaxed);
        // The capacities are raised just before the rush, so the first polls may still show the old ones.
        let has_begun = numbers.iter().all(|number| *number > 1_000);
        if has_begun && numbers.iter().zip(&before).any(|(number, before)| number > before) {
            rush.note_wrong(format!("{numbers:?} after {before:?}"));
        }
        before = if has_begun { numbers } else { before };
        thread::sleep(Duration::from_millis(20));
    }
}
