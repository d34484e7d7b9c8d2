//! The SQL of pictures.

use chrono::Utc;
use diesel::prelude::*;

use super::drawing::Picture;
use crate::db::Db;
use crate::schema::{events, pictures};

/// A variant of a picture, as a file.
pub fn find(db: &mut Db, hash: &str, variant: &str) -> QueryResult<Option<Vec<u8>>> {
    pictures::table.find((hash, variant)).select(pictures::bytes).first(db).optional()
}

/// Keeps a picture. The same one is kept once.
pub fn keep(db: &mut Db, picture: &Picture) -> QueryResult<()> {
    for (variant, bytes) in &picture.variants {
        if find(db, &picture.name.hash, variant)?.is_some() {
            continue;
        }
        diesel::insert_into(pictures::table)
            .values((
                pictures::hash.eq(&picture.name.hash),
                pictures::variant.eq(variant),
                pictures::bytes.eq(bytes),
                pictures::created_at.eq(Utc::now().naive_utc()),
            ))
            .execute(db)?;
    }
    Ok(())
}

/// Deletes a picture that no concert has any more. The caller holds the lock for choosing a slug, which every
/// new concert and every change of facts takes, so a copy that is made meanwhile waits.
pub fn delete_unused(db: &mut Db, image: &str) -> QueryResult<()> {
    let users = events::table.filter(events::image.eq(image)).count().get_result::<i64>(db)?;
    if users == 0 {
        let hash = image.split('-').next().unwrap_or_default();
        diesel::delete(pictures::table.filter(pictures::hash.eq(hash))).execute(db)?;
    }
    Ok(())
}
