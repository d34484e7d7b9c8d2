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

const BOOKING_OF_NO_TIER: &str = "
    INSERT INTO bookings (reference, token, ticket_type_id, quantity, unit_price_cents, total_cents, currency,
                          buyer_name, buyer_email, request_key, status, created_at)
    SELECT 'TK-NONE', 'none', 999999, quantity, unit_price_cents, total_cents, currency, buyer_name, buyer_email,
           'none', status, created_at FROM bookings LIMIT 1";

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
        ("a booking of nothing", "UPDATE bookings SET quantity = 0, total_cents = 0"),
        ("a wrong total", "UPDATE bookings SET total_cents = total_cents + 1"),
        ("an unknown status", "UPDATE bookings SET status = 'perhaps'"),
        ("a booking that moves to no tier", "UPDATE bookings SET ticket_type_id = 999999"),
        ("a booking of no tier", BOOKING_OF_NO_TIER),
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
