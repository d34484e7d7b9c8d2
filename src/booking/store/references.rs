//! Which booking a reference leads to.

use diesel::prelude::*;

use super::super::reference_key::ReferenceKey;
use super::sqlite;
use crate::db::Db;
use crate::schema::bookings;

/// The id of a reference's booking; `None`: there is none. A reference that may be unknown is looked up before a
/// write transaction, because on SQLite it may be compared with those of all bookings.
pub fn id_of_reference(db: &mut Db, reference: &str) -> QueryResult<Option<i64>> {
    let booking = bookings::table.filter(bookings::reference.eq(reference)).select(bookings::id);
    if let Some(id) = reference_key(db)?.and_then(|key| key.id(reference)) {
        let known = booking.filter(bookings::id.eq(id)).first(db).optional()?;
        if known.is_some() {
            return Ok(known);
        }
        // A release that does not know the key gives random references, in such a file too. There is no
        // index, so this reads all bookings, but only for a reference that is unknown or was not made with the key.
    }
    booking.first(db).optional()
}

/// The ids of the bookings with these references. Where there is a key, only references that were made with
/// it are found.
pub fn ids_of_references(db: &mut Db, references: &[String]) -> QueryResult<Vec<i64>> {
    let mut known =
        bookings::table.filter(bookings::reference.eq_any(references)).select(bookings::id).into_boxed();
    if let Some(key) = reference_key(db)? {
        let ids = references.iter().filter_map(|reference| key.id(reference));
        known = known.filter(bookings::id.eq_any(ids.collect::<Vec<i64>>()));
    }
    known.load(db)
}

/// The key that turns ids into references. `None` where references are random and have an index: on
/// PostgreSQL, and in SQLite files that were made before 2026-11-30.
pub fn reference_key(db: &mut Db) -> QueryResult<Option<ReferenceKey>> {
    match db {
        Db::Postgres(_) => Ok(None),
        Db::Sqlite(sqlite) => sqlite::reference_key(sqlite),
    }
}
