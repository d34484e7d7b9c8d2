//! The SQL of the export.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::listing::has_status;
use crate::admin::listing::BookingFilter;
use crate::admin::spreadsheet::{ExportedBooking, TicketUse};
use crate::booking::store::{BookingRow, with_lines};
use crate::db::Db;
use crate::schema::{booking_lines, bookings, used_tickets};

/// How many bookings a file has, if the typed search is not applied.
pub fn booking_count(db: &mut Db, filter: &BookingFilter) -> QueryResult<i64> {
    filtered(filter).count().get_result(db)
}

type BookingQuery = bookings::BoxedQuery<'static, <Db as diesel::Connection>::Backend>;

/// The bookings of a concert that the filter keeps, before the typed search: the same as in the list.
fn filtered(filter: &BookingFilter) -> BookingQuery {
    let mut exported = bookings::table
        .filter(bookings::event_id.eq(filter.event_id.unwrap_or_default()))
        .filter(sql::<Bool>(has_status(filter.status)))
        .into_boxed();
    if let Some(ticket_type_id) = filter.ticket_type_id {
        exported = exported.filter(exists(
            booking_lines::table
                .filter(booking_lines::booking_id.eq(bookings::id))
                .filter(booking_lines::ticket_type_id.eq(ticket_type_id)),
        ));
    }
    exported
}

/// The bookings of a file after an id, the oldest first, at most `limit`.
pub fn bookings_after(
    db: &mut Db,
    filter: &BookingFilter,
    after: i64,
    limit: i64,
) -> QueryResult<Vec<ExportedBooking>> {
    let rows: Vec<BookingRow> = filtered(filter)
        .filter(bookings::id.gt(after))
        .order(bookings::id)
        .limit(limit)
        .select(BookingRow::as_select())
        .load(db)?;
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let used: Vec<(i64, i32, i64, String, String, NaiveDateTime)> = used_tickets::table
        .filter(used_tickets::booking_id.eq_any(ids))
        .select((
            used_tickets::booking_id,
            used_tickets::seat,
            used_tickets::ticket_type_id,
            used_tickets::state,
            used_tickets::gate,
            used_tickets::used_at,
        ))
        .load(db)?;
    let mut uses: HashMap<i64, Vec<TicketUse>> = HashMap::new();
    for (booking_id, seat, ticket_type_id, state, gate, at) in used {
        let is_admitted = state == "admitted";
        uses.entry(booking_id).or_default().push(TicketUse { seat, ticket_type_id, is_admitted, gate, at });
    }
    let with_uses = |booking: crate::booking::Booking| {
        let uses = uses.remove(&booking.id).unwrap_or_default();
        ExportedBooking { booking, uses }
    };
    Ok(with_lines(db, rows)?.into_iter().map(with_uses).collect())
}
