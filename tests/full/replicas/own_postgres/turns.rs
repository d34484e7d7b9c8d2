//! Replicas are read in turn.

use std::thread;
use std::time::Duration;
use testkit::wait::{eventually, within};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};

use crate::replicas::site::{Site, is_in_use, uses};

/// How often the standbys and the primary were read, all at one moment: another look has found the same.
fn reads(site: &Site) -> [usize; 3] {
    let look = || [site.standbys[0].reads(), site.standbys[1].reads(), site.primary_reads()];
    loop {
        let reads = look();
        if look() == reads {
            return reads;
        }
    }
}

/// Seen to fail when every read tries the first standby first: the other one was never read. Seen to fail when
/// `Database::read` goes to the primary: neither was read.
#[test]
fn standbys_that_are_well_take_turns_and_the_primary_is_left_in_peace() {
    let site = Site::start();
    let server = site.server();
    let before = reads(&site);
    thread::sleep(Duration::from_secs(2));
    let mut read = [0; 3];
    eventually("both standbys are read", || {
        let after = reads(&site);
        read = [0, 1, 2].map(|index| after[index] - before[index]);
        read[0] >= 5 && read[1] >= 5
    });
    let [first, second, primary] = read;
    println!("{first} and {second} reads of the standbys, {primary} of the primary");
    // A machine that is too busy may have one left out for a while, which then misses its turns.
    let missed_some = site.standbys.iter().any(|standby| uses(&server, standby).contains(&false));
    assert!(missed_some || first.abs_diff(second) <= 2, "{first} and {second} are no turns");
    assert!(missed_some || primary == 0, "the primary was read as well");
}

/// A large import does not commit: the WAL is flushed to the end of a page, in the middle of a record, so standbys
/// can replay no further.
/// Seen to fail when a position at the end of a page counts like any other: both standbys were left out.
#[test]
fn an_uncommitted_import_does_not_count_as_replication_lag() {
    let site = Site::start();
    let server = site.server();
    let mut import = PgConnection::establish(&site.database.url).expect("a connection");
    import.batch_execute("CREATE TABLE imports (line TEXT)").expect("a table");
    let lines = "SELECT repeat('x', 500) FROM generate_series(1, 3333)";
    import.batch_execute(&format!("BEGIN; INSERT INTO imports {lines}")).expect("lines");
    let half_a_record = "SELECT 1 / (pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0') % 8192 = 0)::int";
    let mut other = PgConnection::establish(&site.database.url).expect("a connection");
    eventually("the log ends with a page", || other.batch_execute(half_a_record).is_ok());
    thread::sleep(Duration::from_secs(3));
    // Not much later, because PostgreSQL itself may write the rest of the page.
    within(Duration::from_secs(10), "both are in use", || {
        site.standbys.iter().all(|standby| is_in_use(&server, standby))
    });
}
