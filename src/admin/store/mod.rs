//! The SQL of sales and bookings as the organizer sees them.

pub mod terms;

use std::collections::HashMap;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::{BookingLine, ConfirmationStatus, Sales, TicketTypeSales};
use crate::audit::{self, Action, Actor};
use crate::booking::Booking;
use crate::booking::cancellation::{self, Canceler, CancellationOutcome};
use crate::db::Db;
use crate::events::seed::Seed;
use crate::events::{self, Event};
use crate::outbox::{self, MailKind, MailState};
use crate::schema::{bookings, events as events_table, mails, ticket_types};
use crate::tickets;
use crate::venue_clock::VenueClock;

/// The sale of every concert, the next one first.
pub fn sales(db: &mut Db) -> QueryResult<Vec<Sales>> {
    let events = events::store::list(db)?;
    events.into_iter().map(|event| sales_of(db, event)).collect()
}

/// The sale of one concert.
///
/// # Errors
/// `NotFound`, or what the database said.
pub fn sales_by_slug(db: &mut Db, slug: &str) -> QueryResult<Sales> {
    let event = events::store::find_by_slug(db, slug)?;
    sales_of(db, event)
}

fn sales_of(db: &mut Db, event: Event) -> QueryResult<Sales> {
    // PostgreSQL sums BIGINT into NUMERIC; cast back, both databases give one type.
    let sums: Vec<(i64, i64, i64, i64)> = bookings::table
        .inner_join(ticket_types::table)
        .filter(ticket_types::event_id.eq(event.id))
        .filter(bookings::status.eq("confirmed"))
        .group_by(bookings::ticket_type_id)
        .select((
            bookings::ticket_type_id,
            sql::<BigInt>("COUNT(*)"),
            sql::<BigInt>("CAST(SUM(bookings.quantity) AS BIGINT)"),
            sql::<BigInt>("CAST(SUM(bookings.total_cents) AS BIGINT)"),
        ))
        .load(db)?;
    let booking_count = sums.iter().map(|(_, count, ..)| count).sum();
    let by_ticket_type: HashMap<i64, (i64, i64)> =
        sums.into_iter().map(|(id, _, sold, revenue)| (id, (sold, revenue))).collect();
    let ticket_types = events::store::ticket_types(db, event.id)?;
    let ticket_types = ticket_types.into_iter().map(|ticket_type| {
        let (sold, revenue_cents) = by_ticket_type.get(&ticket_type.id).copied().unwrap_or_default();
        TicketTypeSales { ticket_type, sold, revenue_cents }
    });
    Ok(Sales { event, ticket_types: ticket_types.collect(), booking_count })
}

/// The newest bookings, at most `limit`, with the states of their confirmations.
pub fn latest_bookings(db: &mut Db, limit: i64) -> QueryResult<Vec<BookingLine>> {
    let of_booking = mails::booking_id.eq(bookings::id.nullable());
    let confirmations = mails::table.on(of_booking.and(mails::kind.eq(MailKind::Confirmation.as_str())));
    let rows = bookings::table
        .inner_join(ticket_types::table.inner_join(events_table::table))
        .left_join(confirmations)
        .order((bookings::created_at.desc(), bookings::id.desc()))
        .limit(limit)
        .select((
            Booking::as_select(),
            ticket_types::name,
            events_table::time_zone,
            mails::state.nullable(),
            mails::last_error.nullable(),
        ))
        .load(db)?;
    let with_mail = |(booking, ticket_type, time_zone, state, last_error): BookingRowWithMail| {
        // A confirmation has no row in `mails` until the sender lists its batch.
        let state = state.map_or(Some(MailState::Queued), |state| MailState::parse(&state));
        let mail = booking.has_address().then_some(ConfirmationStatus { state, last_error });
        BookingLine { mail, ..line((booking, ticket_type, time_zone)) }
    };
    Ok(rows.into_iter().map(with_mail).collect())
}

/// The clock of the next concert's venue; UTC when there is none.
pub fn clock(db: &mut Db) -> QueryResult<VenueClock> {
    let zone = events::store::list(db)?.into_iter().next().map(|event| event.time_zone);
    Ok(VenueClock::parse(&zone.unwrap_or_default()))
}

/// Every booking of a concert, the oldest first.
pub fn bookings_of_event(db: &mut Db, slug: &str) -> QueryResult<Vec<BookingLine>> {
    let rows = bookings::table
        .inner_join(ticket_types::table.inner_join(events_table::table))
        .filter(events_table::slug.eq(slug))
        .order(bookings::id)
        .select((Booking::as_select(), ticket_types::name, events_table::time_zone))
        .load(db)?;
    Ok(rows.into_iter().map(line).collect())
}

/// A booking, the name of its ticket type, and the venue's zone.
type BookingRow = (Booking, String, String);
/// The same, with the state and the error of its confirmation.
type BookingRowWithMail = (Booking, String, String, Option<String>, Option<String>);

fn line((booking, ticket_type, time_zone): BookingRow) -> BookingLine {
    let has_address = booking.has_address();
    BookingLine {
        total: booking.total(),
        unit_price: booking.unit_price(),
        reference: booking.reference,
        ticket_type,
        quantity: booking.quantity,
        buyer_name: booking.buyer_name,
        buyer_email: has_address.then_some(booking.buyer_email),
        status: booking.status,
        mail: None,
        created_at: booking.created_at,
        time_zone,
    }
}

/// Cancels a booking for the organizer. Runs inside the caller's transaction.
///
/// # Errors
/// `NotFound`, or what the database said.
pub fn cancel_booking(db: &mut Db, reference: String, actor: &Actor) -> QueryResult<CancellationOutcome> {
    let outcome = cancellation::store::cancel(db, &Canceler::Organizer { reference })?;
    if let CancellationOutcome::Canceled { booking, .. } = &outcome {
        let tickets = usize::try_from(booking.quantity).unwrap_or_default();
        audit::store::record(db, actor, Action::BookingCanceled, &booking.reference, tickets)?;
    }
    Ok(outcome)
}

/// Deletes the bookings of the seed's concert and puts it on sale again. Returns how many there were.
/// Runs inside the caller's transaction.
pub fn reseed(db: &mut Db, seed: &Seed, actor: &Actor) -> QueryResult<usize> {
    let ids: Vec<i64> = ticket_types::table
        .inner_join(events_table::table)
        .filter(events_table::slug.eq(seed.slug))
        .order(ticket_types::id)
        .select(ticket_types::id)
        .load(db)?;
    // Lock the ticket types first: a booking of one of them has either committed, and is deleted below, or
    // waits for the lock and books from the new stock. In the order of their ids, as the desks lock them, so
    // that there is no deadlock.
    for id in &ids {
        diesel::update(ticket_types::table.find(id))
            .set(ticket_types::version.eq(ticket_types::version + 1))
            .execute(db)?;
    }
    outbox::store::batches::hold(db)?;
    let deleted = diesel::delete(bookings::table.filter(bookings::ticket_type_id.eq_any(ids))).execute(db)?;
    tickets::store::forget_refusals(db, seed.slug)?;
    events::store::plant(db, seed)?;
    audit::store::record(db, actor, Action::Reseeded, seed.name, deleted)?;
    Ok(deleted)
}
