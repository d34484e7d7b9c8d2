//! The SQL of the API tokens that owners make.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::audit::{self, Action, Actor};
use crate::auth::api_token::{NewSiteToken, SiteToken, TOKENS_MAX};
use crate::db::{Db, lock_first_rows};
use crate::schema::api_tokens;

/// How many tokens the page lists.
const LISTED_MAX: i64 = 200;

/// The tokens, at most [`LISTED_MAX`]: first those that are not revoked, and of each kind the newest first.
pub fn list(db: &mut Db) -> QueryResult<Vec<SiteToken>> {
    api_tokens::table
        .order((api_tokens::revoked_at.is_not_null(), api_tokens::id.desc()))
        .limit(LISTED_MAX)
        .select(SiteToken::as_select())
        .load(db)
}

/// Stores a new token. `None`: there are already [`TOKENS_MAX`] valid ones, also of tokens that are made at once.
/// `now`: UTC.
pub fn create(
    db: &mut Db,
    new: &NewSiteToken,
    hash: &str,
    actor: &Actor,
    now: NaiveDateTime,
) -> QueryResult<Option<i64>> {
    lock_first_rows(db)?;
    let valid = api_tokens::table
        .filter(api_tokens::revoked_at.is_null())
        .filter(api_tokens::expires_at.is_null().or(api_tokens::expires_at.gt(now)))
        .count()
        .get_result::<i64>(db)?;
    if valid >= TOKENS_MAX {
        return Ok(None);
    }
    let id = diesel::insert_into(api_tokens::table)
        .values((
            api_tokens::name.eq(&new.name),
            api_tokens::token_hash.eq(hash),
            api_tokens::scopes.eq(new.scopes.to_string()),
            api_tokens::created_by.eq(&actor.name),
            api_tokens::created_at.eq(now),
            api_tokens::expires_at.eq(new.expires_at),
        ))
        .returning(api_tokens::id)
        .get_result(db)?;
    audit::store::record(db, actor, Action::TokenMade, &format!("{}: {}", new.name, new.scopes), 1)?;
    Ok(Some(id))
}

/// Revokes a token. Returns whether this call has revoked it. `now`: UTC.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn revoke(db: &mut Db, id: i64, actor: &Actor, now: NaiveDateTime) -> QueryResult<bool> {
    let name: String = api_tokens::table.find(id).select(api_tokens::name).first(db)?;
    let revoked = diesel::update(api_tokens::table.find(id).filter(api_tokens::revoked_at.is_null()))
        .set(api_tokens::revoked_at.eq(now))
        .execute(db)?;
    if revoked > 0 {
        audit::store::record(db, actor, Action::TokenRevoked, &name, 1)?;
    }
    Ok(revoked > 0)
}
