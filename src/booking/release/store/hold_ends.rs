//! The SQL of holds: how they are confirmed, and how they end.

use chrono::{NaiveDateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Timestamp};

use super::put_back;
use crate::booking::BookingStatus;
use crate::db::Db;
use crate::events::Stock;
use crate::events::store::KEPT_TICKETS;
use crate::schema::{booking_lines, bookings, holds};

/// Confirms a held booking if its time is not over. Returns whether it did. Locks no ticket type: the tickets
/// are taken already. This and the expiry both delete the row in `holds`; only the first of them finds it. Runs
/// inside the caller's write transaction.
pub fn confirm_hold(db: &mut Db, booking_id: i64) -> QueryResult<bool> {
    match db {
        Db::Postgres(pg) => {
            let confirmed: Vec<Confirmed> =
                diesel::sql_query("SELECT confirm_hold_1 AS id FROM confirm_hold_1($1)")
                    .bind::<BigInt, _>(booking_id)
                    .load(pg)?;
            Ok(confirmed.iter().any(|it| it.id == booking_id))
        }
        Db::Sqlite(sqlite) => {
            let now = Utc::now().naive_utc();
            let in_time = holds::table.find(booking_id).filter(holds::held_until.gt(now));
            if diesel::delete(in_time).execute(sqlite)? == 0 {
                return Ok(false);
            }
            diesel::update(bookings::table.find(booking_id).filter(bookings::status.eq(BookingStatus::Held)))
                .set((bookings::status.eq(BookingStatus::Confirmed), bookings::confirmed_at.eq(now)))
                .execute(sqlite)?;
            queue_confirmation(sqlite, booking_id, now)?;
            Ok(true)
        }
    }
}

/// Queues the mail with the tickets, if the buyer has an address. On PostgreSQL, the functions that confirm a
/// booking do this.
pub(super) fn queue_confirmation(
    sqlite: &mut SqliteConnection,
    booking_id: i64,
    now: NaiveDateTime,
) -> QueryResult<()> {
    diesel::sql_query(
        "INSERT INTO confirmation_batches (booking_ids, queued_at)
         SELECT json_array(id), ? FROM bookings WHERE id = ? AND buyer_email IS NOT NULL",
    )
    .bind::<Timestamp, _>(now)
    .bind::<BigInt, _>(booking_id)
    .execute(sqlite)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Confirmed {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Whether the time of any hold is over.
pub fn is_any_due(db: &mut Db) -> QueryResult<bool> {
    let due = holds::table.select(holds::booking_id).limit(1);
    let found: Option<i64> = match db {
        Db::Postgres(pg) => due
            .filter(holds::held_until.le(sql::<Timestamp>("timezone('utc', now())")))
            .first(pg)
            .optional()?,
        Db::Sqlite(sqlite) => {
            due.filter(holds::held_until.le(Utc::now().naive_utc())).first(sqlite).optional()?
        }
    };
    Ok(found.is_some())
}

#[derive(QueryableByName)]
struct StockRow {
    #[diesel(sql_type = BigInt)]
    ticket_type_id: i64,
    #[diesel(sql_type = Integer)]
    available: i32,
    #[diesel(sql_type = BigInt)]
    version: i64,
}

/// Ends the holds whose time is over, the oldest first, at most `at_most`. Returns what is left of the ticket
/// types that have got tickets back. Runs inside the caller's write transaction.
pub fn expire(db: &mut Db, at_most: i32) -> QueryResult<Vec<Stock>> {
    if let Db::Postgres(pg) = db {
        let rows: Vec<StockRow> =
            diesel::sql_query("SELECT * FROM expire_holds_1($1)").bind::<Integer, _>(at_most).load(pg)?;
        let stock =
            |StockRow { ticket_type_id, available, version }| Stock { ticket_type_id, available, version };
        return Ok(rows.into_iter().map(stock).collect());
    }
    let due: Vec<i64> = holds::table
        .filter(holds::held_until.le(Utc::now().naive_utc()))
        .order(holds::held_until)
        .limit(at_most.into())
        .select(holds::booking_id)
        .load(db)?;
    diesel::delete(holds::table.filter(holds::booking_id.eq_any(&due))).execute(db)?;
    let held =
        bookings::table.filter(bookings::id.eq_any(&due)).filter(bookings::status.eq(BookingStatus::Held));
    diesel::update(held).set(bookings::status.eq(BookingStatus::Expired)).execute(db)?;
    let back: Vec<(i64, i64)> = booking_lines::table
        .filter(booking_lines::booking_id.eq_any(&due))
        .group_by(booking_lines::ticket_type_id)
        .select((booking_lines::ticket_type_id, sql::<BigInt>(KEPT_TICKETS)))
        .load(db)?;
    let put_back = |(id, quantity): (i64, i64)| put_back(db, id, i32::try_from(quantity).unwrap_or(i32::MAX));
    back.into_iter().map(put_back).collect()
}
