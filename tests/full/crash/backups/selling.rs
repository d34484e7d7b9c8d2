//! Backups that are made while the site sells.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use super::{backup, names, restore};
use testkit::database::TestDatabase;
use testkit::rush::{Row, Rush};
use testkit::server::{Server, assert_verified};
use testkit::visitor::Visitor;

const BUYERS: u64 = 16;
const BACKUPS: usize = 3;
const ROWS: &str = "SELECT b.request_key, b.token, l.ticket_type_id, l.quantity
    FROM bookings b JOIN booking_lines l ON l.booking_id = b.id";

/// Each backup is a snapshot of one moment: it has all bookings that were confirmed before it began, and no partial
/// one.
///
/// Seen to fail with a plain copy of the SQLite file, as `cp` makes it, without its WAL: the counts in it added up,
/// but none of the 747 bookings was in it.
#[test]
fn a_backup_holds_what_was_confirmed_before_it_began_and_the_sale_goes_on() {
    let database = TestDatabase::create();
    let server = Server::start(&database, &[]);
    let rush = Rush::on(&database, [300, 5_000, 1_000_000]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let seen =
        || -> BTreeSet<Row> { rush.ledger.lock().expect("a lock").confirmed.iter().map(Row::from).collect() };
    let mut before = Vec::new();
    thread::scope(|scope| {
        let _end = rush.until_dropped();
        rush.send_buyers(scope, BUYERS, server.address);
        for number in 0..BACKUPS {
            thread::sleep(Duration::from_millis(500));
            before.push(seen());
            let said = backup(&database, &folder.path().join(format!("{number}.backup")), &[]).well();
            assert!(said.contains("all counts in it add up"), "{said}");
            let meanwhile = seen().len() - before[number].len();
            println!("{} bookings before, {meanwhile} while it was made and proved", before[number].len());
            assert!(meanwhile > 0, "the sale stood still");
        }
    });
    rush.assert_true(&database, &Visitor::new(server.address));
    let after = seen();
    for (number, before) in before.iter().enumerate() {
        let place = database.empty_place();
        let said = restore(&place, &folder.path().join(format!("{number}.backup")), &[]).well();
        assert!(said.contains("All counts add up."), "{said}");
        let rows: Vec<Row> = place.rows(ROWS);
        let restored: BTreeSet<Row> = rows.into_iter().collect();
        assert!(before.is_subset(&restored), "{} were there, {} are", before.len(), restored.len());
        assert!(restored.is_subset(&after), "there is what nobody has booked");
        assert_verified(&place);
        sells_on(&place);
    }
    assert!(names(folder.path()).iter().all(|name| name.contains(".backup")), "{:?}", names(folder.path()));
}

/// A server sells from the restored database, from where the backup ended.
fn sells_on(place: &TestDatabase) {
    let bookings = place.count("bookings");
    let server = Server::start(place, &[]);
    let order = testkit::rush::order(testkit::rush::tier_ids(place)[2], 1);
    assert_eq!(Visitor::new(server.address).book(&order).expect("an answer").status, 303);
    assert_eq!(place.count("bookings"), bookings + 1);
    place.assert_books_balance();
}
