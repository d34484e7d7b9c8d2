use chrono::Utc;
use diesel::prelude::*;

use super::NewMail;
use crate::db::Db;
use crate::schema::mails;

/// Puts a mail into the outbox, inside the caller's transaction: it is sent once that has committed, and
/// never when it has not. A booking's confirmation comes from the desk instead, in its own statement.
///
/// # Errors
/// A unique violation when the booking has a mail of that kind already; what the database said.
pub fn enqueue(db: &mut Db, mail: &NewMail) -> QueryResult<()> {
    let now = Utc::now().naive_utc();
    diesel::insert_into(mails::table)
        .values((
            mails::booking_id.eq(mail.booking_id),
            mails::kind.eq(mail.kind.as_str()),
            mails::recipient.eq(mail.recipient.as_deref()),
            mails::payload.eq(mail.payload.as_deref()),
            mails::queued_at.eq(now),
            mails::due_at.eq(now),
        ))
        .execute(db)?;
    Ok(())
}
