use diesel::prelude::*;

use super::{Admission, Holder, Outcome, Scan};
use crate::booking::CONFIRMED;
use crate::db::Db;
use crate::schema::{admissions, bookings, events, ticket_types};

/// What a gate needs to know of a booking.
#[derive(Queryable)]
struct Held {
    id: i64,
    ticket_type_id: i64,
    quantity: i32,
    status: String,
    name: String,
}

/// Lets a ticket in, once. Runs inside the caller's write transaction, and holds the booking as it is until
/// that ends: whoever wants to cancel it waits, and then finds who is in.
///
/// # Errors
/// What the database said.
pub fn admit(db: &mut Db, scan: &Scan) -> QueryResult<Outcome> {
    let Some(held) = hold(db, &scan.code.reference)? else { return Ok(Outcome::Unknown) };
    if scan.code.seat > held.quantity {
        return Ok(Outcome::Unknown);
    }
    let (event_id, event, ticket_type): (i64, String, String) = ticket_types::table
        .inner_join(events::table)
        .filter(ticket_types::id.eq(held.ticket_type_id))
        .select((events::id, events::name, ticket_types::name))
        .first(db)?;
    // There is no "look, then admit": the schema's UNIQUE is the only judge between two gates.
    let may_enter = event_id == scan.event_id && held.status == CONFIRMED;
    let is_admitted = may_enter && insert(db, held.id, scan)?;
    let holder = Holder {
        reference: scan.code.reference.clone(),
        seat: scan.code.seat,
        of: held.quantity,
        ticket_type,
        name: held.name,
        admitted: admitted_count(db, held.id)?,
    };
    Ok(match () {
        () if is_admitted => Outcome::Admitted(holder),
        () if event_id != scan.event_id => Outcome::OtherEvent(holder, event),
        () if held.status != CONFIRMED => Outcome::Cancelled(holder),
        () => Outcome::Used(holder, find(db, held.id, scan.code.seat)?),
    })
}

/// How many of a booking's tickets are in. Whoever decides by it locks the booking's row first, as a
/// cancellation does: then no gate changes it until the end of the transaction.
///
/// # Errors
/// What the database said.
pub fn admitted_count(db: &mut Db, booking_id: i64) -> QueryResult<i64> {
    admissions::table.filter(admissions::booking_id.eq(booking_id)).count().get_result(db)
}

/// Reads the booking, and keeps it from being cancelled until the end of the transaction. SQLite's write
/// transactions are alone anyway. Two gates may hold it at once.
fn hold(db: &mut Db, reference: &str) -> QueryResult<Option<Held>> {
    let booking = bookings::table.filter(bookings::reference.eq(reference)).select((
        bookings::id,
        bookings::ticket_type_id,
        bookings::quantity,
        bookings::status,
        bookings::buyer_name,
    ));
    match db {
        Db::Postgres(pg) => booking.for_share().get_result(pg).optional(),
        Db::Sqlite(sqlite) => booking.get_result(sqlite).optional(),
    }
}

/// Says whether the seat was not in before. On PostgreSQL a gate that is a moment later waits here until
/// the other's transaction has ended.
fn insert(db: &mut Db, booking_id: i64, scan: &Scan) -> QueryResult<bool> {
    let admission = diesel::insert_into(admissions::table)
        .values((
            admissions::booking_id.eq(booking_id),
            admissions::seat.eq(scan.code.seat),
            admissions::gate.eq(&scan.gate),
            admissions::actor.eq(&scan.actor),
            admissions::admitted_at.eq(scan.at),
        ))
        .on_conflict_do_nothing();
    let inserted = match db {
        Db::Postgres(pg) => admission.execute(pg)?,
        Db::Sqlite(sqlite) => admission.execute(sqlite)?,
    };
    Ok(inserted > 0)
}

fn find(db: &mut Db, booking_id: i64, seat: i32) -> QueryResult<Admission> {
    admissions::table
        .filter(admissions::booking_id.eq(booking_id))
        .filter(admissions::seat.eq(seat))
        .select(Admission::as_select())
        .first(db)
}
