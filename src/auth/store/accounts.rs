//! The SQL of accounts.

use chrono::Utc;
use diesel::prelude::*;

use super::throttle;
use crate::audit::{self, Action, Actor};
use crate::auth::Account;
use crate::auth::throttle::FailureCounter;
use crate::db::{Db, take_turn_to_fill};
use crate::schema::{admin_sessions, admins};

/// The account of that name.
///
/// # Errors
/// What the database said.
pub fn find(db: &mut Db, username: &str) -> QueryResult<Option<Account>> {
    admins::table
        .filter(admins::username.eq(username))
        .select((admins::id, admins::username, admins::password_hash))
        .first(db)
        .map(|(id, username, password_hash)| Account { id, username, password_hash })
        .optional()
}

/// Adds the account unless there is one; says whether it did.
///
/// # Errors
/// What the database said.
pub fn insert(db: &mut Db, username: &str, password_hash: &str, actor: &Actor) -> QueryResult<bool> {
    take_turn_to_fill(db)?;
    if find(db, username)?.is_some() {
        return Ok(false);
    }
    diesel::insert_into(admins::table)
        .values((
            admins::username.eq(username),
            admins::password_hash.eq(password_hash),
            admins::created_at.eq(Utc::now().naive_utc()),
        ))
        .execute(db)?;
    audit::store::record(db, actor, Action::AccountMade, username, 1)?;
    Ok(true)
}

/// Gives the account a new password whatever it was, adding the account when there is none, signs it out
/// everywhere, and lets it be tried again at once.
///
/// # Errors
/// What the database said.
pub fn set_password(db: &mut Db, username: &str, password_hash: &str, actor: &Actor) -> QueryResult<()> {
    throttle::delete(db, &[FailureCounter::of_account(username)])?;
    if insert(db, username, password_hash, actor)? {
        return Ok(());
    }
    let id: i64 = diesel::update(admins::table.filter(admins::username.eq(username)))
        .set(admins::password_hash.eq(password_hash))
        .returning(admins::id)
        .get_result(db)?;
    let ended = diesel::delete(admin_sessions::table.filter(admin_sessions::admin_id.eq(id))).execute(db)?;
    audit::store::record(db, actor, Action::PasswordChanged, username, ended)
}

/// Replaces the hash that was checked a moment ago by another of the same or of a new password. `false`, and
/// nothing done, when the account has got another password since: what was checked is no longer true. Until
/// the end of the caller's transaction nobody else changes it.
///
/// # Errors
/// What the database said.
pub fn replace_hash(db: &mut Db, account: &Account, password_hash: &str) -> QueryResult<bool> {
    let as_checked = admins::table
        .filter(admins::id.eq(account.id))
        .filter(admins::password_hash.eq(&account.password_hash));
    let replaced = diesel::update(as_checked).set(admins::password_hash.eq(password_hash)).execute(db)?;
    Ok(replaced == 1)
}
