//! A primary that still answers but takes no more writes.

use std::thread;
use std::time::Duration;
use testkit::wait::eventually;

use crate::failover::pair::{Pair, confirmations, first_confirmation_after, readiness};
use testkit::rush::Rush;
use testkit::server::Server;
use testkit::visitor::Visitor;

const BUYERS: u64 = 8;

impl Pair {
    /// From now on the primary takes no writes, but still answers, on existing connections as well.
    fn fence(&self) {
        self.database.execute("ALTER SYSTEM SET default_transaction_read_only = on");
        self.database.execute("SELECT pg_reload_conf()");
    }
}

fn terms_ended(server: &Server) -> usize {
    server.logged().matches("no longer takes writes: reopening").count()
}

/// The connections to a demoted primary still work, so a server that only looks for broken ones would keep using
/// them.
#[test]
fn a_primary_that_takes_no_writes_any_more_is_left_at_once() {
    let mut pair = Pair::start();
    let server = pair.server();
    let rush = Rush::on(&pair.database, [1_000_000; 3]);
    thread::scope(|scope| {
        let _end = rush.until_dropped();
        rush.send_buyers(scope, BUYERS, server.address);
        thread::sleep(Duration::from_millis(500));
        pair.fence();
        eventually("its term is over", || terms_ended(&server) > 0);
        let before = confirmations(&rush);
        let promoted_at = pair.promote();
        let resumed = first_confirmation_after(&rush, promoted_at, before);
        println!("the first booking {resumed:?} after the promotion");
        // Read connections have moved to the new primary, too: a booking made there is found.
        let last = rush.ledger.lock().expect("a lock").confirmed.last().expect("one").location.clone();
        let answer = Visitor::new(server.address).get(&last).expect("an answer");
        assert_eq!(answer.status, 200, "{last}");
        thread::sleep(Duration::from_millis(500));
    });
    assert_eq!(terms_ended(&server), 1, "said once: {}", server.logged());
    rush.assert_true(&pair.database, &Visitor::new(server.address));
}

/// Nobody books here, so only the readiness check can find that the primary takes no writes.
#[test]
fn an_idle_server_finds_the_new_primary_by_being_asked_whether_it_is_ready() {
    let mut pair = Pair::start();
    let server = pair.server();
    assert_eq!(readiness(&server).status, 200);
    pair.fence();
    eventually("the server is not ready", || readiness(&server).status == 503);
    pair.promote();
    eventually("the server is ready", || readiness(&server).status == 200);
}
