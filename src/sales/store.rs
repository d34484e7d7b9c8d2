//! The SQL of what concerts have sold.

use std::collections::HashMap;

use chrono::{NaiveDateTime, TimeDelta};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use diesel::upsert::excluded;

use super::history::{FIRST_MINUTES, SalesHistory, SoldAt, minute_of};
use super::remembered::RememberedCounts;
use super::{BookingCounts, CountedTicketType, DatedCount, FEW_BOOKINGS, Sales, SalesCount, TicketTypeSales};
use crate::booking::{BookingStatus, event_jobs};
use crate::db::{Db, clock, minute_sql, on_either};
use crate::events::store::IS_NOT_REHEARSAL;
use crate::events::{Event, EventState, TicketType};
use crate::schema::{bookings, events, sales_counts, ticket_types};
use crate::tickets::store::attendance;

/// How long a concert that is over is still among the next ones.
const JUST_OVER: TimeDelta = TimeDelta::days(1);

/// What was sold of a ticket type in a minute, or in a quarter of an hour.
#[derive(QueryableByName)]
struct Part {
    #[diesel(sql_type = BigInt)]
    ticket_type_id: i64,
    #[diesel(sql_type = BigInt)]
    minute: i64,
    #[diesel(sql_type = BigInt)]
    tickets: i64,
    #[diesel(sql_type = BigInt)]
    revenue_minor: i64,
}

/// The next concerts that the public knows, and how many there are; the last one where none is to come.
pub fn next(db: &mut Db, now: NaiveDateTime, at_most: i64) -> QueryResult<(Vec<Event>, i64)> {
    let shown = || {
        let shown = events::table.filter(events::state.eq_any([EventState::Published, EventState::Canceled]));
        shown.filter(sql::<Bool>(IS_NOT_REHEARSAL)).into_boxed()
    };
    let to_come = || shown().filter(events::ends_at.gt(now - JUST_OVER));
    let next: Vec<Event> = to_come()
        .order((events::starts_at, events::id))
        .limit(at_most)
        .select(Event::as_select())
        .load(db)?;
    if next.is_empty() {
        let last = shown().order((events::starts_at.desc(), events::id.desc())).limit(1);
        let last: Vec<Event> = last.select(Event::as_select()).load(db)?;
        let count = i64::from(!last.is_empty());
        return Ok((last, count));
    }
    Ok((next, to_come().count().get_result(db)?))
}

/// The sales of a concert.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn find(db: &mut Db, slug: &str, remembered: &RememberedCounts) -> QueryResult<Sales> {
    let event = crate::events::editing::store::find(db, slug)?;
    of(db, event, remembered)
}

/// As [`find`], of a concert that was read before.
pub fn of(db: &mut Db, event: Event, remembered: &RememberedCounts) -> QueryResult<Sales> {
    sales(db, vec![event], remembered)?.pop().ok_or(diesel::result::Error::NotFound)
}

/// The sales of concerts, in that order. A count may be out of date or missing: see [`super::counter`].
pub fn sales(db: &mut Db, concerts: Vec<Event>, remembered: &RememberedCounts) -> QueryResult<Vec<Sales>> {
    let ids: Vec<i64> = concerts.iter().map(|event| event.id).collect();
    let types: Vec<TicketType> = ticket_types::table
        .filter(ticket_types::event_id.eq_any(&ids))
        .order((ticket_types::position, ticket_types::id))
        .select(TicketType::as_select())
        .load(db)?;
    let held = held(db)?;
    let mut by_event: HashMap<i64, Vec<TicketTypeSales>> = HashMap::new();
    for ticket_type in types {
        let held = held.get(&ticket_type.id).copied().unwrap_or_default();
        let of_type = TicketTypeSales { held, revenue_minor: None, ticket_type };
        by_event.entry(of_type.ticket_type.event_id).or_default().push(of_type);
    }
    let mut kept = kept_counts(db, &ids)?;
    let mut found = Vec::new();
    for event in concerts {
        let ticket_types = by_event.remove(&event.id).unwrap_or_default();
        let mut sales = Sales { counted: kept.remove(&event.id), ticket_types, event };
        let is_current = sales.counted.as_ref().is_some_and(|it| it.is_of(&sales.stock()));
        if !is_current && let Some(known) = remembered.current(&sales) {
            sales.counted = Some(known);
        } else if !is_current && has_few_bookings(db, sales.event.id)? {
            let counted = count(db, &sales)?;
            remembered.remember(sales.event.id, &counted);
            sales.counted = Some(counted);
        }
        set_revenues(&mut sales);
        found.push(sales);
    }
    Ok(found)
}

/// Copies the counted revenue to each ticket type.
fn set_revenues(sales: &mut Sales) {
    let Some(counted) = &sales.counted else { return };
    let of_type: HashMap<i64, i64> =
        counted.count.ticket_types.iter().map(|it| (it.id, it.revenue_minor)).collect();
    for it in &mut sales.ticket_types {
        it.revenue_minor = Some(of_type.get(&it.ticket_type.id).copied().unwrap_or_default());
    }
}

/// What bookings hold for now, by ticket type.
fn held(db: &mut Db) -> QueryResult<HashMap<i64, i64>> {
    let held = crate::events::store::held(db)?;
    Ok(held.into_iter().map(|it| (it.ticket_type_id, it.quantity.into())).collect())
}

fn kept_counts(db: &mut Db, ids: &[i64]) -> QueryResult<HashMap<i64, DatedCount>> {
    let rows: Vec<(i64, NaiveDateTime, String, String)> = sales_counts::table
        .filter(sales_counts::event_id.eq_any(ids))
        .select((sales_counts::event_id, sales_counts::counted_at, sales_counts::stock, sales_counts::counts))
        .load(db)?;
    // A count that another release has written in another form is made again.
    let kept = |(id, counted_at, stock, counts): (i64, NaiveDateTime, String, String)| {
        let count = serde_json::from_str(&counts).ok()?;
        Some((id, DatedCount { count, counted_at, stock }))
    };
    Ok(rows.into_iter().filter_map(kept).collect())
}

fn has_few_bookings(db: &mut Db, event_id: i64) -> QueryResult<bool> {
    let more: Vec<i64> = bookings::table
        .filter(bookings::event_id.eq(event_id))
        .order(bookings::id)
        .offset(FEW_BOOKINGS)
        .limit(1)
        .select(bookings::id)
        .load(db)?;
    Ok(more.is_empty())
}

/// Counts the bookings of a concert, on the primary or on a replica.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn count_again(db: &mut Db, event_id: i64) -> QueryResult<DatedCount> {
    let event = events::table.find(event_id).select(Event::as_select()).first(db)?;
    let types = crate::events::store::ticket_types(db, event_id)?;
    let held = held(db)?;
    let of_type = |ticket_type: TicketType| TicketTypeSales {
        held: held.get(&ticket_type.id).copied().unwrap_or_default(),
        revenue_minor: None,
        ticket_type,
    };
    let sales = Sales { event, ticket_types: types.into_iter().map(of_type).collect(), counted: None };
    count(db, &sales)
}

/// Counts the bookings. The stock in `sales` was read before. If something is booked meanwhile, the count is
/// out of date from the start.
fn count(db: &mut Db, sales: &Sales) -> QueryResult<DatedCount> {
    let event = &sales.event;
    let counted_at = clock(db)?;
    let statuses: Vec<(BookingStatus, i64)> = bookings::table
        .filter(bookings::event_id.eq(event.id))
        .group_by(bookings::status)
        .select((bookings::status, diesel::dsl::count_star()))
        .load(db)?;
    let of = |wanted: BookingStatus| statuses.iter().find(|it| it.0 == wanted).map_or(0, |it| it.1);
    let bookings = BookingCounts {
        confirmed: of(BookingStatus::Confirmed),
        held: of(BookingStatus::Held),
        canceled: of(BookingStatus::Canceled),
    };
    let begins = first_minute(db, event)?;
    let parts = parts(db, event.id, begins.unwrap_or_default())?;
    let mut by_type: HashMap<i64, (i64, i64)> = HashMap::new();
    for part in &parts {
        let of_type = by_type.entry(part.ticket_type_id).or_default();
        *of_type = (of_type.0 + part.tickets, of_type.1 + part.revenue_minor);
    }
    let counted = |(id, (sold, revenue_minor))| CountedTicketType { id, sold, revenue_minor };
    let mut ticket_types: Vec<_> = by_type.into_iter().map(counted).collect();
    ticket_types.sort_by_key(|it| it.id);
    let sold: Vec<SoldAt> = parts.iter().map(|part| (part.minute, part.tickets)).collect();
    let history = SalesHistory::new(begins, &sold, event.clock());
    let holders = event_jobs::store::holders(db, event.id)?;
    let admitted = attendance::admitted(db, event.id)?.values().sum();
    let count = SalesCount { bookings, holders, ticket_types, history, admitted };
    Ok(DatedCount { count, counted_at, stock: sales.stock() })
}

/// The minute of the first booking since the concert's sales have started.
fn first_minute(db: &mut Db, event: &Event) -> QueryResult<Option<i64>> {
    let first: Option<NaiveDateTime> = bookings::table
        .filter(bookings::event_id.eq(event.id))
        .filter(bookings::created_at.ge(event.sales_start_at.unwrap_or_default()))
        .order(bookings::id)
        .select(bookings::created_at)
        .first(db)
        .optional()?;
    Ok(first.map(minute_of))
}

/// The sums of a concert's confirmed bookings: by minute in the first hours, and by quarter of an hour after
/// that.
fn parts(db: &mut Db, event_id: i64, begins: i64) -> QueryResult<Vec<Part>> {
    let minute = minute_sql(db, "b.confirmed_at");
    let ends = begins + FIRST_MINUTES;
    let at = format!("CASE WHEN {minute} < {ends} THEN {minute} ELSE {minute} - {minute} % 15 END");
    let query = format!(
        "SELECT l.ticket_type_id, {at} AS minute, CAST(SUM(l.quantity - l.returned) AS BIGINT) AS tickets,
                CAST(SUM((l.quantity - l.returned) * l.unit_price_minor) AS BIGINT) AS revenue_minor
         FROM bookings b JOIN booking_lines l ON l.booking_id = b.id
         WHERE b.event_id = {event_id} AND b.status = 'confirmed' GROUP BY l.ticket_type_id, {at}"
    );
    diesel::sql_query(query).load(db)
}

/// Whether nobody has counted the bookings of a concert lately.
pub fn is_due(db: &mut Db, event_id: i64) -> QueryResult<bool> {
    let now = clock(db)?;
    Ok(kept_counts(db, &[event_id])?.get(&event_id).is_none_or(|it| it.is_old(now)))
}

/// Keeps a count for all servers, unless there is a later one.
pub fn keep(db: &mut Db, event_id: i64, counted: &DatedCount) -> QueryResult<()> {
    use diesel::query_dsl::methods::FilterDsl as _;

    let counts = serde_json::to_string(&counted.count);
    let counts = counts.map_err(|e| diesel::result::Error::SerializationError(Box::new(e)))?;
    let row = (
        sales_counts::event_id.eq(event_id),
        sales_counts::counted_at.eq(counted.counted_at),
        sales_counts::stock.eq(&counted.stock),
        sales_counts::counts.eq(counts),
    );
    let later = (
        sales_counts::counted_at.eq(excluded(sales_counts::counted_at)),
        sales_counts::stock.eq(excluded(sales_counts::stock)),
        sales_counts::counts.eq(excluded(sales_counts::counts)),
    );
    on_either!(db, connection => diesel::insert_into(sales_counts::table)
        .values(row)
        .on_conflict(sales_counts::event_id)
        .do_update()
        .set(later)
        .filter(sales_counts::counted_at.lt(excluded(sales_counts::counted_at)))
        .execute(connection))?;
    Ok(())
}
