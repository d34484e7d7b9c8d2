//! A replica that hangs.

use std::thread;
use std::time::Duration;
use testkit::wait::{eventually, within};

use crate::replicas::looker::Looker;
use crate::replicas::site::{Site, assert_board_was_always_read, is_in_use};
use testkit::rush::Rush;
use testkit::visitor::Visitor;

/// Twenty pages come within this time, even on a busy machine, unless each of them waits for a standby that hangs.
const LOOKS_WITHIN: Duration = Duration::from_secs(20);

/// The standbys hang: their connections stay open, and no answer ever comes. One server sells, and another one learns
/// of the sales from the standbys.
/// Seen to fail with reads that wait forever: the board stood still.
#[test]
fn frozen_standbys_hold_up_no_page_and_not_the_board() {
    let site = Site::start();
    let [shop, window] = [site.server(), site.server()];
    let rush = Rush::on(&site.database, [1_000_000; 3]);
    let looker = Looker::at(window.address);
    thread::scope(|scope| {
        let _end = rush.until_dropped();
        let (mut visitor, rush_ref) = (Visitor::new(shop.address), &rush);
        scope.spawn(move || rush_ref.buy(&mut visitor, 0));
        looker.wait_for_capacity(1_000_000);
        scope.spawn(|| looker.look(&rush));
        let frozen = site.standbys.each_ref().map(|standby| {
            let frozen = standby.cluster.freeze();
            let looks = looker.looks();
            within(LOOKS_WITHIN, "pages are still shown", || looker.looks() > looks + 20);
            eventually("it is left out", || !is_in_use(&window, standby));
            let before = looker.seen();
            eventually("the board goes on", || looker.seen() != before);
            frozen
        });
        drop(frozen);
        for standby in &site.standbys {
            eventually("it is back", || is_in_use(&window, standby));
        }
    });
    [&shop, &window].into_iter().for_each(assert_board_was_always_read);
    rush.assert_true(&site.database, &Visitor::new(shop.address));
}
