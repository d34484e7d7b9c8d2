//! The SQL that puts mails into the outbox.

use chrono::{NaiveDateTime, Utc};
use diesel::prelude::*;

use crate::db::{Db, on_either};
use crate::outbox::NewMail;
use crate::schema::mails;

/// Queues a mail inside the caller's transaction: it is sent if and when that commits. Notify the
/// [wakeup](crate::outbox::wakeup::Wakeup) after the commit. Confirmations are queued by the statements that
/// confirm bookings.
///
/// # Errors
/// A unique violation when there is a mail with its key already.
pub fn enqueue(db: &mut Db, mail: &NewMail) -> QueryResult<()> {
    diesel::insert_into(mails::table).values(row_of(mail)).execute(db)?;
    Ok(())
}

/// The same, unless there is a mail with its key already.
pub fn enqueue_once(db: &mut Db, mail: &NewMail) -> QueryResult<()> {
    let insertion =
        diesel::insert_into(mails::table).values(row_of(mail)).on_conflict(mails::dedupe_key).do_nothing();
    on_either!(db, connection => insertion.execute(connection)?);
    Ok(())
}

#[derive(Insertable)]
#[diesel(table_name = mails)]
struct MailRow<'a> {
    booking_id: Option<i64>,
    kind: &'a str,
    dedupe_key: Option<&'a str>,
    recipient: Option<&'a str>,
    payload: Option<&'a str>,
    queued_at: NaiveDateTime,
    due_at: NaiveDateTime,
}

fn row_of(mail: &NewMail) -> MailRow<'_> {
    let now = Utc::now().naive_utc();
    MailRow {
        booking_id: mail.booking_id,
        kind: mail.kind.as_str(),
        dedupe_key: mail.dedupe_key.as_deref(),
        recipient: mail.recipient.as_deref(),
        payload: mail.payload.as_deref(),
        queued_at: now,
        due_at: now,
    }
}
