//! The SQL of secrets that are kept inside PostgreSQL.

use diesel::prelude::*;

use crate::db::Db;
use crate::schema::secrets;

/// The value kept under `name`, which is `fresh` when there was none.
///
/// # Errors
/// What the database said.
pub fn secret(db: &mut Db, name: &str, fresh: &str) -> QueryResult<String> {
    let kept = |db: &mut Db| secrets::table.find(name).select(secrets::value).first(db).optional();
    if let Some(value) = kept(db)? {
        return Ok(value);
    }
    // In a savepoint: when another server was quicker, only this insert is undone.
    let inserted = db.transaction(|db| {
        diesel::insert_into(secrets::table)
            .values((secrets::name.eq(name), secrets::value.eq(fresh)))
            .execute(db)
    });
    match inserted {
        Ok(_) => Ok(fresh.to_owned()),
        Err(error) => kept(db)?.ok_or(error),
    }
}
