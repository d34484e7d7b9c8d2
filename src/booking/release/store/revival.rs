//! The SQL that takes the tickets of an expired booking again: its payment came too late.

use chrono::Utc;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Nullable};

use super::hold_ends::queue_confirmation;
use crate::booking::{BookingLine, BookingStatus};
use crate::db::Db;
use crate::events::store::next_version;
use crate::events::{EventState, Stock};
use crate::schema::{booking_lines, bookings, events, ticket_types};

/// How the request to take tickets again ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevivalOutcome {
    /// The booking is confirmed. What is left of its ticket types.
    Revived { stock: Vec<Stock> },
    /// It is not an expired booking.
    NotExpired,
    /// Too few are left, or some of its tickets were given back.
    Gone,
    /// The concert is canceled, in the archive, or over.
    Over,
}

#[derive(QueryableByName)]
struct Revived {
    #[diesel(sql_type = Integer)]
    outcome: i32,
    #[diesel(sql_type = Nullable<Array<BigInt>>)]
    type_ids: Option<Vec<i64>>,
    #[diesel(sql_type = Nullable<Array<Integer>>)]
    lefts: Option<Vec<i32>>,
    #[diesel(sql_type = Nullable<Array<BigInt>>)]
    versions: Option<Vec<i64>>,
}

/// Takes the tickets of an expired booking again and confirms it: all of them, or none. Sales windows and limits do not
/// count, because it was paid for. Runs inside the caller's write transaction.
pub fn revive(db: &mut Db, booking_id: i64) -> QueryResult<RevivalOutcome> {
    let pg = match db {
        Db::Postgres(pg) => pg,
        Db::Sqlite(sqlite) => return revive_on_sqlite(sqlite, booking_id),
    };
    let query = diesel::sql_query("SELECT * FROM revive_booking_1($1)").bind::<BigInt, _>(booking_id);
    let Revived { outcome, type_ids, lefts, versions } = query.get_result(pg)?;
    let stock = type_ids.unwrap_or_default().into_iter().zip(lefts.unwrap_or_default());
    let stock = stock.zip(versions.unwrap_or_default());
    let stock =
        stock.map(|((ticket_type_id, available), version)| Stock { ticket_type_id, available, version });
    Ok(match outcome {
        1 => RevivalOutcome::Revived { stock: stock.collect() },
        2 => RevivalOutcome::NotExpired,
        3 => RevivalOutcome::Gone,
        _ => RevivalOutcome::Over,
    })
}

/// The same, statement by statement: SQLite's write transactions are alone.
fn revive_on_sqlite(sqlite: &mut SqliteConnection, booking_id: i64) -> QueryResult<RevivalOutcome> {
    let now = Utc::now().naive_utc();
    let found: Option<(BookingStatus, i64)> = bookings::table
        .find(booking_id)
        .select((bookings::status, bookings::event_id))
        .first(sqlite)
        .optional()?;
    let Some((BookingStatus::Expired, event_id)) = found else { return Ok(RevivalOutcome::NotExpired) };
    let takes_place: i64 = events::table
        .find(event_id)
        .filter(events::state.ne_all([EventState::Canceled, EventState::Archived]))
        .filter(events::ends_at.gt(now))
        .count()
        .get_result(sqlite)?;
    if takes_place == 0 {
        return Ok(RevivalOutcome::Over);
    }
    let lines: Vec<BookingLine> = booking_lines::table
        .filter(booking_lines::booking_id.eq(booking_id))
        .select(BookingLine::as_select())
        .load(sqlite)?;
    for line in &lines {
        let available: i32 = ticket_types::table
            .find(line.ticket_type_id)
            .select(ticket_types::available)
            .get_result(sqlite)?;
        if line.returned > 0 || available < line.quantity {
            return Ok(RevivalOutcome::Gone);
        }
    }
    let mut stock = Vec::new();
    for line in &lines {
        let (available, version) = diesel::update(ticket_types::table.find(line.ticket_type_id))
            .set((
                ticket_types::available.eq(ticket_types::available - line.quantity),
                ticket_types::version.eq(next_version()),
            ))
            .returning((ticket_types::available, ticket_types::version))
            .get_result(sqlite)?;
        stock.push(Stock { ticket_type_id: line.ticket_type_id, available, version });
    }
    diesel::update(bookings::table.find(booking_id))
        .set((bookings::status.eq(BookingStatus::Confirmed), bookings::confirmed_at.eq(now)))
        .execute(sqlite)?;
    queue_confirmation(sqlite, booking_id, now)?;
    Ok(RevivalOutcome::Revived { stock })
}
