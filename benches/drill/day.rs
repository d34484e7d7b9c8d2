//! The phases of the drill, one after the other, while visitors buy tickets and look at pages.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use crate::site::Site;
use crate::table::{self, Pages, Phase};
use testkit::rush::{Row, Rush};
use testkit::server::assert_verified;
use testkit::visitor::Visitor;

const BUYERS: u64 = 16;
const LOOKERS: usize = 8;
/// The pause between two orders of a buyer, and between two page views of a looker.
const PACE: Duration = Duration::from_millis(50);
/// The time until a quorum has noticed that the primary is gone and has chosen the standby.
const NOTICED_AFTER: Duration = Duration::from_secs(5);
const BOOKINGS: &str = "SELECT b.request_key, b.token, l.ticket_type_id, l.quantity
    FROM bookings b JOIN booking_lines l ON l.booking_id = b.id";

pub fn run(phase: Duration) {
    let mut site = Site::open();
    let rush = Rush::on(&site.database, [300, 1_000_000, 1_000_000]);
    let pages = Pages::default();
    let address = site.address;
    let rows = thread::scope(|scope| {
        let _end = rush.until_dropped();
        for buyer in 0..BUYERS {
            scope.spawn({
                let rush = &rush;
                move || buy(rush, Visitor::new(address), buyer)
            });
        }
        for _ in 0..LOOKERS {
            scope.spawn(|| look(&rush, &pages, Visitor::new(address)));
        }
        let mut row = |name, work: &mut dyn FnMut(&mut Site)| {
            let begun = Phase::begin(name, &rush, &pages);
            let until = Instant::now() + phase;
            work(&mut site);
            thread::sleep(until.saturating_duration_since(Instant::now()));
            begun.end(&rush, &pages)
        };
        vec![
            row("load", &mut |_| {}),
            row("release: both servers replaced, three times", &mut |site| release(site, phase)),
            row("crash: a server killed, three times", &mut |site| crash(site, phase)),
            row("fail-over: the primary killed, the standby promoted", &mut |site| fail_over(site, &rush)),
            row("restore: all bookings deleted, the backup restored", &mut |site| restore(site, &rush)),
        ]
    });
    assert_verified(&site.database);
    table::print(&rows);
    // Before the data was lost there were no wrong answers (`seen` asserts that). Afterward, a buyer who repeats the
    // order of a lost booking may get a different booking.
    let wrong = rush.ledger.lock().expect("a lock").wrong.len();
    println!("\nWrong answers since the data was lost: {wrong}");
}

fn buy(rush: &Rush, mut visitor: Visitor, buyer: u64) {
    let mut random = rush.random(buyer);
    while !rush.is_over() {
        let purchase = rush.purchase(&mut random);
        rush.settle(&mut visitor, &purchase);
        thread::sleep(PACE);
    }
}

fn look(rush: &Rush, pages: &Pages, mut visitor: Visitor) {
    while !rush.is_over() {
        let is_shown = visitor.get("/events").is_ok_and(|answer| answer.status < 500);
        let count = if is_shown { &pages.shown } else { &pages.failed };
        count.fetch_add(1, Ordering::Relaxed);
        thread::sleep(PACE);
    }
}

fn release(site: &mut Site, phase: Duration) {
    for _ in 0..6 {
        site.replace_server();
        thread::sleep(phase / 12);
    }
}

fn crash(site: &mut Site, phase: Duration) {
    for _ in 0..3 {
        site.kill_server();
        thread::sleep(phase / 6);
    }
}

fn fail_over(site: &mut Site, rush: &Rush) {
    let promoting = site.fail_over(NOTICED_AFTER);
    println!("  promoted in {promoting:.1?}, {NOTICED_AFTER:?} after the kill");
    thread::sleep(Duration::from_secs(5));
    let before = seen(rush);
    let there: BTreeSet<Row> = site.database.rows(BOOKINGS).into_iter().collect();
    assert!(before.is_subset(&there), "confirmed bookings were lost");
    println!("  all of {} bookings that were confirmed are there", before.len());
}

fn restore(site: &mut Site, rush: &Rush) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("drill.dump");
    let begun = Instant::now();
    print!("  {}", site.command(&["backup"], &path));
    println!("  made and proved in {:.1?}, while people bought", begun.elapsed());
    thread::sleep(Duration::from_secs(5));
    let begun = Instant::now();
    site.database.execute("DELETE FROM mails; DELETE FROM bookings");
    let before = seen(rush);
    site.stop_all();
    site.command(&["restore", "--overwrite"], &path);
    site.start_server();
    site.start_server();
    println!("  back {:.1?} after the deletion", begun.elapsed());
    let there: BTreeSet<Row> = site.database.rows(BOOKINGS).into_iter().collect();
    println!("  lost: {} bookings of the five seconds since the backup", before.difference(&there).count());
}

/// The bookings that buyers have seen confirmed.
fn seen(rush: &Rush) -> BTreeSet<Row> {
    let ledger = rush.ledger.lock().expect("a lock");
    assert!(ledger.wrong.is_empty(), "{:#?}", ledger.wrong);
    ledger.confirmed.iter().map(Row::from).collect()
}
