//! The database that most tests begin with. Each test program creates it once, and each test gets a copy: migrating
//! an empty database takes longer than most tests.

use std::env;
use std::sync::{LazyLock, Mutex};

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{Bool, Text};
use diesel::{PgConnection, QueryableByName, RunQueryDsl as _};
use rand::RngExt as _;
use techkraft::audit::Actor;
use techkraft::auth::store::accounts::{self, NewPassword};
use techkraft::auth::{self, password};
use techkraft::db::{self, Database, DatabaseUrl};
use techkraft::events::seed;
use techkraft::events::store::seed_if_empty;

use crate::database::connect_postgres;

/// The organizer's password in the template.
pub const ADMIN_PASSWORD: &str = "seventeen violet kettles";

/// The schema of the template's tables on PostgreSQL.
pub(crate) const SCHEMA: &str = "test";

/// On PostgreSQL, the template's name is this and a number. The names of its copies begin with its whole name.
const PREFIX: &str = "techkraft_test_";

/// The template as the bytes of an SQLite file.
pub(crate) fn sqlite() -> &'static [u8] {
    static FILE: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("template.db");
        fill(&format!("sqlite:{}", file.display()));
        assert!(!folder.path().join("template.db-wal").exists(), "all of it is in one file");
        std::fs::read(file).expect("a file")
    });
    &FILE
}

/// The name of the template database on the PostgreSQL that `TEST_DATABASE_URL` names.
pub(crate) fn postgres() -> &'static str {
    static TEMPLATE: LazyLock<PostgresTemplate> = LazyLock::new(|| {
        let server = env::var("TEST_DATABASE_URL").expect("it is set");
        PostgresTemplate::create(&server)
    });
    &TEMPLATE.name
}

/// Copies the template to a new database. Copying the files takes a third of the time of writing them to the WAL;
/// before PostgreSQL 15, it is the only way.
pub(crate) fn copy_postgres(connection: &mut PgConnection, name: &str) {
    #[derive(QueryableByName)]
    struct Strategy {
        #[diesel(sql_type = Text)]
        strategy: String,
    }
    let question = "SELECT CASE WHEN CAST(current_setting('server_version_num') AS integer) < 150000
                    THEN '' ELSE 'STRATEGY FILE_COPY' END AS strategy";
    let Strategy { strategy } = diesel::sql_query(question).get_result(connection).expect("an answer");
    let create = format!("CREATE DATABASE {name} TEMPLATE {} {strategy}", postgres());
    connection.batch_execute(&create).expect("a new database");
}

/// The URL of the database with this name.
pub(crate) fn url_of_copy(server: &str, name: &str) -> String {
    let separator = if server.contains('?') { '&' } else { '?' };
    format!("{server}{separator}dbname={name}&options=-c%20search_path%3D{SCHEMA}")
}

struct PostgresTemplate {
    name: String,
    /// Holds the lock on the template's number until the test program ends.
    _connection: Mutex<PgConnection>,
}

impl PostgresTemplate {
    fn create(server: &str) -> Self {
        let mut connection = connect_postgres(server);
        drop_abandoned(&mut connection);
        let number = rand::rng().random_range(0..i32::MAX);
        assert!(lock(&mut connection, number), "another test program has the same number");
        let name = format!("{PREFIX}{number}");
        connection.batch_execute(&format!("CREATE DATABASE {name}")).expect("a new database");
        let url = url_of_copy(server, &name);
        connect_postgres(&url).batch_execute(&format!("CREATE SCHEMA {SCHEMA}")).expect("a new schema");
        fill(&url);
        Self { name, _connection: connection.into() }
    }
}

/// Drops the templates and copies of test programs that have ended, whose locks are free.
fn drop_abandoned(connection: &mut PgConnection) {
    #[derive(QueryableByName)]
    struct DatabaseName {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let names =
        format!("SELECT CAST(datname AS text) AS name FROM pg_database WHERE datname LIKE '{PREFIX}%'");
    for DatabaseName { name } in diesel::sql_query(names).load::<DatabaseName>(connection).expect("names") {
        let number = name[PREFIX.len()..].split('_').next().and_then(|number| number.parse().ok());
        if number.is_some_and(|number| lock(connection, number)) {
            // Another test program may have dropped it already, or be dropping it.
            let _ = connection.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}

/// Locks a number until the connection is closed; false if another connection has the lock.
fn lock(connection: &mut PgConnection, number: i32) -> bool {
    #[derive(QueryableByName)]
    struct Taken {
        #[diesel(sql_type = Bool)]
        taken: bool,
    }
    let question = format!("SELECT pg_try_advisory_lock(hashtext('{PREFIX}'), {number}) AS taken");
    diesel::sql_query(question).get_result::<Taken>(connection).expect("an answer").taken
}

/// Fills a database as an operator does with `migrate` and `set-admin-password`, and as the first start does, which
/// adds the concert. So there is no first password.
fn fill(url: &str) {
    let url = DatabaseUrl::parse(url).expect("a URL");
    db::migrate(&url).expect("it migrates");
    let hash = password::hash(ADMIN_PASSWORD).expect("randomness");
    let new = NewPassword { hash, first_password_ends_at: None };
    let filled = Database::briefly(&url, |db| {
        Ok(db.write_blocking(|db| {
            accounts::set_password(db, auth::USERNAME, &new, &Actor::command_line())?;
            seed_if_empty(db, &seed::concert())
        })?)
    });
    filled.expect("it is filled");
}
