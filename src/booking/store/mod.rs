//! The SQL of bookings. Booking a batch is written once for each database, because what makes it fast
//! differs: `postgres` calls one function, `sqlite` runs one transaction of prepared statements. Both give
//! the same outcomes.
//!
//! Giving tickets back does not belong here: see `booking::release`.

mod postgres;
mod references;
mod sqlite;

use std::collections::HashMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;

pub use self::references::{id_of_reference, ids_of_references, reference_key};
use super::buyer::Contact;
use super::cancellation::note::CancellationNote;
use super::{Booking, BookingLine, BookingOutcome, BookingStatus, NotOnSale, Order, PlacedBooking};
use crate::db::{Db, write_transaction};
use crate::events::{Event, Stock, TicketType};
use crate::payment::store::online::paid_online;
use crate::schema::{booking_lines, bookings, cancellation_notes, events, ticket_types, used_tickets};

/// The person that a booking belongs to, spelled as in the index `bookings_person`.
pub const PERSON: &str = "coalesce(bookings.buyer_email_normalized, lower(bookings.buyer_email), \
    'user ' || bookings.buyer_external_id)";

/// The result of a batch.
#[derive(Debug, Default)]
pub struct Batch {
    /// One for each order, in their order.
    pub outcomes: Vec<BookingOutcome>,
    /// What is left of the ticket types that the batch read or changed.
    pub stock: Vec<Stock>,
}

/// The result of an order. `None`: its key has booked before, and that booking is not read yet.
type Claimed = Option<BookingOutcome>;

/// A row of `bookings`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = bookings)]
pub struct BookingRow {
    pub id: i64,
    event_id: i64,
    reference: String,
    token: String,
    order_hash: i64,
    status: BookingStatus,
    currency: String,
    total_minor: i64,
    buyer_name: String,
    buyer_email: Option<String>,
    buyer_external_id: Option<String>,
    created_at: NaiveDateTime,
    canceled_at: Option<NaiveDateTime>,
}

impl BookingRow {
    /// The booking with these lines.
    #[must_use]
    pub fn with(self, mut lines: Vec<BookingLine>) -> Booking {
        lines.sort_by_key(|line| line.ticket_type_id);
        let buyer = match (self.buyer_email, self.buyer_external_id) {
            (Some(email), _) => Contact::Email(email),
            // A CHECK sees to it that one of them is there.
            (None, id) => Contact::ExternalId(id.unwrap_or_default()),
        };
        Booking {
            id: self.id,
            event_id: self.event_id,
            reference: self.reference,
            token: self.token,
            status: self.status,
            currency: self.currency,
            total_minor: self.total_minor,
            buyer_name: self.buyer_name,
            buyer,
            created_at: self.created_at,
            canceled_at: self.canceled_at,
            lines,
        }
    }
}

/// Books orders with different request keys, first come, first served: each whole or not at all, and each at
/// most once. A booking that is confirmed at once has its confirmation in the outbox ([`crate::outbox`]), if
/// the buyer has an address. All of it is committed when this returns.
///
/// # Errors
/// Database errors. Then nothing is known of any order, and sending the same batch again is safe.
pub fn book_batch(db: &mut Db, orders: &[&Order]) -> QueryResult<Batch> {
    let (claimed, stock) = match db {
        Db::Postgres(pg) => postgres::book_batch(pg, orders)?,
        Db::Sqlite(_) => write_transaction(db, |db| match db {
            Db::Sqlite(sqlite) => sqlite::book_batch(sqlite, orders),
            // The connection is the same as above.
            Db::Postgres(pg) => postgres::book_batch(pg, orders),
        })?,
    };
    Ok(Batch { outcomes: recall(db, orders, claimed)?, stock })
}

/// Whether somebody else keeps a ticket type locked, so that a batch would wait for it. Only PostgreSQL locks rows.
pub fn is_locked(db: &mut Db, ticket_type_id: i64) -> QueryResult<bool> {
    match db {
        Db::Postgres(pg) => postgres::is_locked(pg, ticket_type_id),
        Db::Sqlite(_) => Ok(false),
    }
}

/// Reads the bookings of keys that were used before.
fn recall(db: &mut Db, orders: &[&Order], claimed: Vec<Claimed>) -> QueryResult<Vec<BookingOutcome>> {
    let mut known = HashMap::new();
    let keys =
        || claimed.iter().zip(orders).filter(|(it, _)| it.is_none()).map(|(_, order)| &order.request_key);
    if keys().next().is_some() {
        let rows: Vec<(String, BookingRow)> = bookings::table
            .filter(bookings::request_key.eq_any(keys()))
            .select((bookings::request_key, BookingRow::as_select()))
            .load(db)?;
        let (keys, rows): (Vec<String>, Vec<BookingRow>) = rows.into_iter().unzip();
        let hashes: Vec<i64> = rows.iter().map(|row| row.order_hash).collect();
        let found = with_lines(db, rows)?;
        known.extend(keys.into_iter().zip(hashes.into_iter().zip(found)));
    }
    let outcome = |(claimed, order): (Claimed, &&Order)| match claimed {
        Some(outcome) => Ok(outcome),
        None => match known.remove(&order.request_key) {
            Some((hash, booking)) => Ok(outcome_of_known(order, hash, booking)),
            // A reseed deleted it a moment ago: the batch is sent again.
            None => Err(diesel::result::Error::RollbackTransaction),
        },
    };
    claimed.into_iter().zip(orders).map(outcome).collect()
}

/// The outcome of an order whose key was used before.
fn outcome_of_known(order: &Order, hash: i64, booking: Booking) -> BookingOutcome {
    if hash == order.hash() { BookingOutcome::Replayed(booking) } else { BookingOutcome::KeyReused(booking) }
}

/// The refusal that a code of `sale_state_1` in the migrations stands for.
fn not_on_sale(code: i32) -> Option<NotOnSale> {
    match code {
        5 => Some(NotOnSale::NotYet),
        6 => Some(NotOnSale::Ended),
        7 => Some(NotOnSale::Paused),
        8 => Some(NotOnSale::Canceled),
        _ => None,
    }
}

/// The outcome of an order whose key may have booked before; `None` when it has not.
pub fn find_by_order(db: &mut Db, order: &Order) -> QueryResult<Option<BookingOutcome>> {
    let row = bookings::table
        .filter(bookings::request_key.eq(&order.request_key))
        .select(BookingRow::as_select())
        .first(db)
        .optional()?;
    let Some(row) = row else { return Ok(None) };
    let hash = row.order_hash;
    Ok(with_lines(db, vec![row])?.pop().map(|booking| outcome_of_known(order, hash, booking)))
}

/// The booking that a link leads to, with what it is for.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn find_by_token(db: &mut Db, token: &str) -> QueryResult<PlacedBooking> {
    let row = bookings::table.filter(bookings::token.eq(token)).select(BookingRow::as_select()).first(db)?;
    place(db, vec![row])?.pop().ok_or(diesel::result::Error::NotFound)
}

/// The booking of a reference, with what it is for.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn find_by_reference(db: &mut Db, reference: &str) -> QueryResult<PlacedBooking> {
    let id = id_of_reference(db, reference)?.ok_or(diesel::result::Error::NotFound)?;
    let row = bookings::table.find(id).select(BookingRow::as_select()).first(db)?;
    place(db, vec![row])?.pop().ok_or(diesel::result::Error::NotFound)
}

/// A booking with its lines; `None`: there is none.
pub fn find_by_id(db: &mut Db, id: i64) -> QueryResult<Option<Booking>> {
    let row = bookings::table.find(id).select(BookingRow::as_select()).first(db).optional()?;
    Ok(with_lines(db, row.into_iter().collect())?.pop())
}

/// Puts rows together with their lines, in the order of the rows.
pub fn with_lines(db: &mut Db, rows: Vec<BookingRow>) -> QueryResult<Vec<Booking>> {
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let found: Vec<BookingLine> = booking_lines::table
        .filter(booking_lines::booking_id.eq_any(ids))
        .select(BookingLine::as_select())
        .load(db)?;
    let mut lines: HashMap<i64, Vec<BookingLine>> = HashMap::new();
    for line in found {
        lines.entry(line.booking_id).or_default().push(line);
    }
    let of = |row: BookingRow| {
        let own = lines.remove(&row.id).unwrap_or_default();
        row.with(own)
    };
    Ok(rows.into_iter().map(of).collect())
}

/// Puts rows together with their lines, ticket types, events, scans and payments, in the order of the rows.
/// For as many as a page shows.
pub fn place(db: &mut Db, rows: Vec<BookingRow>) -> QueryResult<Vec<PlacedBooking>> {
    let found = with_lines(db, rows)?;
    let event_ids: Vec<i64> = found.iter().map(|booking| booking.event_id).collect();
    let type_ids = found.iter().flat_map(|booking| booking.lines.iter().map(|line| line.ticket_type_id));
    let types: Vec<TicketType> = ticket_types::table
        .filter(ticket_types::id.eq_any(type_ids.collect::<Vec<i64>>()))
        .select(TicketType::as_select())
        .load(db)?;
    let concerts: Vec<Event> =
        events::table.filter(events::id.eq_any(event_ids)).select(Event::as_select()).load(db)?;
    let place = |booking: Booking| {
        let event = concerts.iter().find(|event| event.id == booking.event_id)?.clone();
        Some(PlacedBooking::new(booking, event, &types))
    };
    let mut placed: Vec<PlacedBooking> = found.into_iter().filter_map(place).collect();
    add_used_tickets(db, &mut placed)?;
    let ids: Vec<i64> = placed.iter().map(|it| it.booking.id).collect();
    for (id, online) in paid_online(db, &ids)? {
        let own = placed.iter_mut().filter(|it| it.booking.id == id);
        own.for_each(|it| it.online = Some(online.clone()));
    }
    add_notes(db, &mut placed)?;
    Ok(placed)
}

/// Adds which tickets were scanned or given back, in the order of their seats.
fn add_used_tickets(db: &mut Db, placed: &mut [PlacedBooking]) -> QueryResult<()> {
    let booking_ids: Vec<i64> = placed.iter().map(|it| it.booking.id).collect();
    let used: Vec<(i64, i32, String, NaiveDateTime)> = used_tickets::table
        .filter(used_tickets::booking_id.eq_any(booking_ids))
        .order((used_tickets::booking_id, used_tickets::seat))
        .select((used_tickets::booking_id, used_tickets::seat, used_tickets::state, used_tickets::used_at))
        .load(db)?;
    for (booking_id, seat, state, at) in used {
        let Some(it) = placed.iter_mut().find(|it| it.booking.id == booking_id) else { continue };
        if state == "returned" {
            it.returned_seats.push(seat);
        } else {
            it.admissions.push((seat, at));
        }
    }
    Ok(())
}

/// Adds the organizer's notes about tickets that the organizer canceled.
fn add_notes(db: &mut Db, placed: &mut [PlacedBooking]) -> QueryResult<()> {
    let has_returned = |it: &&PlacedBooking| it.booking.lines.iter().any(|line| line.returned > 0);
    let booking_ids: Vec<i64> = placed.iter().filter(has_returned).map(|it| it.booking.id).collect();
    if booking_ids.is_empty() {
        return Ok(());
    }
    let notes: Vec<(i64, CancellationNote)> = cancellation_notes::table
        .filter(cancellation_notes::booking_id.eq_any(booking_ids))
        .order(cancellation_notes::id)
        .select((cancellation_notes::booking_id, CancellationNote::as_select()))
        .load(db)?;
    for (booking_id, note) in notes {
        let Some(it) = placed.iter_mut().find(|it| it.booking.id == booking_id) else { continue };
        it.notes.push(note);
    }
    Ok(())
}
