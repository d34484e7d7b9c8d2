//! The SQL that gives tickets back. On PostgreSQL each operation is one call of a function in the migrations,
//! so that the ticket types, which every order needs, are locked for one round trip only.
//!
//! A new booking does not belong here: see `booking::store`.

mod hold_ends;
mod revival;

use chrono::{NaiveDateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text};

pub use self::hold_ends::{confirm_hold, expire, is_any_due};
pub use self::revival::{RevivalOutcome, revive};

use super::ReleaseOutcome;
use crate::audit::{self, Action, Actor};
use crate::booking::{Booking, BookingStatus};
use crate::db::Db;
use crate::events::Stock;
use crate::events::store::next_version;
use crate::outbox::{self, MailKind, NewMail};
use crate::schema::{booking_lines, bookings, cancellation_notes, holds, ticket_types, used_tickets};

/// Who gives tickets back, for the audit log.
#[derive(Debug, Clone, Copy)]
pub struct Releaser<'a> {
    pub actor: &'a Actor,
    pub action: Action,
    /// What the organizer tells the buyer: kept with the booking, also when it is empty.
    pub note: Option<&'a str>,
}

/// Gives tickets of a booking back: these seats, or all of them. Queues the mail that says so, and writes
/// into the audit log who does it, if `by` says so. A booking that loses its last ticket is canceled, or
/// expires if it was held.
///
/// It locks the ticket types, which every order needs: on PostgreSQL for this one statement, which commits by
/// itself when it is called outside a transaction. On SQLite it runs inside the caller's write transaction.
pub fn release(
    db: &mut Db,
    booking: &Booking,
    seats: Option<&[i32]>,
    by: Option<Releaser<'_>>,
) -> QueryResult<ReleaseOutcome> {
    match db {
        Db::Postgres(pg) => call_release(pg, booking.id, seats, by),
        Db::Sqlite(_) => release_on_sqlite(db, booking, seats, by),
    }
}

#[derive(QueryableByName)]
struct Released {
    #[diesel(sql_type = Integer)]
    outcome: i32,
    #[diesel(sql_type = Integer)]
    admitted: i32,
    #[diesel(sql_type = Nullable<Array<BigInt>>)]
    type_ids: Option<Vec<i64>>,
    #[diesel(sql_type = Nullable<Array<Integer>>)]
    lefts: Option<Vec<i32>>,
    #[diesel(sql_type = Nullable<Array<BigInt>>)]
    versions: Option<Vec<i64>>,
}

fn call_release(
    pg: &mut PgConnection,
    id: i64,
    seats: Option<&[i32]>,
    by: Option<Releaser<'_>>,
) -> QueryResult<ReleaseOutcome> {
    let note = by.and_then(|by| by.note);
    let call = match note {
        Some(_) => "SELECT * FROM cancel_booking_1($1, $2, $3, $4, $5, $6)",
        None => "SELECT * FROM release_booking_1($1, $2, $3, $4, $5)",
    };
    let query = diesel::sql_query(call)
        .bind::<BigInt, _>(id)
        .bind::<Nullable<Array<Integer>>, _>(seats)
        .bind::<Nullable<Text>, _>(by.map(|by| &by.actor.name))
        .bind::<Nullable<Text>, _>(by.map(|by| &by.actor.client_address))
        .bind::<Text, _>(by.map_or("", |by| by.action.as_str()));
    let released: Released = match note {
        Some(note) => query.bind::<Text, _>(note).get_result(pg)?,
        None => query.get_result(pg)?,
    };
    let columns = (released.type_ids, released.lefts, released.versions);
    let (ids, lefts, versions) =
        (columns.0.unwrap_or_default(), columns.1.unwrap_or_default(), columns.2.unwrap_or_default());
    let stock = ids.into_iter().zip(lefts).zip(versions);
    let stock =
        stock.map(|((ticket_type_id, available), version)| Stock { ticket_type_id, available, version });
    if let Some(by) = by.filter(|_| released.outcome == 1) {
        let count = seats.map_or_else(|| "all".to_owned(), |seats| seats.len().to_string());
        audit::store::log_recorded(by.actor, by.action, &count);
    }
    Ok(match released.outcome {
        1 => ReleaseOutcome::Released { stock: stock.collect() },
        2 => ReleaseOutcome::Ended,
        3 => ReleaseOutcome::Admitted { count: released.admitted },
        _ => ReleaseOutcome::NoSuchTicket,
    })
}

/// The same, statement by statement: SQLite's write transactions are alone.
fn release_on_sqlite(
    db: &mut Db,
    booking: &Booking,
    seats: Option<&[i32]>,
    by: Option<Releaser<'_>>,
) -> QueryResult<ReleaseOutcome> {
    let now = Utc::now().naive_utc();
    let status: Option<BookingStatus> =
        bookings::table.find(booking.id).select(bookings::status).first(db).optional()?;
    let Some(status @ (BookingStatus::Held | BookingStatus::Confirmed)) = status else {
        return Ok(ReleaseOutcome::Ended);
    };
    let used: Vec<(i32, String)> = used_tickets::table
        .filter(used_tickets::booking_id.eq(booking.id))
        .select((used_tickets::seat, used_tickets::state))
        .load(db)?;
    let is_wanted = |seat: i32| seats.is_none_or(|seats| seats.contains(&seat));
    match used.iter().filter(|(seat, state)| is_wanted(*seat) && state == "admitted").count() {
        0 => {}
        count => return Ok(ReleaseOutcome::Admitted { count: i32::try_from(count).unwrap_or(i32::MAX) }),
    }
    let is_free = |seat: &i32| is_wanted(*seat) && !used.iter().any(|(used, _)| used == seat);
    let wanted: Vec<i32> = (1..=booking.quantity()).filter(is_free).collect();
    if wanted.is_empty() || seats.is_some_and(|seats| wanted.len() < seats.len()) {
        return Ok(ReleaseOutcome::NoSuchTicket);
    }
    for &seat in &wanted {
        insert_return(db, booking, seat, now)?;
    }
    let mut stock = Vec::new();
    for line in &booking.lines {
        let of_line = |seat: &&i32| booking.ticket_type_of_seat(**seat) == Some(line.ticket_type_id);
        let quantity = i32::try_from(wanted.iter().filter(of_line).count()).unwrap_or(i32::MAX);
        if quantity > 0 {
            let own = booking_lines::table.find((booking.id, line.ticket_type_id));
            diesel::update(own)
                .set(booking_lines::returned.eq(booking_lines::returned + quantity))
                .execute(db)?;
            stock.push(put_back(db, line.ticket_type_id, quantity)?);
        }
    }
    let returned = used.iter().filter(|(_, state)| state == "returned").count() + wanted.len();
    let is_whole = i32::try_from(returned) == Ok(booking.quantity());
    if is_whole {
        diesel::delete(holds::table.find(booking.id)).execute(db)?;
        end(db, booking.id, status, now)?;
    }
    if let Some(Releaser { actor, action, note }) = by {
        audit::store::record(db, actor, action, &booking.reference, wanted.len())?;
        if let Some(note) = note {
            insert_note(db, booking.id, seats.unwrap_or_default(), note, now)?;
        }
    }
    if status == BookingStatus::Confirmed && booking.has_address() {
        let seats: Vec<String> = wanted.iter().map(i32::to_string).collect();
        outbox::store::enqueue(
            db,
            &NewMail {
                kind: if is_whole { MailKind::Cancellation } else { MailKind::Return },
                booking_id: Some(booking.id),
                dedupe_key: Some(format!("release {} {returned}", booking.id)),
                recipient: None,
                payload: Some(seats.join(" ")),
            },
        )?;
    }
    Ok(ReleaseOutcome::Released { stock })
}

fn insert_return(db: &mut Db, booking: &Booking, seat: i32, now: NaiveDateTime) -> QueryResult<()> {
    diesel::insert_into(used_tickets::table)
        .values((
            used_tickets::booking_id.eq(booking.id),
            used_tickets::seat.eq(seat),
            used_tickets::ticket_type_id.eq(booking.ticket_type_of_seat(seat).unwrap_or_default()),
            used_tickets::state.eq("returned"),
            used_tickets::gate.eq(""),
            used_tickets::actor.eq(""),
            used_tickets::used_at.eq(now),
        ))
        .execute(db)?;
    Ok(())
}

fn insert_note(
    db: &mut Db,
    booking_id: i64,
    seats: &[i32],
    note: &str,
    now: NaiveDateTime,
) -> QueryResult<()> {
    let seats: Vec<String> = seats.iter().map(i32::to_string).collect();
    diesel::insert_into(cancellation_notes::table)
        .values((
            cancellation_notes::booking_id.eq(booking_id),
            cancellation_notes::seats.eq(seats.join(" ")),
            cancellation_notes::message.eq(note),
            cancellation_notes::canceled_at.eq(now),
        ))
        .execute(db)?;
    Ok(())
}

fn end(db: &mut Db, id: i64, status: BookingStatus, now: NaiveDateTime) -> QueryResult<()> {
    let (ended, canceled_at) = match status {
        BookingStatus::Held => (BookingStatus::Expired, None),
        _ => (BookingStatus::Canceled, Some(now)),
    };
    diesel::update(bookings::table.find(id))
        .set((bookings::status.eq(ended), bookings::canceled_at.eq(canceled_at)))
        .execute(db)?;
    Ok(())
}

/// Adds tickets to the stock of a ticket type. A CHECK refuses more than the capacity.
fn put_back(db: &mut Db, ticket_type_id: i64, quantity: i32) -> QueryResult<Stock> {
    let (available, version) = diesel::update(ticket_types::table.find(ticket_type_id))
        .set((
            ticket_types::available.eq(ticket_types::available + quantity),
            ticket_types::version.eq(next_version()),
        ))
        .returning((ticket_types::available, ticket_types::version))
        .get_result(db)?;
    Ok(Stock { ticket_type_id, available, version })
}
