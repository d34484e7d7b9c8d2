//! The SQL of accounts.

use chrono::{NaiveDateTime, Utc};
use diesel::prelude::*;

use super::{plain, second_factor, sessions, stored};
use crate::audit::{self, Action, Actor};
use crate::auth::{Account, first_password};
use crate::db::{Db, lock_first_rows};
use crate::role::AccountRole;
use crate::schema::admins;

/// A password's hash, and when it ends (UTC) if it is a first password.
#[derive(Debug, Clone)]
pub struct NewPassword {
    pub hash: String,
    pub first_password_ends_at: Option<NaiveDateTime>,
}

pub fn find(db: &mut Db, username: &str) -> QueryResult<Option<Account>> {
    type AccountRow = (i64, String, String, AccountRole, Option<String>, Option<NaiveDateTime>);
    let row: Option<AccountRow> = admins::table
        .filter(admins::username.eq(username))
        .select((
            admins::id,
            admins::username,
            admins::password_hash,
            admins::role,
            admins::first_password_hash,
            admins::first_password_ends_at,
        ))
        .first(db)
        .optional()?;
    Ok(row.map(|(id, username, hash, role, first_hash, ends_at)| {
        let password_hash = plain(&hash).to_owned();
        let first_password_ends_at = first_password::end(&password_hash, first_hash.as_deref(), ends_at);
        Account { id, username, password_hash, role, first_password_ends_at }
    }))
}

/// Whether there is an account.
pub fn is_any(db: &mut Db) -> QueryResult<bool> {
    Ok(admins::table.select(admins::id).first::<i64>(db).optional()?.is_some())
}

/// Sets the account's password whatever it was, and signs it out everywhere. Adds the account when there is none, and
/// makes it an owner again: this is the way back in when no owner can sign in.
pub fn set_password(db: &mut Db, username: &str, new: &NewPassword, actor: &Actor) -> QueryResult<()> {
    if insert(db, username, new, actor)? {
        return Ok(());
    }
    let id: i64 = diesel::update(admins::table.filter(admins::username.eq(username)))
        .set((
            admins::password_hash.eq(&new.hash),
            admins::role.eq(AccountRole::Owner),
            admins::first_password_hash.eq(first_hash(new)),
            admins::first_password_ends_at.eq(new.first_password_ends_at),
        ))
        .returning(admins::id)
        .get_result(db)?;
    let ended = sessions::delete_all(db, id)?;
    audit::store::record(db, actor, Action::PasswordChanged, username, ended)
}

/// Adds the account unless there is one already. Returns whether it was added.
pub fn insert(db: &mut Db, username: &str, new: &NewPassword, actor: &Actor) -> QueryResult<bool> {
    lock_first_rows(db)?;
    if find(db, username)?.is_some() {
        return Ok(false);
    }
    diesel::insert_into(admins::table)
        .values((
            admins::username.eq(username),
            admins::password_hash.eq(&new.hash),
            admins::created_at.eq(Utc::now().naive_utc()),
            admins::first_password_hash.eq(first_hash(new)),
            admins::first_password_ends_at.eq(new.first_password_ends_at),
        ))
        .execute(db)?;
    audit::store::record(db, actor, Action::AccountMade, username, 1)?;
    Ok(true)
}

fn first_hash(new: &NewPassword) -> Option<&str> {
    new.first_password_ends_at.map(|_| new.hash.as_str())
}

/// Removes the second factor of somebody who has lost the app and the recovery codes, and ends their
/// sessions. `None`: there is no such account; otherwise whether it had a second factor.
pub fn reset_second_factor(db: &mut Db, username: &str, actor: &Actor) -> QueryResult<Option<bool>> {
    let account = admins::table.filter(admins::username.eq(username)).select(admins::id);
    let Some(id): Option<i64> = account.first(db).optional()? else { return Ok(None) };
    let had_one = second_factor::remove(db, id)?;
    if had_one {
        let ended = sessions::delete_all(db, id)?;
        audit::store::record(db, actor, Action::SecondFactorReset, username, ended)?;
    }
    Ok(Some(had_one))
}

/// Replaces the hash that was just checked by another one, of the same or of a new password. Returns `false` and
/// changes nothing when the account has got another password meanwhile. Until the caller's transaction ends, the
/// password cannot change again.
pub fn replace_hash(db: &mut Db, account: &Account, password_hash: &str) -> QueryResult<bool> {
    let as_checked = admins::table
        .filter(admins::id.eq(account.id))
        .filter(admins::password_hash.eq(stored(account.role, &account.password_hash)));
    let new = stored(account.role, password_hash);
    let replaced = diesel::update(as_checked).set(admins::password_hash.eq(new)).execute(db)?;
    Ok(replaced == 1)
}
