//! The SQL of second factors.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::throttle;
use crate::audit::{self, Action, Actor};
use crate::auth::second_factor::{SecondFactor, SecondFactors, TypedCode, recovery_hash};
use crate::auth::throttle::FailureCounter;
use crate::db::{Db, lock_first_rows, on_either};
use crate::schema::{recovery_codes, second_factors, team_rules};

/// The rule that each account has a second factor.
const REQUIRED: &str = "second factor";

/// What became of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeOutcome {
    Accepted,
    /// Wrong, used before, or expired. Holds the counters' keys, and until when each makes attempts wait
    /// (UTC).
    Wrong(Vec<(String, NaiveDateTime)>),
    /// Not looked at, because it came too soon after wrong codes. Holds the same.
    Throttled(Vec<(String, NaiveDateTime)>),
    /// The account has no second factor any more.
    Gone,
}

/// The second factor of an account.
pub fn find(db: &mut Db, account_id: i64) -> QueryResult<Option<SecondFactor>> {
    let row: Option<(String, i64, NaiveDateTime)> = second_factors::table
        .find(account_id)
        .select((second_factors::secret, second_factors::last_step, second_factors::created_at))
        .first(db)
        .optional()?;
    let Some((sealed_secret, last_step, created_at)) = row else { return Ok(None) };
    let codes = recovery_codes::table.filter(recovery_codes::admin_id.eq(account_id));
    let recovery_codes_left = codes.count().get_result(db)?;
    Ok(Some(SecondFactor { sealed_secret, last_step, created_at, recovery_codes_left }))
}

/// Whether an account has a second factor.
pub fn exists(db: &mut Db, account_id: i64) -> QueryResult<bool> {
    let factor = second_factors::table.find(account_id).select(second_factors::admin_id);
    Ok(factor.first::<i64>(db).optional()?.is_some())
}

/// Looks at a code, counts a wrong one, and uses up a right one. Inside the caller's transaction the account's factor
/// is locked: codes that are sent together are looked at one after another.
pub fn check(
    db: &mut Db,
    seals: &SecondFactors,
    account_id: i64,
    typed: &TypedCode,
    counters: &[FailureCounter],
    actor: &Actor,
    now: NaiveDateTime,
) -> QueryResult<CodeOutcome> {
    let row = second_factors::table
        .filter(second_factors::admin_id.eq(account_id))
        .select((second_factors::secret, second_factors::last_step));
    let row: Option<(String, i64)> = match db {
        Db::Postgres(pg) => row.for_update().first(pg).optional()?,
        Db::Sqlite(sqlite) => row.first(sqlite).optional()?,
    };
    let Some((sealed, last_step)) = row else { return Ok(CodeOutcome::Gone) };
    let waits = throttle::throttled(db, counters, now)?;
    if !waits.is_empty() {
        return Ok(CodeOutcome::Throttled(waits));
    }
    let is_right = match typed {
        TypedCode::Totp(code) => {
            let secret = seals.open(account_id, &sealed);
            match secret.and_then(|it| it.accept(*code, now.and_utc().timestamp(), last_step)) {
                Some(step) => use_step(db, account_id, step)?,
                None => false,
            }
        }
        TypedCode::Recovery(hash) => {
            let used = diesel::delete(recovery_codes::table.find((account_id, hash))).execute(db)? == 1;
            if used {
                audit::store::record(db, actor, Action::RecoveryCodeUsed, &actor.name, 1)?;
            }
            used
        }
    };
    if is_right {
        throttle::reset_after_success(db, counters)?;
        return Ok(CodeOutcome::Accepted);
    }
    audit::store::record_failure(db, actor, Action::CodeRefused)?;
    Ok(CodeOutcome::Wrong(throttle::count_failure(db, counters, now)?))
}

/// Uses up a step: no code of it or of an earlier step is accepted again. Returns whether it was unused.
fn use_step(db: &mut Db, account_id: i64, step: i64) -> QueryResult<bool> {
    let unused = second_factors::table.find(account_id).filter(second_factors::last_step.lt(step));
    Ok(diesel::update(unused).set(second_factors::last_step.eq(step)).execute(db)? == 1)
}

/// Gives an account a second factor, or another one.
pub fn set(
    db: &mut Db,
    account_id: i64,
    sealed_secret: &str,
    step: i64,
    codes: &[String],
    now: NaiveDateTime,
) -> QueryResult<()> {
    diesel::delete(second_factors::table.find(account_id)).execute(db)?;
    diesel::insert_into(second_factors::table)
        .values((
            second_factors::admin_id.eq(account_id),
            second_factors::secret.eq(sealed_secret),
            second_factors::last_step.eq(step),
            second_factors::created_at.eq(now),
        ))
        .execute(db)?;
    set_recovery_codes(db, account_id, codes)
}

/// Replaces the recovery codes of an account.
pub fn set_recovery_codes(db: &mut Db, account_id: i64, codes: &[String]) -> QueryResult<()> {
    diesel::delete(recovery_codes::table.filter(recovery_codes::admin_id.eq(account_id))).execute(db)?;
    let rows: Vec<_> = codes
        .iter()
        .map(|code| {
            (recovery_codes::admin_id.eq(account_id), recovery_codes::code_hash.eq(recovery_hash(code)))
        })
        .collect();
    on_either!(db, connection => diesel::insert_into(recovery_codes::table).values(&rows).execute(connection)?);
    Ok(())
}

/// Removes the second factor of an account and its recovery codes. Returns whether there was one.
pub fn remove(db: &mut Db, account_id: i64) -> QueryResult<bool> {
    diesel::delete(recovery_codes::table.filter(recovery_codes::admin_id.eq(account_id))).execute(db)?;
    Ok(diesel::delete(second_factors::table.find(account_id)).execute(db)? == 1)
}

/// Whether each account must have a second factor.
pub fn is_required(db: &mut Db) -> QueryResult<bool> {
    let rule = team_rules::table.find(REQUIRED).select(team_rules::since);
    Ok(rule.first::<NaiveDateTime>(db).optional()?.is_some())
}

/// Sets whether each account must have a second factor. Owners who set it at once take turns.
pub fn require(db: &mut Db, is_required: bool, actor: &Actor, now: NaiveDateTime) -> QueryResult<()> {
    lock_first_rows(db)?;
    if self::is_required(db)? == is_required {
        return Ok(());
    }
    let action = if is_required {
        diesel::insert_into(team_rules::table)
            .values((team_rules::name.eq(REQUIRED), team_rules::since.eq(now)))
            .execute(db)?;
        Action::SecondFactorRequired
    } else {
        diesel::delete(team_rules::table.find(REQUIRED)).execute(db)?;
        Action::SecondFactorOptional
    };
    audit::store::record(db, actor, action, "", 1)
}
