//! Replicas that are lost and come back.

use std::thread;
use std::time::Duration;
use testkit::wait::eventually;

use crate::replicas::looker::Looker;
use crate::replicas::site::{Site, assert_board_was_always_read, is_in_use, uses};
use testkit::rush::Rush;
use testkit::visitor::Visitor;

const BUYERS: u64 = 4;

/// Both standbys crash under load, one after the other; then one comes back.
/// Seen to fail when a standby's error ended the read: the board got no answer.
#[test]
fn standbys_that_die_cost_no_request_and_without_any_the_primary_is_read() {
    let site = Site::start();
    let server = site.server();
    let rush = Rush::on(&site.database, [1_000_000; 3]);
    let looker = Looker::at(server.address);
    thread::scope(|scope| {
        let _end = rush.until_dropped();
        rush.send_buyers(scope, BUYERS, server.address);
        looker.wait_for_capacity(1_000_000);
        scope.spawn(|| looker.look(&rush));
        let [first, second] = &site.standbys;
        let primary_reads = site.primary_reads();
        first.cluster.stop_immediately();
        eventually("the first is left out", || !is_in_use(&server, first));
        let before = second.reads();
        eventually("the second is read from", || second.reads() > before + 4);
        let was_well = !uses(&server, second).contains(&false);
        let was_spared = site.primary_reads() == primary_reads;
        assert!(was_spared || !was_well, "the primary was read though a standby was well");
        second.cluster.stop_immediately();
        eventually("the second is left out", || !is_in_use(&server, second));
        eventually("the primary is read from", || site.primary_reads() > primary_reads + 4);
        first.cluster.start_again();
        eventually("the first is back", || is_in_use(&server, first));
        let before = first.reads();
        eventually("the first is read from", || first.reads() > before + 4);
        // One log line when a standby is lost, and one when it is back.
        thread::sleep(Duration::from_secs(1));
        for standby in &site.standbys {
            let uses = uses(&server, standby);
            assert!(uses.windows(2).all(|pair| pair[0] != pair[1]), "said twice: {uses:?}");
        }
    });
    let statuses = &rush.ledger.lock().expect("a lock").statuses.clone();
    assert!(statuses.keys().all(|status| *status == 303), "{statuses:?}");
    assert_board_was_always_read(&server);
    rush.assert_true(&site.database, &Visitor::new(server.address));
}
