//! The SQL of the site's tokens that requests with a token need: which were not revoked, and when each was
//! used last.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::Db;
use crate::schema::api_tokens;

/// A token as the database has it.
#[derive(Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
pub struct TokenRow {
    pub id: i64,
    pub name: String,
    pub token_hash: String,
    pub scopes: String,
    /// UTC.
    pub expires_at: Option<NaiveDateTime>,
    /// UTC.
    pub last_used_at: Option<NaiveDateTime>,
}

/// All tokens that were not revoked.
pub fn not_revoked(db: &mut Db) -> QueryResult<Vec<TokenRow>> {
    api_tokens::table.filter(api_tokens::revoked_at.is_null()).select(TokenRow::as_select()).load(db)
}

/// Notes that a token was used. `now`: UTC.
pub fn touch(db: &mut Db, id: i64, now: NaiveDateTime) -> QueryResult<()> {
    diesel::update(api_tokens::table.find(id)).set(api_tokens::last_used_at.eq(now)).execute(db)?;
    Ok(())
}
