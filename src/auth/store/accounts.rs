//! The SQL of accounts.

use chrono::Utc;
use diesel::prelude::*;

use super::sessions;
use crate::audit::{self, Action, Actor};
use crate::auth::Account;
use crate::db::{Db, take_turn_to_fill};
use crate::schema::admins;

pub fn find(db: &mut Db, username: &str) -> QueryResult<Option<Account>> {
    admins::table
        .filter(admins::username.eq(username))
        .select((admins::id, admins::username, admins::password_hash))
        .first(db)
        .map(|(id, username, password_hash)| Account { id, username, password_hash })
        .optional()
}

/// Sets the account's password whatever it was, adds the account when there is none, and signs it out everywhere.
pub fn set_password(db: &mut Db, username: &str, password_hash: &str, actor: &Actor) -> QueryResult<()> {
    if insert(db, username, password_hash, actor)? {
        return Ok(());
    }
    let id: i64 = diesel::update(admins::table.filter(admins::username.eq(username)))
        .set(admins::password_hash.eq(password_hash))
        .returning(admins::id)
        .get_result(db)?;
    let ended = sessions::delete_all(db, id)?;
    audit::store::record(db, actor, Action::PasswordChanged, username, ended)
}

/// Adds the account unless there is one already. Returns whether it was added.
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

/// Replaces the hash that was just checked by another one, of the same or of a new password. Returns `false` and
/// changes nothing when the account has got another password meanwhile. Until the caller's transaction ends, the
/// password cannot change again.
pub fn replace_hash(db: &mut Db, account: &Account, password_hash: &str) -> QueryResult<bool> {
    let as_checked = admins::table
        .filter(admins::id.eq(account.id))
        .filter(admins::password_hash.eq(&account.password_hash));
    let replaced = diesel::update(as_checked).set(admins::password_hash.eq(password_hash)).execute(db)?;
    Ok(replaced == 1)
}
