//! The SQL of wrong passwords.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::auth::throttle::{FailureCounter, MEMORY, ROWS_MAX};
use crate::db::Db;
use crate::schema::sign_in_brakes;

/// Until when those who count by these counters must wait, where they must.
///
/// # Errors
/// What the database said.
pub fn slowed(
    db: &mut Db,
    counters: &[FailureCounter],
    now: NaiveDateTime,
) -> QueryResult<Vec<(String, NaiveDateTime)>> {
    sign_in_brakes::table
        .filter(sign_in_brakes::key.eq_any(keys(counters)))
        .filter(sign_in_brakes::slowed_until.gt(now))
        .select((sign_in_brakes::key, sign_in_brakes::slowed_until))
        .load(db)
}

/// Counts a wrong password by each of these counters, and returns until when they slow. Runs inside the
/// caller's transaction.
///
/// # Errors
/// What the database said.
pub fn count_failure(
    db: &mut Db,
    counters: &[FailureCounter],
    now: NaiveDateTime,
) -> QueryResult<Vec<(String, NaiveDateTime)>> {
    let forgotten = sign_in_brakes::last_failed_at.lt(now - MEMORY);
    diesel::delete(sign_in_brakes::table.filter(forgotten)).execute(db)?;
    // In one order for everybody, so that no two servers wait for each other.
    let mut counters: Vec<&FailureCounter> = counters.iter().collect();
    counters.sort_by(|one, other| one.key.cmp(&other.key));
    counters.into_iter().map(|counter| count_one(db, counter, now)).collect()
}

fn count_one(
    db: &mut Db,
    counter: &FailureCounter,
    now: NaiveDateTime,
) -> QueryResult<(String, NaiveDateTime)> {
    let failures = add_failure(db, &counter.key, now)?;
    let slowed_until = now + counter.wait_after(failures);
    diesel::update(sign_in_brakes::table.find(&counter.key))
        .set(sign_in_brakes::slowed_until.eq(slowed_until))
        .execute(db)?;
    Ok((counter.key.clone(), slowed_until))
}

/// The count with this failure in it.
fn add_failure(db: &mut Db, key: &str, now: NaiveDateTime) -> QueryResult<i32> {
    // The same statement for either database: the enum over both has no ON CONFLICT.
    macro_rules! add {
        ($db:expr) => {
            diesel::insert_into(sign_in_brakes::table)
                .values((
                    sign_in_brakes::key.eq(key),
                    sign_in_brakes::failures.eq(1),
                    sign_in_brakes::slowed_until.eq(now),
                    sign_in_brakes::last_failed_at.eq(now),
                ))
                .on_conflict(sign_in_brakes::key)
                .do_update()
                .set((
                    sign_in_brakes::failures.eq(sign_in_brakes::failures + 1),
                    sign_in_brakes::last_failed_at.eq(now),
                ))
                .returning(sign_in_brakes::failures)
                .get_result($db)
        };
    }
    match db {
        Db::Postgres(postgres) => add!(postgres),
        Db::Sqlite(sqlite) => add!(sqlite),
    }
}

/// Starts those of these counts afresh that a right password releases.
///
/// # Errors
/// What the database said.
pub fn release(db: &mut Db, counters: &[FailureCounter]) -> QueryResult<()> {
    let released: Vec<FailureCounter> =
        counters.iter().filter(|it| it.is_released_by_success()).cloned().collect();
    delete(db, &released)
}

/// Starts these counts afresh.
///
/// # Errors
/// What the database said.
pub fn delete(db: &mut Db, counters: &[FailureCounter]) -> QueryResult<()> {
    diesel::delete(sign_in_brakes::table.filter(sign_in_brakes::key.eq_any(keys(counters)))).execute(db)?;
    Ok(())
}

/// Forgets the oldest counts when there are too many.
///
/// # Errors
/// What the database said.
pub fn keep_bounded(db: &mut Db) -> QueryResult<()> {
    let count: i64 = sign_in_brakes::table.count().get_result(db)?;
    if count <= ROWS_MAX {
        return Ok(());
    }
    let surplus = (count - ROWS_MAX).min(FORGOTTEN_AT_ONCE_MAX);
    let oldest: Vec<String> = sign_in_brakes::table
        .order(sign_in_brakes::last_failed_at)
        .limit(surplus)
        .select(sign_in_brakes::key)
        .load(db)?;
    diesel::delete(sign_in_brakes::table.filter(sign_in_brakes::key.eq_any(oldest))).execute(db)?;
    Ok(())
}

/// More than are added between two looks, and fewer than one statement takes.
const FORGOTTEN_AT_ONCE_MAX: i64 = 10_000;

fn keys(counters: &[FailureCounter]) -> Vec<&str> {
    counters.iter().map(|counter| counter.key.as_str()).collect()
}
