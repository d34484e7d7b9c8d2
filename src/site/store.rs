//! The SQL of the box office.

use diesel::prelude::*;

use crate::box_office::BoxOfficeDetails;
use crate::db::{Db, on_either};
use crate::schema::box_office;

/// The id of the only row.
const ID: i32 = 1;

/// Reads the box office. It is empty until somebody has entered it.
pub fn read(db: &mut Db) -> QueryResult<BoxOfficeDetails> {
    let row = box_office::table.find(ID).select(BoxOfficeDetails::as_select()).first(db).optional()?;
    Ok(row.unwrap_or_default())
}

/// Saves the box office, inside the caller's transaction.
pub fn replace(db: &mut Db, it: &BoxOfficeDetails) -> QueryResult<()> {
    on_either!(db, connection => diesel::insert_into(box_office::table)
        .values((box_office::id.eq(ID), it))
        .on_conflict(box_office::id)
        .do_update()
        .set(it)
        .execute(connection))?;
    Ok(())
}
