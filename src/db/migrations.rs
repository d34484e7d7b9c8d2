//! Migrations, and whether the schema fits this program.
//!
//! During a rollout, servers of two releases share one database. So a migration only adds what the previous release
//! can work with. A later release removes what is no longer used and sets a *floor*: the newest migration that a
//! program must know to work. See `docs/releases.md`.

use diesel::backend::Backend;
use diesel::connection::{AnsiTransactionManager, SimpleConnection as _, TransactionManager as _};
use diesel::migration::{Migration, MigrationSource};
use diesel::sql_types::{BigInt, Text};
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl as _, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

use super::primary::primary;
use super::{Db, connect, one_line, pooler, unreachable_database, wal};
use crate::db::url::DatabaseUrl;
use crate::start_error::StartError;

const SQLITE_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The key of the advisory lock that servers of one database take to migrate.
const MIGRATION_LOCK: i64 = 0x7ec4_4af7;

/// A migration that waits for a table's lock blocks every later query on that table. So it gives up before a booking
/// times out (`DESK_DEADLINE_MS`), and the start fails: start the server again.
const LOCK_TIMEOUT: &str = "SET lock_timeout = '4s'";

const MAY_NOT_MIGRATE: &str = "this role may not change the schema; run `techkraft migrate --grant-to` this role with the \
    DATABASE_URL of the role that owns it, then start again";

/// The applied migrations and, if set, the floor: the newest migration that a program must know.
const MARKS: &str = "SELECT version AS mark, 'applied' AS what FROM __diesel_schema_migrations
    UNION ALL SELECT value, name FROM secrets WHERE name = 'schema_floor'";

#[derive(QueryableByName)]
struct Mark {
    #[diesel(sql_type = Text)]
    mark: String,
    #[diesel(sql_type = Text)]
    what: String,
}

/// How a database's schema compares to this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    Current,
    /// A newer release has migrated it, but this one still works with it.
    Ahead,
    /// This many of the program's migrations have not been run.
    Behind(usize),
    /// A newer release has removed what this one needs.
    TooNew,
}

impl Schema {
    /// Whether this program can work with it.
    #[must_use]
    pub fn is_compatible(self) -> bool {
        matches!(self, Self::Current | Self::Ahead)
    }

    fn of(known: &[String], marks: &[Mark]) -> Self {
        let newest = known.iter().max();
        let is_floor_known = |floor: &String| newest.is_some_and(|newest| floor <= newest);
        if marks.iter().any(|it| it.what != "applied" && !is_floor_known(&it.mark)) {
            return Self::TooNew;
        }
        let applied = || marks.iter().filter(|it| it.what == "applied").map(|it| &it.mark);
        match known.iter().filter(|version| !applied().any(|it| it == *version)).count() {
            0 if applied().all(|version| known.contains(version)) => Self::Current,
            0 => Self::Ahead,
            pending => Self::Behind(pending),
        }
    }
}

/// Compares the database's schema to this program.
///
/// # Errors
/// The database's error, also when it was never migrated.
pub fn schema(db: &mut Db) -> QueryResult<Schema> {
    match db {
        Db::Sqlite(sqlite) => {
            let marks: Vec<Mark> = diesel::sql_query(MARKS).load(sqlite)?;
            Ok(Schema::of(&known::<diesel::sqlite::Sqlite>(SQLITE_MIGRATIONS), &marks))
        }
        Db::Postgres(pg) => postgres_schema(pg),
    }
}

fn postgres_schema(pg: &mut PgConnection) -> QueryResult<Schema> {
    let marks: Vec<Mark> = diesel::sql_query(MARKS).load(pg)?;
    Ok(Schema::of(&known::<diesel::pg::Pg>(POSTGRES_MIGRATIONS), &marks))
}

/// Whether the role may create tables in its schema, as the owner of the others may.
fn may_create_tables(pg: &mut PgConnection) -> QueryResult<bool> {
    let question = "SELECT CASE WHEN has_schema_privilege(current_schema(), 'CREATE') THEN 1::bigint ELSE 0 END AS found";
    diesel::sql_query(question).get_result::<MigrationProbe>(pg).map(|it| it.found > 0)
}

/// Whether a database holds this program's tables, of any release.
pub fn is_migrated(db: &mut Db) -> QueryResult<bool> {
    let question = match db {
        Db::Sqlite(_) => {
            "SELECT COUNT(*) AS found FROM sqlite_master WHERE type = 'table' AND name = 'ticket_types'"
        }
        Db::Postgres(_) => "SELECT COUNT(to_regclass('ticket_types')) AS found",
    };
    diesel::sql_query(question).get_result::<MigrationProbe>(db).map(|it| it.found > 0)
}

#[derive(QueryableByName)]
struct MigrationProbe {
    #[diesel(sql_type = BigInt)]
    found: i64,
}

/// The versions of the embedded migrations. Reading them cannot fail.
fn known<B: Backend>(embedded: EmbeddedMigrations) -> Vec<String> {
    let migrations: Vec<Box<dyn Migration<B>>> = embedded.migrations().unwrap_or_default();
    migrations.iter().map(|it| it.name().version().to_string()).collect()
}

/// Migrates the database to the newest schema and creates an SQLite file in WAL mode. Servers that start together
/// take turns.
///
/// # Errors
/// One line that names what could not be reached, opened or migrated, or that a newer release must be used.
pub fn migrate(url: &DatabaseUrl) -> Result<(), StartError> {
    wal::check(url)?;
    pooler::check(url)?;
    let mut db = connect(&primary(url)).map_err(|e| unreachable_database(url, &e))?;
    let schema = migrate_connection(&mut db)
        .and_then(|schema| Ok(wal::acknowledge(url, &mut db).map(|()| schema)?))
        .map_err(|e| StartError::new(format!("the migration of {url} failed: {}", one_line(&e))))?;
    if schema.is_compatible() {
        return Ok(());
    }
    let hint = "start that release, or restore a backup that this release made";
    let wrong = "a newer release has removed what this one needs";
    Err(StartError::setting("DATABASE_URL", &url.to_string(), wrong, hint))
}

fn migrate_connection(db: &mut Db) -> Result<Schema, Box<dyn std::error::Error + Send + Sync>> {
    match db {
        Db::Sqlite(sqlite) => {
            sqlite.batch_execute("PRAGMA journal_mode = WAL;")?;
            // Most starts have nothing to migrate, and need not wait for a writer.
            if sqlite.has_pending_migration(SQLITE_MIGRATIONS)? {
                sqlite.batch_execute("PRAGMA busy_timeout = 30000")?;
                run_in_turn(sqlite)?;
            }
        }
        Db::Postgres(pg) => {
            // Set the lock timeout after this: another server's migration may take longer.
            pg.batch_execute("SET lock_timeout = 0")?;
            diesel::sql_query(format!("SELECT pg_advisory_lock({MIGRATION_LOCK})")).execute(pg)?;
            pg.batch_execute(LOCK_TIMEOUT)?;
            // Compare the schema first: a role that does not own the tables may not even run the CREATE TABLE
            // IF NOT EXISTS for the list of migrations.
            if !postgres_schema(pg).is_ok_and(|schema| !matches!(schema, Schema::Behind(_))) {
                if !may_create_tables(pg)? {
                    return Err(MAY_NOT_MIGRATE.into());
                }
                pg.run_pending_migrations(POSTGRES_MIGRATIONS)?;
            }
            diesel::sql_query(format!("SELECT pg_advisory_unlock({MIGRATION_LOCK})")).execute(pg)?;
        }
    }
    Ok(schema(db)?)
}

/// Diesel reads which migrations are pending before it takes any lock. So the second of two servers that
/// start together would run a migration again. One transaction around everything makes them take turns.
fn run_in_turn(sqlite: &mut SqliteConnection) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    AnsiTransactionManager::begin_transaction_sql(sqlite, "BEGIN IMMEDIATE")?;
    match sqlite.run_pending_migrations(SQLITE_MIGRATIONS).map(drop) {
        Ok(()) => Ok(AnsiTransactionManager::commit_transaction(sqlite)?),
        Err(error) => {
            AnsiTransactionManager::rollback_transaction(sqlite)?;
            Err(error)
        }
    }
}

/// Until this connection is closed, no other server can migrate when it starts. `false`: one is migrating
/// already.
pub fn hold_migrations(db: &mut Db) -> QueryResult<bool> {
    let Db::Postgres(pg) = db else { return Ok(true) };
    let question =
        format!("SELECT CASE WHEN pg_try_advisory_lock({MIGRATION_LOCK}) THEN 1::bigint ELSE 0 END AS found");
    diesel::sql_query(question).get_result::<MigrationProbe>(pg).map(|it| it.found > 0)
}

/// Transactions that look which rows there are and then add one take turns: the seed, accounts, invitations, API tokens
/// and the team's rules. The lock is held until the end of the caller's transaction. SQLite's write transactions are
/// exclusive anyway.
pub fn lock_first_rows(db: &mut Db) -> QueryResult<()> {
    if let Db::Postgres(pg) = db {
        diesel::sql_query(format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")).execute(pg)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(applied: &[&str], floor: Option<&str>) -> Schema {
        let mark = |mark: &&str, what: &str| Mark { mark: (*mark).into(), what: what.into() };
        let marks: Vec<Mark> = applied
            .iter()
            .map(|it| mark(it, "applied"))
            .chain(floor.iter().map(|it| mark(it, "schema_floor")))
            .collect();
        Schema::of(&["1".into(), "2".into()], &marks)
    }

    #[test]
    fn a_newer_schema_is_served_down_to_its_floor() {
        assert_eq!(schema(&["1", "2"], None), Schema::Current);
        assert_eq!(schema(&["1"], None), Schema::Behind(1));
        assert_eq!(schema(&["1", "2", "3"], None), Schema::Ahead);
        assert_eq!(schema(&["1", "2", "3"], Some("2")), Schema::Ahead);
        assert_eq!(schema(&["1", "2", "3"], Some("3")), Schema::TooNew);
    }
}
