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
/// Held tickets are not booked yet, and expired ones never were.
const LISTED: [BookingStatus; 2] = [BookingStatus::Confirmed, BookingStatus::Canceled];
const FORGOTTEN_AT_ONCE: i64 = 10;

/// Puts the mail with the link into the outbox if the address has bookings and got no such mail a moment ago.
/// Does nearly the same work for an address without bookings. Runs inside the caller's write transaction.
pub fn ask(db: &mut Db, email: &str) -> QueryResult<()> {
    let now = Utc::now().naive_utc();
    let recipient = newest_address(db, email)?;
    if !note(db, email, now)? || recipient.is_none() {
        return Ok(());
    }
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

/// The address as the newest of its bookings has it; `None`: it has no bookings. Among the same bookings as
/// [`find_by_email`].
fn newest_address(db: &mut Db, email: &str) -> QueryResult<Option<String>> {
    let addresses: Vec<Option<String>> = bookings::table
        .filter(sql::<Text>(PERSON).eq(normalized_email(email)))
        .filter(bookings::status.eq_any(LISTED))
        .order(bookings::id.desc())
        .limit(LIST_MAX)
        .select(bookings::buyer_email)
        .load(db)?;
    Ok(addresses.into_iter().flatten().find(|own| own.eq_ignore_ascii_case(email)))
}

/// The bookings of an address, the newest first.
///
/// Addresses that are normalized to the same text may still belong to different people. So only bookings with
/// the very address are listed; the case of its ASCII letters does not matter.
pub fn find_by_email(db: &mut Db, email: &str) -> QueryResult<Vec<PlacedBooking>> {
    let rows = bookings::table
        .filter(sql::<Text>(PERSON).eq(normalized_email(email)))
        .filter(bookings::status.eq_any(LISTED))
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

/// Deletes some of the notes that have expired: up to ten, and each call of [`note`] adds one at most.
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
