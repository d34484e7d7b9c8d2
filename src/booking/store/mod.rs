//! The SQL of bookings. Claiming is written once for each database, because what makes it fast differs:
//! `store/postgres` sends a whole batch as one statement, `store/sqlite.rs` as one transaction of
//! prepared ones. Both keep the same promise and give the same outcomes.

mod first_come;
mod postgres;
mod sqlite;

use diesel::prelude::*;

use super::{Booking, BookingOutcome, Order, PlacedBooking};
use crate::db::{Db, write_transaction};
use crate::events::Stock;
use crate::schema::{bookings, events, ticket_types};

/// Whose a booking is: the normalized address, as the index on it spells it.
pub(super) const PERSON: &str = "coalesce(bookings.buyer_email_normalised, lower(bookings.buyer_email))";

/// What a batch came to.
#[derive(Debug, Default)]
pub struct Batch {
    /// One for each order, in their order.
    pub outcomes: Vec<BookingOutcome>,
    /// What is left of the ticket types that the batch read or changed.
    pub stock: Vec<Stock>,
    /// Whether the outcomes and the stock are of one moment. Between two rounds of a batch another server
    /// may have booked an order that was refused here in the first.
    pub is_of_one_moment: bool,
}

/// Books orders with different request keys, first come, first served: each whole or not at all, each at
/// most once, and each with its confirmation in the outbox ([`crate::mail`]). All of it is committed when
/// this returns.
///
/// # Errors
/// What the database said. Then nothing is known of any order, and sending the same batch again is safe.
pub fn book_batch(db: &mut Db, orders: &[&Order]) -> QueryResult<Batch> {
    match db {
        Db::Postgres(pg) => postgres::book_batch(pg, orders),
        Db::Sqlite(_) => write_transaction(db, |db| match db {
            Db::Sqlite(sqlite) => sqlite::book_batch(sqlite, orders),
            // The connection is the same as above.
            Db::Postgres(pg) => postgres::book_batch(pg, orders),
        }),
    }
}

/// What an order is that found its key used.
fn outcome_of_known(order: &Order, booking: Booking) -> BookingOutcome {
    if booking.is_of(order) { BookingOutcome::Replayed(booking) } else { BookingOutcome::KeyReused(booking) }
}

/// What an order is whose key may have booked before; `None` when it has not.
///
/// # Errors
/// What the database said.
pub fn find_by_request_key(db: &mut Db, order: &Order) -> QueryResult<Option<BookingOutcome>> {
    let booking = bookings::table
        .filter(bookings::request_key.eq(&order.request_key))
        .select(Booking::as_select())
        .first(db)
        .optional()?;
    Ok(booking.map(|booking| outcome_of_known(order, booking)))
}

/// The booking that a link leads to, with what it is for.
///
/// # Errors
/// `NotFound`, or what the database said.
pub fn find_by_token(db: &mut Db, token: &str) -> QueryResult<PlacedBooking> {
    bookings::table
        .inner_join(ticket_types::table.inner_join(events::table))
        .filter(bookings::token.eq(token))
        .select(PlacedBooking::as_select())
        .first(db)
}

/// The booking of a reference, with what it is for.
///
/// # Errors
/// `NotFound`, or what the database said.
pub fn find_by_reference(db: &mut Db, reference: &str) -> QueryResult<PlacedBooking> {
    bookings::table
        .inner_join(ticket_types::table.inner_join(events::table))
        .filter(bookings::reference.eq(reference))
        .select(PlacedBooking::as_select())
        .first(db)
}
