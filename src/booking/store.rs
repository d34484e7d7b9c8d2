use chrono::Utc;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::{Booking, Order, Outcome, new_reference, new_token};
use crate::db::{Db, write_transaction};
use crate::events::{Event, TicketType};
use crate::schema::{bookings, events, ticket_types};

/// How often a new reference or token may clash with an old one before something else must be wrong.
const CLASHES_MAX: usize = 5;

/// Books an order, whole or not at all, at most once per request key.
///
/// # Errors
/// What the database said; nothing is booked then.
pub fn book(db: &mut Db, order: &Order) -> QueryResult<Outcome> {
    for _ in 0..CLASHES_MAX {
        match write_transaction(db, |db| claim_tickets(db, order)) {
            Ok(Some(token)) => return Ok(Outcome::Booked { token }),
            Ok(None) => return explain_refusal(db, order),
            Err(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => {
                // The key has booked before, or a random name clashed: then the next one will not.
                if let Some(outcome) = find_by_request_key(db, order)? {
                    return Ok(outcome);
                }
            }
            Err(error) => return Err(error),
        }
    }
    Err(DieselError::RollbackTransaction)
}

/// The promise of this house: take n, but only if n are left, in one statement that the database judges.
/// The booking follows in the same transaction. `None`: nothing was taken.
fn claim_tickets(db: &mut Db, order: &Order) -> QueryResult<Option<String>> {
    let still_enough =
        ticket_types::table.find(order.ticket_type_id).filter(ticket_types::available.ge(order.quantity));
    let claimed = diesel::update(still_enough)
        .set((
            ticket_types::available.eq(ticket_types::available - order.quantity),
            ticket_types::version.eq(ticket_types::version + 1),
        ))
        .returning((ticket_types::price_cents, ticket_types::event_id))
        .get_result::<(i64, i64)>(db)
        .optional()?;
    let Some((unit_price_cents, event_id)) = claimed else { return Ok(None) };
    let currency: String = events::table.find(event_id).select(events::currency).first(db)?;
    let token = new_token();
    diesel::insert_into(bookings::table)
        .values((
            bookings::reference.eq(new_reference()),
            bookings::token.eq(&token),
            bookings::ticket_type_id.eq(order.ticket_type_id),
            bookings::quantity.eq(order.quantity),
            bookings::unit_price_cents.eq(unit_price_cents),
            bookings::total_cents.eq(unit_price_cents * i64::from(order.quantity)),
            bookings::currency.eq(currency),
            bookings::buyer_name.eq(&order.buyer.name),
            bookings::buyer_email.eq(&order.buyer.email),
            bookings::request_key.eq(&order.request_key),
            bookings::status.eq("confirmed"),
            bookings::created_at.eq(Utc::now().naive_utc()),
        ))
        .execute(db)?;
    Ok(Some(token))
}

/// Why nothing was taken: the last tickets may have gone to this very order when it came before.
fn explain_refusal(db: &mut Db, order: &Order) -> QueryResult<Outcome> {
    if let Some(outcome) = find_by_request_key(db, order)? {
        return Ok(outcome);
    }
    let left = ticket_types::table.find(order.ticket_type_id).select(ticket_types::available);
    let left = left.first(db).optional()?;
    Ok(left.map_or(Outcome::UnknownTicketType, |left| Outcome::NotEnough { left }))
}

fn find_by_request_key(db: &mut Db, order: &Order) -> QueryResult<Option<Outcome>> {
    let earlier = bookings::table
        .filter(bookings::request_key.eq(&order.request_key))
        .select((bookings::token, bookings::ticket_type_id, bookings::quantity))
        .first::<(String, i64, i32)>(db)
        .optional()?;
    Ok(earlier.map(|(token, ticket_type_id, quantity)| {
        if (ticket_type_id, quantity) == (order.ticket_type_id, order.quantity) {
            Outcome::Replayed { token }
        } else {
            Outcome::KeyReused
        }
    }))
}

/// The booking that a link leads to, with what it is for.
///
/// # Errors
/// `NotFound`, or what the database said.
pub fn find_by_token(db: &mut Db, token: &str) -> QueryResult<(Booking, TicketType, Event)> {
    bookings::table
        .inner_join(ticket_types::table.inner_join(events::table))
        .filter(bookings::token.eq(token))
        .select((Booking::as_select(), TicketType::as_select(), Event::as_select()))
        .first(db)
}
