//! A replica that is behind.

use std::thread;
use std::time::Duration;
use testkit::wait::eventually;

use crate::replicas::looker::{Looker, stock};
use crate::replicas::site::{Site, assert_board_was_always_read, count};
use testkit::rush::Rush;
use testkit::visitor::Visitor;

const BUYERS: u64 = 4;

/// One server sells. The test looks at another one, which learns of the sales only from the standbys.
/// Seen to fail with no limit on the lag: the paused standby was still read. Seen to fail with a board that accepts
/// older numbers: the numbers went back again and again.
#[test]
fn a_standby_that_falls_behind_is_left_out_until_it_has_caught_up() {
    let site = Site::start();
    let [shop, window] = [site.server(), site.server()];
    let rush = Rush::on(&site.database, [1_000_000; 3]);
    let looker = Looker::at(window.address);
    thread::scope(|scope| {
        let _end = rush.until_dropped();
        rush.send_buyers(scope, BUYERS, shop.address);
        looker.wait_for_capacity(1_000_000);
        scope.spawn(|| looker.look(&rush));
        let [paused, other] = &site.standbys;
        paused.pause();
        let both = |what: &str, times| [&shop, &window].iter().all(|it| count(it, paused, what) == times);
        eventually("the paused standby is left out", || both("is left out: its lag is", 1));
        // The standby may still be logging a read that had begun before.
        thread::sleep(Duration::from_millis(200));
        let (before, before_other) = (paused.reads(), other.reads());
        thread::sleep(Duration::from_secs(1));
        assert_eq!(paused.reads(), before, "it is read from, though it is behind");
        assert!(other.reads() > before_other, "the other one is read from");
        assert_eq!(count(&window, other, "is left out"), 0);
        paused.resume();
        eventually("it is back", || both("is in use again", 1));
        let before = paused.reads();
        eventually("it is read from again", || paused.reads() > before + 2);
        thread::sleep(Duration::from_millis(500));
    });
    eventually("the window shows what is left", || {
        let page = Visitor::new(window.address).get("/").expect("a page");
        let tiers = site.database.tiers();
        stock(&page.body).into_iter().map(i64::from).eq(tiers.iter().map(|it| it.available))
    });
    [&shop, &window].into_iter().for_each(assert_board_was_always_read);
    rush.assert_true(&site.database, &Visitor::new(shop.address));
}
