//! The secrets that are stored in the database.

use diesel::prelude::*;

use crate::db::Db;
use crate::schema::secrets;

/// The secret under `name`.
pub fn find(db: &mut Db, name: &str) -> QueryResult<Option<String>> {
    secrets::table.find(name).select(secrets::value).first(db).optional()
}

/// The secret under `name`. If there is none yet, `fresh` is stored and returned.
pub fn secret(db: &mut Db, name: &str, fresh: &str) -> QueryResult<String> {
    if let Some(value) = find(db, name)? {
        return Ok(value);
    }
    // In a savepoint: if another server was faster, only this insert is rolled back.
    let inserted = db.transaction(|db| {
        diesel::insert_into(secrets::table)
            .values((secrets::name.eq(name), secrets::value.eq(fresh)))
            .execute(db)
    });
    match inserted {
        Ok(_) => Ok(fresh.to_owned()),
        Err(error) => find(db, name)?.ok_or(error),
    }
}
