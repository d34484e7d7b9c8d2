//! Takes rows that are due. Two servers never take the same one: PostgreSQL skips rows that another server has locked,
//! SQLite has one writer at a time. What was taken is due again when its lease ends.

use chrono::NaiveDateTime;
use diesel::deserialize::QueryableByName;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Timestamp};
use diesel::sqlite::Sqlite;

use crate::db::{Db, on_either};
use crate::payment::Payment;
use crate::schema::payments;

/// The key of a row that was taken.
#[derive(QueryableByName)]
pub(super) struct TakenId {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
}

/// Runs an UPDATE that takes rows, for PostgreSQL or for SQLite. Its parameters are the end of the lease, now, how many
/// rows, and whether they are about real money. Without room for a row nothing is asked: on SQLite also an UPDATE of no
/// rows would wait for the write lock.
pub(super) fn take_due<R>(
    db: &mut Db,
    [postgres, sqlite]: [&str; 2],
    limit: i64,
    live: bool,
    (now, lease): (NaiveDateTime, NaiveDateTime),
) -> QueryResult<Vec<R>>
where
    R: QueryableByName<Pg> + QueryableByName<Sqlite> + 'static,
{
    if limit <= 0 {
        return Ok(Vec::new());
    }
    let query = match db {
        Db::Postgres(_) => postgres,
        Db::Sqlite(_) => sqlite,
    };
    on_either!(db, connection => diesel::sql_query(query)
        .bind::<Timestamp, _>(lease)
        .bind::<Timestamp, _>(now)
        .bind::<BigInt, _>(limit)
        .bind::<Bool, _>(live)
        .load(connection))
}

/// The same for payments, in the order of their ids.
pub(super) fn take_payments(
    db: &mut Db,
    queries: [&str; 2],
    limit: i64,
    live: bool,
    times: (NaiveDateTime, NaiveDateTime),
) -> QueryResult<Vec<Payment>> {
    let taken: Vec<TakenId> = take_due(db, queries, limit, live, times)?;
    let ids: Vec<i64> = taken.into_iter().map(|it| it.id).collect();
    payments::table.filter(payments::id.eq_any(ids)).order(payments::id).select(Payment::as_select()).load(db)
}
