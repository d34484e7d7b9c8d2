//! A rollback to the previous release: bookings that the new release made are kept, and the sale continues.

use crate::previous_release::site::{assert_verified_by_both, previous, readiness, sell};
use testkit::database::TestDatabase;
use testkit::rush::Rush;
use testkit::server::Server;
use testkit::visitor::Visitor;

/// The site starts with the previous release, so that data of that release is migrated.
#[test]
fn the_release_before_goes_on_where_the_new_one_is_taken_back() {
    let database = TestDatabase::create();
    let mut before = previous(&database);
    let rush = Rush::on(&database, [50, 500, 100_000]);
    sell(&rush, &before);
    before.stop();
    let mut new = Server::start(&database, &[]);
    sell(&rush, &new);
    new.stop();
    let before = previous(&database);
    let ready = readiness(&before);
    assert_eq!(ready.status, 200, "{}", ready.body);
    sell(&rush, &before);
    rush.assert_true(&database, &Visitor::new(before.address));
    assert_verified_by_both(&database);
}
