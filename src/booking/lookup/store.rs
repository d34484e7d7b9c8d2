//! The SQL behind finding the bookings of an email address.

use chrono::{NaiveDateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Text, Timestamp};
use sha2::{Digest as _, Sha256};

use super::PAUSE;
use crate::booking::buyer::normalized_email;
use crate::booking::store::{BookingRow, PERSON, place};
use crate::booking::{BookingStatus, PlacedBooking};
use crate::db::Db;
use crate::outbox::{self, MailKind, NewMail};
use crate::schema::{booking_lookups, bookings};

/// Most bookings in one list, the newest first.
const LIST_MAX: i64 = 200;
const FORGOTTEN_AT_ONCE: i64 = 10;

/// Puts the mail with the link into the outbox when the address has bookings and was not written to a moment
/// ago. Does nearly the same for those that have none. Runs inside the caller's write transaction.
pub fn ask(db: &mut Db, email: &str) -> QueryResult<()> {
    let now = Utc::now().naive_utc();
    let found = find_by_email(db, email)?;
    if !note(db, email, now)? {
        return Ok(());
    }
    let Some(newest) = found.first() else { return Ok(()) };
    let recipient = newest.booking.email().map(str::to_owned);
    outbox::store::enqueue(
        db,
        &NewMail {
            kind: MailKind::BookingLink,
            booking_id: None,
            dedupe_key: None,
            recipient,
            payload: None,
        },
    )
}

/// The bookings of an address, the newest first.
///
/// However alike two addresses look to us, they may be two people's: only ASCII letters may differ in case.
pub fn find_by_email(db: &mut Db, email: &str) -> QueryResult<Vec<PlacedBooking>> {
    let rows = bookings::table
        .filter(sql::<Text>(PERSON).eq(normalized_email(email)))
        .filter(
            bookings::status.eq(BookingStatus::Confirmed).or(bookings::status.eq(BookingStatus::Canceled)),
        )
        .order(bookings::id.desc())
        .limit(LIST_MAX)
        .select(BookingRow::as_select())
        .load(db)?;
    let is_theirs =
        |it: &PlacedBooking| it.booking.email().is_some_and(|own| own.eq_ignore_ascii_case(email));
    Ok(place(db, rows)?.into_iter().filter(is_theirs).collect())
}

/// Notes that an address was asked for. `false`: it was asked for a moment ago already. If two servers are
/// asked at the same time, one of them gets `false`.
fn note(db: &mut Db, email: &str, now: NaiveDateTime) -> QueryResult<bool> {
    let noted = diesel::sql_query(
        "INSERT INTO booking_lookups (email_hash, asked_at) VALUES ($1, $2)
         ON CONFLICT (email_hash) DO UPDATE SET asked_at = excluded.asked_at
         WHERE booking_lookups.asked_at <= $3",
    );
    let noted = noted.bind::<Text, _>(hash(email)).bind::<Timestamp, _>(now);
    let noted = noted.bind::<Timestamp, _>(now - PAUSE).execute(db)?;
    forget(db, now - PAUSE)?;
    Ok(noted == 1)
}

/// Deletes some of the notes that have expired, and more of them than are added.
fn forget(db: &mut Db, before: NaiveDateTime) -> QueryResult<()> {
    let over = booking_lookups::table
        .filter(booking_lookups::asked_at.le(before))
        .order(booking_lookups::asked_at)
        .limit(FORGOTTEN_AT_ONCE)
        .select(booking_lookups::email_hash);
    let hashes: Vec<String> = match db {
        // Skips rows that another server is deleting, so that no server waits for another.
        Db::Postgres(pg) => over.for_update().skip_locked().load(pg)?,
        Db::Sqlite(sqlite) => over.load(sqlite)?,
    };
    diesel::delete(booking_lookups::table.filter(booking_lookups::email_hash.eq_any(hashes))).execute(db)?;
    Ok(())
}

fn hash(email: &str) -> String {
    hex::encode(Sha256::digest(normalized_email(email)))
}
