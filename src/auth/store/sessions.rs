//! The SQL of sessions.

use std::cmp::Reverse;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::{RESTRICTED, plain, second_factor, stored};
use crate::auth::first_password;
use crate::auth::session_record::{LiveSession, NewSession, SESSIONS_MAX, SessionLimits};
use crate::db::Db;
use crate::role::AccountRole;
use crate::schema::{admin_sessions, admins};

/// The account that a session belongs to.
pub struct SessionOwner {
    pub account_id: i64,
    pub username: String,
    pub role: AccountRole,
    /// UTC.
    pub last_seen_at: NaiveDateTime,
    /// The account still has a first password.
    pub must_change_password: bool,
    /// The session was started with a second factor.
    pub second_factor: bool,
    /// The account has no second factor, and needs one.
    pub must_set_up_second_factor: bool,
}

/// Adds a session. Deletes sessions that have expired, and the account's oldest beyond [`SESSIONS_MAX`].
pub fn insert(db: &mut Db, session: &NewSession, now: NaiveDateTime) -> QueryResult<()> {
    diesel::delete(admin_sessions::table.filter(admin_sessions::expires_at.le(now))).execute(db)?;
    let surplus: Vec<String> = admin_sessions::table
        .filter(admin_sessions::admin_id.eq(session.account_id))
        .order((admin_sessions::created_at.desc(), admin_sessions::token_hash))
        .select(admin_sessions::token_hash)
        .offset(SESSIONS_MAX - 1)
        .limit(SESSIONS_MAX)
        .load(db)?;
    diesel::delete(admin_sessions::table.filter(admin_sessions::token_hash.eq_any(surplus))).execute(db)?;
    diesel::insert_into(admin_sessions::table)
        .values((
            admin_sessions::token_hash.eq(stored(session.role, &session.token_hash)),
            admin_sessions::admin_id.eq(session.account_id),
            admin_sessions::created_at.eq(now),
            admin_sessions::last_seen_at.eq(now),
            admin_sessions::expires_at.eq(session.expires_at),
            admin_sessions::client_address.eq(&session.client_address),
            admin_sessions::second_factor.eq(session.second_factor),
        ))
        .execute(db)?;
    Ok(())
}

/// The owner of a session that has not ended.
pub fn find(
    db: &mut Db,
    token_hash: &str,
    limits: SessionLimits,
    now: NaiveDateTime,
) -> QueryResult<Option<SessionOwner>> {
    type Password = (String, Option<String>, Option<NaiveDateTime>);
    type OwnerRow = (i64, String, AccountRole, NaiveDateTime, Option<NaiveDateTime>, bool, Password);
    let row: Option<OwnerRow> = admin_sessions::table
        .inner_join(admins::table)
        .filter(admin_sessions::token_hash.eq_any(keys(token_hash)))
        .filter(admin_sessions::expires_at.gt(now))
        .select((
            admins::id,
            admins::username,
            admins::role,
            admin_sessions::created_at,
            admin_sessions::last_seen_at,
            admin_sessions::second_factor,
            (admins::password_hash, admins::first_password_hash, admins::first_password_ends_at),
        ))
        .first(db)
        .optional()?;
    let Some((account_id, username, role, created_at, seen, second_factor, password)) = row else {
        return Ok(None);
    };
    let (hash, first_hash, ends_at) = password;
    let password_ends_at = first_password::end(plain(&hash), first_hash.as_deref(), ends_at);
    let last_seen_at = seen.unwrap_or(created_at);
    let has_factor = second_factor::exists(db, account_id)?;
    // The previous release asks for no second factor. If the account has one, a session that its servers
    // start is not valid here.
    let is_live = last_seen_at > now - limits.idle
        && password_ends_at.is_none_or(|ends_at| ends_at > now)
        && (second_factor || !has_factor);
    if !is_live {
        return Ok(None);
    }
    let must_set_up_second_factor = !has_factor && second_factor::is_required(db)?;
    let must_change_password = password_ends_at.is_some();
    Ok(Some(SessionOwner {
        account_id,
        username,
        role,
        last_seen_at,
        must_change_password,
        second_factor,
        must_set_up_second_factor,
    }))
}

/// Saves when a session was last used.
pub fn touch(db: &mut Db, token_hash: &str, now: NaiveDateTime) -> QueryResult<()> {
    let session = admin_sessions::table.filter(admin_sessions::token_hash.eq_any(keys(token_hash)));
    diesel::update(session).set(admin_sessions::last_seen_at.eq(now)).execute(db)?;
    Ok(())
}

/// The account's sessions that have not ended, the last used first.
pub fn live(
    db: &mut Db,
    account_id: i64,
    limits: SessionLimits,
    now: NaiveDateTime,
) -> QueryResult<Vec<LiveSession>> {
    type SessionRow = (String, NaiveDateTime, Option<NaiveDateTime>, String);
    let rows: Vec<SessionRow> = admin_sessions::table
        .filter(admin_sessions::admin_id.eq(account_id))
        .filter(admin_sessions::expires_at.gt(now))
        .select((
            admin_sessions::token_hash,
            admin_sessions::created_at,
            admin_sessions::last_seen_at,
            admin_sessions::client_address,
        ))
        .load(db)?;
    let sessions = rows.into_iter().map(|(token_hash, started_at, seen, client_address)| LiveSession {
        token_hash: plain(&token_hash).to_owned(),
        started_at,
        last_seen_at: seen.unwrap_or(started_at),
        client_address,
    });
    let mut live: Vec<LiveSession> =
        sessions.filter(|session| session.last_seen_at > now - limits.idle).collect();
    live.sort_by_key(|session| Reverse(session.last_seen_at));
    Ok(live)
}

/// Gives a session another token. Returns whether there was such a session.
pub fn renew(db: &mut Db, token_hash: &str, role: AccountRole, new_hash: &str) -> QueryResult<bool> {
    let session = admin_sessions::table.filter(admin_sessions::token_hash.eq_any(keys(token_hash)));
    let renewed = admin_sessions::token_hash.eq(stored(role, new_hash));
    Ok(diesel::update(session).set(renewed).execute(db)? > 0)
}

/// Ends a session. Returns how many there were: one or none.
pub fn delete(db: &mut Db, token_hash: &str) -> QueryResult<usize> {
    let session = admin_sessions::table.filter(admin_sessions::token_hash.eq_any(keys(token_hash)));
    diesel::delete(session).execute(db)
}

/// Ends all sessions of an account. Returns how many there were.
pub fn delete_all(db: &mut Db, account_id: i64) -> QueryResult<usize> {
    diesel::delete(admin_sessions::table.filter(admin_sessions::admin_id.eq(account_id))).execute(db)
}

/// The keys under which a session may be stored: the caller does not know the account's role yet.
fn keys(token_hash: &str) -> [String; 2] {
    [token_hash.to_owned(), format!("{RESTRICTED}{token_hash}")]
}
