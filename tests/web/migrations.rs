//! The schema on both databases.

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection, SqliteConnection};
use diesel_migrations::{FileBasedMigrations, MigrationHarness as _};

use crate::support::TestApp;
use testkit::database::TestDatabase;

#[test]
fn every_migration_goes_down_and_up_again() {
    let database = TestDatabase::create();
    if let Some(path) = database.url.strip_prefix("sqlite:") {
        let mut sqlite = SqliteConnection::establish(path).expect("a database");
        sqlite.batch_execute("PRAGMA foreign_keys = ON").expect("a pragma");
        let folder = FileBasedMigrations::from_path("migrations/sqlite").expect("migrations");
        assert!(!sqlite.run_pending_migrations(folder.clone()).expect("up").is_empty());
        assert!(!sqlite.revert_all_migrations(folder.clone()).expect("down").is_empty());
        sqlite.run_pending_migrations(folder).expect("up again");
    } else {
        let mut postgres = PgConnection::establish(&database.url).expect("a database");
        let folder = FileBasedMigrations::from_path("migrations/postgres").expect("migrations");
        assert!(!postgres.run_pending_migrations(folder.clone()).expect("up").is_empty());
        assert!(!postgres.revert_all_migrations(folder.clone()).expect("down").is_empty());
        postgres.run_pending_migrations(folder).expect("up again");
    }
}

const LINE_OF_NO_TIER: &str = "
    INSERT INTO booking_lines (booking_id, ticket_type_id, quantity, unit_price_minor)
    SELECT id, 999999, 1, 100 FROM bookings LIMIT 1";
const LINE_OF_NO_BOOKING: &str = "
    INSERT INTO booking_lines (booking_id, ticket_type_id, quantity, unit_price_minor)
    SELECT 999999, id, 1, 100 FROM ticket_types LIMIT 1";
const USED_TWICE: &str = "
    INSERT INTO used_tickets (booking_id, seat, ticket_type_id, state, used_at)
    SELECT booking_id, 1, ticket_type_id, 'returned', CURRENT_TIMESTAMP FROM booking_lines;
    INSERT INTO used_tickets (booking_id, seat, ticket_type_id, state, used_at)
    SELECT booking_id, 1, ticket_type_id, 'admitted', CURRENT_TIMESTAMP FROM booking_lines";

#[test]
fn the_schema_refuses_what_must_never_be() {
    let app = TestApp::spawn();
    let database = &app.database;
    for (what, sql) in [
        ("less than nothing left", "UPDATE ticket_types SET available = -1"),
        ("more left than there are", "UPDATE ticket_types SET available = capacity + 1"),
        ("a tier of no concert", "UPDATE ticket_types SET event_id = 999999"),
        ("two tiers of one name", "UPDATE ticket_types SET name = 'VIP'"),
        ("a concert that ends before it starts", "UPDATE events SET ends_at = starts_at"),
    ] {
        assert!(refuses(database, sql), "{what}");
    }
    database.set_available("VIP", 90);
    for (what, sql) in [
        ("a line of nothing", "UPDATE booking_lines SET quantity = 0"),
        ("more given back than there were", "UPDATE booking_lines SET returned = quantity + 1"),
        ("a total below nothing", "UPDATE bookings SET total_minor = -1"),
        ("an unknown status", "UPDATE bookings SET status = 'perhaps'"),
        ("a canceled booking without its time", "UPDATE bookings SET status = 'canceled'"),
        ("a cancellation time of a booking that is none", "UPDATE bookings SET canceled_at = created_at"),
        ("a confirmed booking without its time", "UPDATE bookings SET confirmed_at = NULL"),
        ("a booking of nobody", "UPDATE bookings SET buyer_email = NULL"),
        ("a line that moves to no tier", "UPDATE booking_lines SET ticket_type_id = 999999"),
        ("a line of no tier", LINE_OF_NO_TIER),
        ("a line of no booking", LINE_OF_NO_BOOKING),
        (
            "a hold of no booking",
            "INSERT INTO holds (booking_id, held_until) VALUES (999999, CURRENT_TIMESTAMP)",
        ),
        ("a ticket used twice", USED_TWICE),
        ("a tier without its bookings", "DELETE FROM ticket_types"),
    ] {
        assert!(refuses(database, sql), "{what}");
    }
}

fn refuses(database: &TestDatabase, sql: &str) -> bool {
    let result = if let Some(path) = database.url.strip_prefix("sqlite:") {
        let mut sqlite = SqliteConnection::establish(path).expect("a database");
        sqlite.batch_execute("PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000").expect("pragmas");
        sqlite.batch_execute(sql)
    } else {
        PgConnection::establish(&database.url).expect("a database").batch_execute(sql)
    };
    result.is_err()
}
