//! Detects a pooler in front of PostgreSQL that gives each transaction another connection, such as PgBouncer
//! in its transaction mode.
//!
//! This program sets up each connection, prepares its statements there, and holds locks across transactions. With
//! such a pooler the next transaction finds none of it, and other programs find what was not meant for them. A pooler
//! that keeps a connection for as long as its client stays is fine.

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::Integer;
use diesel::{Connection as _, PgConnection, QueryResult, QueryableByName, RunQueryDsl as _};

use super::DatabaseUrl;
use super::primary::primary;
use crate::start_error::StartError;

/// How often two clients are compared: a busy pooler may give the second one a connection of its own by chance.
const ATTEMPTS: usize = 3;

/// Refuses a database behind such a pooler. Other problems show when the database is opened.
///
/// # Errors
/// One line that says what to change.
pub fn check(url: &DatabaseUrl) -> Result<(), StartError> {
    let DatabaseUrl::Postgres(address) = primary(url) else { return Ok(()) };
    let Some((mut one, mut other)) = two_clients(&address) else { return Ok(()) };
    if !(0..ATTEMPTS).any(|_| shares_connections(&mut one, &mut other).unwrap_or(false)) {
        return Ok(());
    }
    let wrong = "a pooler stands there that gives each transaction another connection (PgBouncer's pool_mode transaction or statement)";
    let hint = "set pool_mode = session for this database, or name PostgreSQL itself";
    Err(StartError::setting("DATABASE_URL", &url.to_string(), wrong, hint))
}

/// Two connections that have answered. `None`: the database cannot be reached.
fn two_clients(url: &str) -> Option<(PgConnection, PgConnection)> {
    let client = || {
        let mut pg = PgConnection::establish(url).ok()?;
        pg.batch_execute("SELECT 1").ok()?;
        Some(pg)
    };
    let one = client()?;
    Some((one, client()?))
}

/// Whether two clients, both still connected, get the same process of PostgreSQL, or the first one gets
/// another process than before. If a client that is connected may not begin a transaction, a pooler in
/// statement mode is in front.
fn shares_connections(one: &mut PgConnection, other: &mut PgConnection) -> QueryResult<bool> {
    let Some(before) = process_in_transaction(one)? else { return Ok(true) };
    one.batch_execute("COMMIT")?;
    let held = process_in_transaction(other)?;
    let after = process_in_transaction(one);
    one.batch_execute("ROLLBACK")?;
    other.batch_execute("ROLLBACK")?;
    Ok(held == Some(before) || after? != Some(before))
}

#[derive(QueryableByName)]
struct Process {
    #[diesel(sql_type = Integer)]
    pid: i32,
}

/// Begins a transaction, and returns the process that serves it; `None`: it may not begin.
fn process_in_transaction(pg: &mut PgConnection) -> QueryResult<Option<i32>> {
    if pg.batch_execute("BEGIN").is_err() {
        return Ok(None);
    }
    let process = diesel::sql_query("SELECT pg_backend_pid() AS pid").get_result::<Process>(pg)?;
    Ok(Some(process.pid))
}
