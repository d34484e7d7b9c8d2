//! A replica that is behind.

use std::thread;
use std::time::Duration;
use testkit::wait::eventually;

use crate::replicas::looker::{Looker, stock};
use crate::replicas::site::{Site, assert_board_was_always_read, is_in_use};
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
        let both_use = |uses: bool| [&shop, &window].iter().all(|it| is_in_use(it, paused) == uses);
        eventually("the paused standby is left out", || both_use(false));
        eventually("it is not read from any more, and the other one is", || {
            let (before, before_other) = (paused.reads(), other.reads());
            thread::sleep(Duration::from_secs(1));
            both_use(false) && paused.reads() == before && other.reads() > before_other
        });
        eventually("the other one is in use", || is_in_use(&window, other));
        paused.resume();
        eventually("it is back", || both_use(true));
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
