//! Makes the schema changes that `docs/releases.md` allows within one release, in addition to all real migrations.

use crate::previous_release::site::{assert_verified_by_both, previous, readiness, sell};
use testkit::database::TestDatabase;
use testkit::rush::Rush;
use testkit::server::Server;
use testkit::visitor::Visitor;
use testkit::wait::eventually;

/// The left column of the table of rules, applied to the tables that every booking uses.
const ADDITIONS: &[&str] = &[
    "CREATE TABLE kiosks (id BIGINT PRIMARY KEY, booking_id BIGINT REFERENCES bookings (id))",
    "ALTER TABLE bookings ADD COLUMN gate TEXT",
    "ALTER TABLE bookings ADD COLUMN channel TEXT NOT NULL DEFAULT 'web'",
    "ALTER TABLE ticket_types ADD COLUMN color TEXT",
    "ALTER TABLE events ADD COLUMN doors_note TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE mails ADD COLUMN language TEXT NOT NULL DEFAULT 'en'",
    "CREATE INDEX bookings_by_channel ON bookings (channel, created_at)",
    "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000001')",
];
/// Raises the schema floor, as a change does that the previous release cannot work with. The floor keeps that release
/// out.
const CONTRACTION: &str = "INSERT INTO secrets (name, value) VALUES ('schema_floor', '99990101000001')";

/// Seen to fail with `ALTER TABLE bookings RENAME COLUMN buyer_name TO holder` among the additions: nothing was sold,
/// and each order was answered with 500.
#[test]
fn the_previous_release_accepts_allowed_schema_changes_and_stops_at_the_schema_floor() {
    let database = TestDatabase::create();
    Server::start(&database, &[]).stop();
    ADDITIONS.iter().for_each(|addition| database.execute(addition));
    let mut before = previous(&database);
    let rush = Rush::on(&database, [50, 500, 100_000]);
    sell(&rush, &before);
    let ready = readiness(&before);
    assert!(ready.status == 200 && ready.body.contains("from a newer release, compatible with this one"));
    rush.assert_true(&database, &Visitor::new(before.address));
    assert_verified_by_both(&database);

    database.execute(CONTRACTION);
    eventually("it is not ready any more", || readiness(&before).status == 503);
    before.stop();
    assert!(!before.start_and_end().success());
    let said = before.logged();
    assert!(said.contains("a newer release has removed what this one needs"), "{said}");
}
