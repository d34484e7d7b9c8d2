//! The SQL of addresses that want no mail.

use std::collections::HashSet;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::STOPPED_FOR;
use crate::booking::buyer::normalized_email;
use crate::db::{self, Db};
use crate::schema::suppressed_addresses;

/// Stops the mails to an address, and forgets the stops that have ended. Runs inside the caller's write transaction.
pub fn stop(db: &mut Db, email: &str) -> QueryResult<()> {
    let now = db::clock(db)?;
    diesel::delete(suppressed_addresses::table.filter(suppressed_addresses::until.le(now))).execute(db)?;
    allow(db, email)?;
    let row = (
        suppressed_addresses::email.eq(normalized_email(email)),
        suppressed_addresses::until.eq(now + STOPPED_FOR),
    );
    diesel::insert_into(suppressed_addresses::table).values(row).execute(db)?;
    Ok(())
}

/// Allows mails to an address again.
pub fn allow(db: &mut Db, email: &str) -> QueryResult<()> {
    diesel::delete(suppressed_addresses::table.find(normalized_email(email))).execute(db)?;
    Ok(())
}

/// Those of some addresses that get no mail now, [normalized](normalized_email).
pub fn among<'a>(
    db: &mut Db,
    emails: impl Iterator<Item = &'a str>,
    now: NaiveDateTime,
) -> QueryResult<HashSet<String>> {
    let emails: Vec<String> = emails.map(normalized_email).collect();
    let found: Vec<String> = suppressed_addresses::table
        .filter(suppressed_addresses::email.eq_any(emails))
        .filter(suppressed_addresses::until.gt(now))
        .select(suppressed_addresses::email)
        .load(db)?;
    Ok(found.into_iter().collect())
}
