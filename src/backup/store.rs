//! SQL for backups: copying, integrity checks, schemas and temporary databases.

use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::db::wal::lacks_log;
use crate::db::{Db, quoted};
use crate::events::store::{next_facts_version, next_version};
use crate::log_safe::one_line;
use crate::schema::{events, ticket_types};

#[derive(QueryableByName)]
struct RowCount {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct Integrity {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

#[derive(QueryableByName)]
struct Mode {
    #[diesel(sql_type = Text)]
    journal_mode: String,
}

#[derive(QueryableByName)]
struct CurrentSchema {
    #[diesel(sql_type = Nullable<Text>)]
    schema: Option<String>,
}

/// Counts other clients, without PostgreSQL's own processes.
const OTHERS: &str = "SELECT COUNT(*) AS count FROM pg_stat_activity WHERE datname = current_database()
    AND pid <> pg_backend_pid() AND backend_type = 'client backend'";

const TABLES: &str = "SELECT COUNT(*) AS count FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname = $1";

/// Copies what is committed into an empty file. The copy has no WAL, and needs none: see [`crate::db::wal`].
pub(super) fn copy_into(db: &mut Db, path: &Path) -> QueryResult<()> {
    diesel::sql_query("VACUUM INTO $1").bind::<Text, _>(path.to_string_lossy()).execute(db)?;
    if !lacks_log(path) {
        return Ok(());
    }
    let mut copy = SqliteConnection::establish(&path.to_string_lossy()).map_err(|e| {
        DieselError::DatabaseError(DatabaseErrorKind::UnableToSendCommand, Box::new(e.to_string()))
    })?;
    copy.batch_execute("PRAGMA user_version = 0")
}

/// The first error of SQLite's integrity check.
pub(super) fn damage(db: &mut Db) -> QueryResult<Option<String>> {
    let lines: Vec<Integrity> = diesel::sql_query("PRAGMA integrity_check(1)").load(db)?;
    let damage = lines.into_iter().map(|it| it.integrity_check).find(|line| line != "ok");
    Ok(damage.map(|line| one_line(&line)))
}

/// Whether an SQLite file holds any table.
pub(super) fn has_tables(db: &mut Db) -> QueryResult<bool> {
    let tables = diesel::sql_query("SELECT COUNT(*) AS count FROM sqlite_master WHERE type = 'table'");
    tables.get_result::<RowCount>(db).map(|it| it.count > 0)
}

/// Whether a schema of PostgreSQL holds any table.
pub(super) fn schema_has_tables(db: &mut Db, schema: &str) -> QueryResult<bool> {
    diesel::sql_query(TABLES).bind::<Text, _>(schema).get_result::<RowCount>(db).map(|it| it.count > 0)
}

/// Writes the WAL of an SQLite file back and removes it. This needs an exclusive lock: it fails while another
/// connection is open.
pub(super) fn lock_exclusively(db: &mut Db) -> QueryResult<()> {
    let mode: Mode = diesel::sql_query("PRAGMA journal_mode = DELETE").get_result(db)?;
    if mode.journal_mode == "delete" { Ok(()) } else { Err(DieselError::RollbackTransaction) }
}

/// PostgreSQL's current schema.
pub(super) fn current_schema(db: &mut Db) -> QueryResult<Option<String>> {
    let schema = "SELECT CAST(current_schema() AS TEXT) AS schema";
    diesel::sql_query(schema).get_result::<CurrentSchema>(db).map(|it| it.schema)
}

/// PostgreSQL's version as a number: 150018 is 15.18.
pub(super) fn server_version(db: &mut Db) -> QueryResult<i64> {
    let version = "SELECT CAST(current_setting('server_version_num') AS BIGINT) AS count";
    diesel::sql_query(version).get_result::<RowCount>(db).map(|it| it.count)
}

/// The number of other clients connected to this PostgreSQL database.
pub(super) fn others(db: &mut Db) -> QueryResult<i64> {
    diesel::sql_query(OTHERS).get_result::<RowCount>(db).map(|it| it.count)
}

/// Creates an empty database.
pub(super) fn create_database(db: &mut Db, name: &str) -> QueryResult<()> {
    db.batch_execute(&format!("CREATE DATABASE {} TEMPLATE template0", quoted(name)))
}

/// Removes a database, and ends the connections to it.
pub(super) fn drop_database(db: &mut Db, name: &str) -> QueryResult<()> {
    db.batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quoted(name)))
}

pub(super) fn create_schema(db: &mut Db, schema: &str) -> QueryResult<()> {
    db.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(schema)))
}

/// Renames a schema and creates an empty one in its place.
pub(super) fn set_aside(db: &mut Db, schema: &str, aside: &str) -> QueryResult<()> {
    let (schema, aside) = (quoted(schema), quoted(aside));
    db.batch_execute(&format!("ALTER SCHEMA {schema} RENAME TO {aside}; CREATE SCHEMA {schema}"))
}

/// Undoes [`set_aside`].
pub(super) fn put_back(db: &mut Db, schema: &str, aside: &str) -> QueryResult<()> {
    let (schema, aside) = (quoted(schema), quoted(aside));
    db.batch_execute(&format!("DROP SCHEMA {schema} CASCADE; ALTER SCHEMA {aside} RENAME TO {schema}"))
}

/// A dump holds no statistics, and without them query plans are bad until autovacuum runs.
pub(super) fn analyze(db: &mut Db) -> QueryResult<()> {
    db.batch_execute("ANALYZE")
}

/// Raises all versions, so that servers which have shown a later state take the restored one for new. Versions are
/// times: see [`next_version`].
pub(super) fn raise_versions(db: &mut Db) -> QueryResult<()> {
    diesel::update(ticket_types::table)
        .set((ticket_types::version.eq(next_version()), ticket_types::facts_version.eq(next_facts_version())))
        .execute(db)?;
    diesel::update(events::table).set(events::facts_version.eq(next_facts_version())).execute(db)?;
    Ok(())
}

/// More than the bookings that can be lost between a backup and its restore.
const LOST_BOOKINGS_MAX: i64 = 10_000_000;

/// Skips the ids of bookings that were made after the backup and are lost. On SQLite a reference is made from
/// the id, so a ticket of a lost booking would otherwise be valid for a new booking. On PostgreSQL references
/// are random.
pub(super) fn skip_lost_ids(db: &mut Db) -> QueryResult<()> {
    let Db::Sqlite(sqlite) = db else { return Ok(()) };
    sqlite.batch_execute(&format!(
        "INSERT INTO sqlite_sequence (name, seq)
         SELECT 'bookings', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'bookings');
         UPDATE sqlite_sequence SET seq = seq + {LOST_BOOKINGS_MAX} WHERE name = 'bookings'"
    ))
}
