//! Times in the two databases.

use chrono::{NaiveDateTime, Utc};
use diesel::dsl::sql;
use diesel::sql_types::Timestamp;
use diesel::{QueryResult, RunQueryDsl as _};

use super::Db;

/// The time (UTC) on the database's clock: the one that all servers agree on. SQLite has this machine's.
pub fn clock(db: &mut Db) -> QueryResult<NaiveDateTime> {
    match db {
        Db::Postgres(pg) => {
            diesel::select(sql::<Timestamp>("timezone('utc', clock_timestamp())")).get_result(pg)
        }
        Db::Sqlite(_) => Ok(Utc::now().naive_utc()),
    }
}

/// The SQL of the minute since 1970 (UTC) of a column's times. `column` is written by us: nothing here is escaped.
#[must_use]
pub(crate) fn minute_sql(db: &Db, column: &'static str) -> String {
    match db {
        Db::Postgres(_) => format!("CAST(floor(extract(epoch FROM {column}) / 60) AS BIGINT)"),
        Db::Sqlite(_) => format!("(CAST(strftime('%s', {column}) AS INTEGER) / 60)"),
    }
}
