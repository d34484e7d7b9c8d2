//! Replicas are read in turn.

use std::thread;
use std::time::Duration;
use testkit::wait::eventually;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};

use crate::replicas::site::{Site, count};

/// Seen to fail when every read tries the first standby first: the other one was never read. Seen to fail when
/// `Database::read` goes to the primary: neither was read.
#[test]
fn standbys_that_are_well_take_turns_and_the_primary_is_left_in_peace() {
    let site = Site::start();
    let _server = site.server();
    let counts = || [site.standbys[0].reads(), site.standbys[1].reads(), site.primary_reads()];
    let before = counts();
    thread::sleep(Duration::from_secs(2));
    let after = counts();
    let [first, second, primary] = [0, 1, 2].map(|index| after[index] - before[index]);
    println!("{first} and {second} reads of the standbys, {primary} of the primary");
    assert!(first >= 5 && second >= 5, "{first} and {second}");
    assert!(first.abs_diff(second) <= 2, "{first} and {second} are no turns");
    assert_eq!(primary, 0, "the primary was read as well");
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
    let left_out = site.standbys.each_ref().map(|standby| count(&server, standby, "is left out"));
    assert_eq!(left_out, [0, 0], "{}", server.logged());
}
