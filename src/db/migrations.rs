//! The schema: bringing it to the newest form, and how it stands to this program.
//!
//! While a site changes over to a new release, servers of both work on one database. So a migration only
//! adds what the release before can live with, and what nobody uses any more goes a release later, when a
//! *floor* says which migration a program must know to be of use: see `docs/releases.md`.

use diesel::backend::Backend;
use diesel::connection::{AnsiTransactionManager, SimpleConnection as _, TransactionManager as _};
use diesel::migration::{Migration, MigrationSource};
use diesel::sql_types::Text;
use diesel::{QueryResult, QueryableByName, RunQueryDsl as _, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

use super::primary::primary;
use super::{Db, connect, one_line, unreachable_database};
use crate::db::url::DatabaseUrl;
use crate::start_error::StartError;

const SQLITE_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// One number for "somebody is migrating", the same in every server of a database.
const MIGRATION_LOCK: i64 = 0x7ec4_4af7;

/// A migration that waits for a table's lock makes every later query on that table wait behind it. So it gives up
/// before a buyer does (`DESK_DEADLINE_MS`), and the start fails: start the server again.
const PATIENCE_WITH_LOCKS: &str = "SET lock_timeout = '4s'";

/// What has been done to the database, and the floor when there is one: the newest migration that a program
/// must know.
const MARKS: &str = "SELECT version AS mark, 'applied' AS what FROM __diesel_schema_migrations
    UNION ALL SELECT value, name FROM secrets WHERE name = 'schema_floor'";

#[derive(QueryableByName)]
struct Mark {
    #[diesel(sql_type = Text)]
    mark: String,
    #[diesel(sql_type = Text)]
    what: String,
}

/// How a database's schema stands to this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    Current,
    /// A newer release has migrated it, in a way that this one can live with.
    Ahead,
    /// So many of this program's migrations have not been run.
    Behind(usize),
    /// A newer release has taken away what this one needs.
    TooNew,
}

impl Schema {
    /// Whether this program can work with it.
    #[must_use]
    pub fn is_served(self) -> bool {
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

/// How the schema stands.
///
/// # Errors
/// What the database said, which is also what it says when it has never been migrated.
pub fn schema(db: &mut Db) -> QueryResult<Schema> {
    let (known, marks) = match db {
        Db::Sqlite(sqlite) => {
            (known::<diesel::sqlite::Sqlite>(SQLITE_MIGRATIONS), diesel::sql_query(MARKS).load(sqlite)?)
        }
        Db::Postgres(pg) => {
            (known::<diesel::pg::Pg>(POSTGRES_MIGRATIONS), diesel::sql_query(MARKS).load(pg)?)
        }
    };
    Ok(Schema::of(&known, &marks))
}

/// The versions that this program has on board; reading them from its own memory cannot fail.
fn known<B: Backend>(embedded: EmbeddedMigrations) -> Vec<String> {
    let migrations: Vec<Box<dyn Migration<B>>> = embedded.migrations().unwrap_or_default();
    migrations.iter().map(|it| it.name().version().to_string()).collect()
}

/// Brings the database to the newest schema, creating an SQLite file in WAL mode; servers that start
/// together take turns.
///
/// # Errors
/// One line that names what could not be reached, opened or migrated, or that a newer release must be used.
pub fn migrate(url: &DatabaseUrl) -> Result<(), StartError> {
    let mut db = connect(&primary(url)).map_err(|e| unreachable_database(url, &e))?;
    let schema = migrate_connection(&mut db)
        .map_err(|e| StartError::new(format!("the migration of {url} failed: {}", one_line(&e))))?;
    if schema.is_served() {
        return Ok(());
    }
    let hint = "start that release, or restore a backup of this one's time";
    let wrong = "a newer release has taken away what this one needs";
    Err(StartError::setting("DATABASE_URL", &url.to_string(), wrong, hint))
}

fn migrate_connection(db: &mut Db) -> Result<Schema, Box<dyn std::error::Error + Send + Sync>> {
    match db {
        Db::Sqlite(sqlite) => {
            sqlite.batch_execute("PRAGMA journal_mode = WAL;")?;
            // Most starts have nothing to do, and wait for nobody who writes.
            if sqlite.has_pending_migration(SQLITE_MIGRATIONS)? {
                sqlite.batch_execute("PRAGMA busy_timeout = 30000")?;
                run_in_turn(sqlite)?;
            }
        }
        Db::Postgres(pg) => {
            // Turns may take longer than the patience with the tables' locks.
            pg.batch_execute("SET lock_timeout = 0")?;
            diesel::sql_query(format!("SELECT pg_advisory_lock({MIGRATION_LOCK})")).execute(pg)?;
            pg.batch_execute(PATIENCE_WITH_LOCKS)?;
            pg.run_pending_migrations(POSTGRES_MIGRATIONS)?;
            diesel::sql_query(format!("SELECT pg_advisory_unlock({MIGRATION_LOCK})")).execute(pg)?;
        }
    }
    Ok(schema(db)?)
}

/// Diesel looks what is pending before it takes any lock, so of two starters the second would run a migration again.
/// One transaction around it all makes them take turns.
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

/// Servers that start together on an empty database take turns to fill it: until the end of the caller's
/// transaction this one is alone. SQLite's write transactions always are.
///
/// # Errors
/// What the database said.
pub fn take_turn_to_fill(db: &mut Db) -> QueryResult<()> {
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
