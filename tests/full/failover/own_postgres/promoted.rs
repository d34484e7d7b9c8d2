//! A primary is killed and its standby is promoted.

use std::thread;
use std::time::Duration;
use testkit::wait::eventually;

use crate::failover::pair::{Pair, confirmations, first_confirmation_after, readiness};
use testkit::rush::Rush;
use testkit::visitor::Visitor;

const BUYERS: u64 = 16;

/// `kill -9` of the primary and all its processes, under load. Buyers see 303 and 503, and the new primary has each
/// confirmed booking exactly once.
/// A primary that does not wait for its standby would lose confirmed bookings.
#[test]
fn a_killed_primary_costs_no_booking_and_its_standby_goes_on_selling() {
    let mut pair = Pair::start();
    let server = pair.server();
    let rush = Rush::on(&pair.database, [1_000_000; 3]);
    thread::scope(|scope| {
        let _end = rush.until_dropped();
        rush.send_buyers(scope, BUYERS, server.address);
        thread::sleep(Duration::from_secs(1));
        pair.primary.kill();
        eventually("the server is not ready", || readiness(&server).status == 503);
        let page = Visitor::new(server.address).get("/").expect("a page");
        assert_eq!(page.status, 200, "pages are still shown");
        let before = confirmations(&rush);
        let promoted_at = pair.promote();
        let resumed = first_confirmation_after(&rush, promoted_at, before);
        println!("the first booking {resumed:?} after the promotion");
        eventually("the server is ready", || readiness(&server).status == 200);
        thread::sleep(Duration::from_secs(1));
    });
    rush.assert_true(&pair.database, &Visitor::new(server.address));
}
