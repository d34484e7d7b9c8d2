//! The SQL of the counters of wrong passwords and codes.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::auth::throttle::{EXPIRES_AFTER, FailureCounter, ROWS_MAX};
use crate::db::{Db, on_either};
use crate::schema::sign_in_brakes as failures;

/// Rows deleted by one statement: more than are added between two calls, and few enough for its parameters.
const SURPLUS_MAX: i64 = 10_000;

/// Which of these counters make attempts wait, and until when (UTC).
pub fn throttled(
    db: &mut Db,
    counters: &[FailureCounter],
    now: NaiveDateTime,
) -> QueryResult<Vec<(String, NaiveDateTime)>> {
    failures::table
        .filter(failures::key.eq_any(keys(counters)))
        .filter(failures::slowed_until.gt(now))
        .select((failures::key, failures::slowed_until))
        .load(db)
}

/// Counts a wrong password or code in each of these counters, and returns until when each makes attempts wait.
/// Runs inside the caller's transaction.
pub fn count_failure(
    db: &mut Db,
    counters: &[FailureCounter],
    now: NaiveDateTime,
) -> QueryResult<Vec<(String, NaiveDateTime)>> {
    let expired = failures::last_failed_at.lt(now - EXPIRES_AFTER);
    diesel::delete(failures::table.filter(expired)).execute(db)?;
    // All servers lock the rows in the same order, so that there is no deadlock.
    let mut counters: Vec<&FailureCounter> = counters.iter().collect();
    counters.sort_by(|one, other| one.key.cmp(&other.key));
    counters.into_iter().map(|counter| count_one(db, counter, now)).collect()
}

fn count_one(
    db: &mut Db,
    counter: &FailureCounter,
    now: NaiveDateTime,
) -> QueryResult<(String, NaiveDateTime)> {
    let count = add_failure(db, &counter.key, now)?;
    let slowed_until = now + counter.wait_after(count);
    diesel::update(failures::table.find(&counter.key))
        .set(failures::slowed_until.eq(slowed_until))
        .execute(db)?;
    Ok((counter.key.clone(), slowed_until))
}

/// Returns the new count.
fn add_failure(db: &mut Db, key: &str, now: NaiveDateTime) -> QueryResult<i32> {
    let addition = diesel::insert_into(failures::table)
        .values((
            failures::key.eq(key),
            failures::failures.eq(1),
            failures::slowed_until.eq(now),
            failures::last_failed_at.eq(now),
        ))
        .on_conflict(failures::key)
        .do_update()
        .set((failures::failures.eq(failures::failures + 1), failures::last_failed_at.eq(now)))
        .returning(failures::failures);
    on_either!(db, connection => addition.get_result(connection))
}

/// Resets those of these counters that a right password or code resets.
pub fn reset_after_success(db: &mut Db, counters: &[FailureCounter]) -> QueryResult<()> {
    let reset = counters.iter().filter(|counter| counter.is_reset_by_success());
    let keys: Vec<_> = reset.map(|counter| counter.key.as_str()).collect();
    diesel::delete(failures::table.filter(failures::key.eq_any(keys))).execute(db)?;
    Ok(())
}

/// Deletes the oldest counters when there are more than [`ROWS_MAX`].
pub fn delete_surplus(db: &mut Db) -> QueryResult<()> {
    let count: i64 = failures::table.count().get_result(db)?;
    if count <= ROWS_MAX {
        return Ok(());
    }
    let oldest: Vec<String> = failures::table
        .order(failures::last_failed_at)
        .limit((count - ROWS_MAX).min(SURPLUS_MAX))
        .select(failures::key)
        .load(db)?;
    diesel::delete(failures::table.filter(failures::key.eq_any(oldest))).execute(db)?;
    Ok(())
}

fn keys(counters: &[FailureCounter]) -> Vec<&str> {
    counters.iter().map(|counter| counter.key.as_str()).collect()
}
