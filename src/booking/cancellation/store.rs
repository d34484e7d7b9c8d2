//! The SQL of a cancellation.

use chrono::{NaiveDateTime, Utc};
use diesel::prelude::*;

use super::{Canceler, CancellationOutcome};
use crate::booking::{Booking, CANCELED, CONFIRMED};
use crate::db::Db;
use crate::events::{Event, Stock};
use crate::outbox::{self, MailKind, NewMail};
use crate::schema::{bookings, events, ticket_types};
use crate::tickets::store::admitted_count;

/// Cancels a booking, puts its tickets on sale again, and queues the mail that says so. Runs inside the
/// caller's write transaction.
///
/// What is refused anyway is refused before anything is locked. Then the ticket type is locked before the booking:
/// desks and a reseed lock ticket types first, so nobody waits in a circle; a gate that lets somebody in holds the
/// booking alone.
///
/// # Errors
/// `NotFound`, or what the database said.
pub fn cancel(db: &mut Db, canceler: &Canceler) -> QueryResult<CancellationOutcome> {
    let now = Utc::now().naive_utc();
    let (id, booking, event) = find(db, canceler)?;
    if booking.is_canceled() {
        return Ok(CancellationOutcome::AlreadyCanceled(booking));
    }
    if matches!(canceler, Canceler::Buyer { .. }) && !event.is_cancellable(now) {
        return Ok(CancellationOutcome::TooLate);
    }
    lock(db, booking.ticket_type_id, id)?;
    match admitted_count(db, id)? {
        0 => {}
        count => return Ok(CancellationOutcome::Admitted { count }),
    }
    if !end(db, id, now)? {
        let (_, booking, _) = find(db, canceler)?;
        return Ok(CancellationOutcome::AlreadyCanceled(booking));
    }
    let stock = give_back(db, &booking)?;
    if booking.has_address() {
        let mail =
            NewMail { kind: MailKind::Cancellation, booking_id: Some(id), recipient: None, payload: None };
        outbox::store::enqueue(db, &mail)?;
    }
    let booking = Booking { status: CANCELED.to_owned(), cancelled_at: Some(now), ..booking };
    Ok(CancellationOutcome::Canceled { booking, stock })
}

fn find(db: &mut Db, canceler: &Canceler) -> QueryResult<(i64, Booking, Event)> {
    let found = bookings::table.inner_join(ticket_types::table.inner_join(events::table)).select((
        bookings::id,
        Booking::as_select(),
        Event::as_select(),
    ));
    match canceler {
        Canceler::Buyer { token } => found.filter(bookings::token.eq(token)).first(db),
        Canceler::Organizer { reference } => found.filter(bookings::reference.eq(reference)).first(db),
    }
}

/// SQLite's write transactions are alone anyway.
fn lock(db: &mut Db, ticket_type_id: i64, id: i64) -> QueryResult<()> {
    if let Db::Postgres(pg) = db {
        let ticket_type = ticket_types::table.find(ticket_type_id).select(ticket_types::id);
        ticket_type.for_no_key_update().get_result::<i64>(pg)?;
        let booking = bookings::table.find(id).select(bookings::id);
        booking.for_no_key_update().get_result::<i64>(pg)?;
    }
    Ok(())
}

/// The one place where a booking ends. Whether it is this call that has ended it.
fn end(db: &mut Db, id: i64, now: NaiveDateTime) -> QueryResult<bool> {
    let confirmed = bookings::table.find(id).filter(bookings::status.eq(CONFIRMED));
    let ended = diesel::update(confirmed)
        .set((bookings::status.eq(CANCELED), bookings::cancelled_at.eq(now)))
        .execute(db)?;
    Ok(ended == 1)
}

/// The CHECK of the schema stands behind it: no ticket type ever has more than its capacity.
fn give_back(db: &mut Db, booking: &Booking) -> QueryResult<Stock> {
    let (available, version) = diesel::update(ticket_types::table.find(booking.ticket_type_id))
        .set((
            ticket_types::available.eq(ticket_types::available + booking.quantity),
            ticket_types::version.eq(ticket_types::version + 1),
        ))
        .returning((ticket_types::available, ticket_types::version))
        .get_result(db)?;
    Ok(Stock { ticket_type_id: booking.ticket_type_id, available, version })
}
