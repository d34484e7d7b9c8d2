//! Two PostgreSQL roles: one owns the tables. The servers use the other, which can only read and write rows.

use std::process::{Command, Output};

use testkit::cluster::Cluster;
use testkit::database::TestDatabase;
use testkit::rush::{order, tier_ids};
use testkit::server::{Server, assert_verified, techkraft};
use testkit::visitor::Visitor;

const SITE: &str = "site";

fn run(command: &mut Command) -> (bool, String) {
    let Output { status, stdout, stderr } = command.output().expect("it runs");
    (status.success(), [stdout, stderr].map(|it| String::from_utf8_lossy(&it).into_owned()).concat())
}

fn two_roles(cluster: &Cluster) -> TestDatabase {
    let database = cluster.database();
    database.execute("CREATE ROLE site LOGIN");
    database.served_by(SITE)
}

/// Runs SQL with the site's role, as an attacker would, and checks that PostgreSQL refuses it.
fn refused(database: &TestDatabase, sql: &str) {
    let done = Command::new("psql")
        .args(["-v", "ON_ERROR_STOP=1", "-c", sql])
        .arg(&database.url)
        .output()
        .expect("psql");
    assert!(!done.status.success(), "{sql}");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(said.contains("permission denied") || said.contains("must be owner"), "{sql}: {said}");
}

/// The site's role is enough for all that a server does, and for nothing that an attacker would want.
#[test]
fn the_site_sells_with_a_role_that_owns_nothing() {
    let cluster = Cluster::start();
    let database = two_roles(&cluster);
    let server = Server::start(&database, &[]);
    let mut visitor = Visitor::new(server.address);
    let booked = visitor.book(&order(tier_ids(&database)[0], 2)).expect("an answer");
    assert_eq!(booked.status, 303, "{}", booked.body);
    let booking = booked.location().to_owned();
    let canceled = visitor.post(&format!("{booking}/cancellation"), &[]).expect("an answer");
    assert_eq!(canceled.status, 303, "{}", canceled.body);
    let password = server.admin_password().expect("it was made");
    let sign_in = [("username", "admin".to_owned()), ("password", password)];
    visitor.post("/admin/sign-in", &sign_in).expect("an answer");
    assert!(database.count("audit_log") > 0);
    database.wait_until_mails_are_written();
    assert_verified(&database);
    assert!(!server.logged().contains("ERROR"), "{}", server.logged());

    for sql in [
        "ALTER TABLE audit_log DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_log_is_append_only ON audit_log",
        "DELETE FROM audit_log",
        "UPDATE audit_log SET action = 'nothing'",
        "TRUNCATE audit_log",
        "ALTER TABLE bookings DISABLE TRIGGER ALL",
        "DROP TABLE bookings",
        "ALTER TABLE ticket_types DROP CONSTRAINT ticket_types_pkey CASCADE",
        "CREATE TABLE mine (id INTEGER)",
        "CREATE OR REPLACE FUNCTION next_version(version BIGINT) RETURNS BIGINT LANGUAGE sql AS 'SELECT 1::bigint'",
        "DROP FUNCTION next_version",
        "DELETE FROM __diesel_schema_migrations",
        "UPDATE __diesel_schema_migrations SET version = '0'",
        "SET session_replication_role = replica",
    ] {
        refused(&database, sql);
    }
}

/// When a release brings migrations, its servers do not start until the owner of the tables has run them.
#[test]
fn a_server_without_its_migrations_refuses_to_start_and_names_the_command() {
    let cluster = Cluster::start();
    let database = two_roles(&cluster);
    assert!(run(techkraft(&database).arg("verify")).0, "the schema is there");
    database.execute("DELETE FROM __diesel_schema_migrations WHERE version LIKE '20261128000003%'");
    database.execute("DROP TABLE cancellation_notes");
    let (started, said) = run(&mut techkraft(&database));
    assert!(!started && said.contains("run `techkraft migrate --grant-to`"), "{said}");
    assert_eq!(said.lines().filter(|line| line.starts_with("techkraft: ")).count(), 1, "{said}");
    let mut migrate = techkraft(&database);
    migrate.env("DATABASE_URL", database.owner_url()).args(["migrate", "--grant-to", SITE]);
    let (migrated, said) = run(&mut migrate);
    assert!(migrated && said.contains("site may now read and write its tables"), "{said}");
    let server = Server::start(&database, &[]);
    let mut visitor = Visitor::new(server.address);
    let booked = visitor.book(&order(tier_ids(&database)[0], 1)).expect("an answer");
    assert_eq!(booked.status, 303);
    // A migration that is to grant rights to a role that does not exist fails.
    let mut migrate = techkraft(&database);
    migrate.env("DATABASE_URL", database.owner_url()).args(["migrate", "--grant-to", "nobody\"; DROP"]);
    assert!(!run(&mut migrate).0);
}
