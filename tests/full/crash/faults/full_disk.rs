//! The disk is full.

use std::thread;
use std::time::Duration;
use testkit::wait::eventually;

use testkit::cluster::Cluster;
use testkit::database::TestDatabase;
use testkit::rush::Rush;
use testkit::server::Server;
use testkit::small_disk::SmallDisk;
use testkit::visitor::Visitor;

const BUYERS: u64 = 8;

/// Buyers get 303, 409 and, while there is no space, 503 with Retry-After. Pages are shown all the time.
///
/// Seen to fail when a batch is not retried after "disk is full": every order was answered with 500.
#[test]
fn a_full_disk_pauses_sales_on_sqlite_and_free_space_resumes_them() {
    let disk = SmallDisk::of_kib(6 * 1024);
    let database = TestDatabase::file_in(disk.path());
    let mails = database.folder.path().join("mail").display().to_string();
    let mut server = Server::prepared(&database, &[("MAIL_DIR", &mails), ("DESK_DEADLINE_MS", "1000")]);
    server.start_through(&mut disk.starter());
    server.start_again();
    server.wait_until_it_listens();
    let rush = Rush::on(&database, [300, 5_000, 1_000_000]);
    buy_over(&disk, server.id(), &server, &rush, || {});
    let log = server.logged();
    assert!(log.contains("full") || log.contains("disk I/O error"), "the log names the reason: {log}");
    rush.assert_true(&database, &Visitor::new(server.address));
}

/// PostgreSQL refuses to extend a table; or it cannot write its WAL, crashes and recovers. In both cases buyers get
/// 503.
///
/// Seen to fail when a batch is not retried after PostgreSQL's error: orders were answered with 500.
#[test]
fn a_full_disk_of_postgresql_stops_the_sale_and_room_lets_it_go_on() {
    // A limit on file sizes does not work here: no file grows beyond the size of a WAL file. So this takes a real
    // file system.
    let disk = SmallDisk::mounted_of_kib(128 * 1024);
    let cluster = Cluster::start_in(disk.path());
    let database = cluster.database();
    let server = Server::start(&database, &[("DESK_DEADLINE_MS", "1000")]);
    let rush = Rush::on(&database, [300, 5_000, 1_000_000]);
    buy_over(&disk, server.id(), &server, &rush, || {
        if !cluster.is_running() {
            println!("PostgreSQL has stopped");
            cluster.start_again();
        }
    });
    rush.assert_true(&database, &Visitor::new(server.address));
}

/// People buy while a disk fills up, is full, and has space again. `repair` then restarts the database if necessary.
fn buy_over(disk: &SmallDisk, process: u32, server: &Server, rush: &Rush, repair: impl Fn()) {
    let confirmed = || rush.ledger.lock().expect("a lock").confirmed.len();
    let told_to_wait = || rush.ledger.lock().expect("a lock").statuses.get(&503).copied().unwrap_or_default();
    thread::scope(|scope| {
        let _end = rush.until_dropped();
        rush.send_buyers(scope, BUYERS, server.address);
        eventually("some have booked", || confirmed() > 100);
        disk.fill();
        eventually("nobody hears that it is full", || told_to_wait() > BUYERS as usize || rush.is_over());
        let before = confirmed();
        thread::sleep(Duration::from_secs(2));
        println!("{before} confirmed until it was full, {} more while it was", confirmed() - before);
        let page = Visitor::new(server.address).get("/").expect("an answer");
        assert!([200, 302, 303, 307].contains(&page.status), "{}", page.status);
        disk.make_room(process);
        let before = confirmed();
        eventually("the sale goes on by itself", || {
            // Again and again, because PostgreSQL may stop late.
            repair();
            confirmed() > before + 100 || rush.is_over()
        });
    });
}
