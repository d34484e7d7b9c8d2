//! The SQL of admissions and refused scans.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::{
    Admission, Attendance, Holder, RecentScan, RefusedScan, Scan, ScanOutcome, TicketTypeAttendance,
};
use crate::audit::{self, Action};
use crate::booking::store::{BookingRow, with_lines};
use crate::booking::{Booking, BookingStatus};
use crate::db::{Db, on_either};
use crate::schema::{bookings, events, refusals, ticket_types, used_tickets};

/// The state of a ticket that was scanned and let in.
const ADMITTED: &str = "admitted";

/// Admits a ticket once, or records why not. Runs inside the caller's write transaction and locks the booking until it
/// ends: a cancellation waits, and then finds the admission.
///
/// # Errors
/// What the database said.
pub fn admit(db: &mut Db, scan: &Scan) -> QueryResult<ScanOutcome> {
    let seat = scan.code.seat;
    let held = hold(db, &scan.code.reference)?;
    let held = held.and_then(|booking| booking.ticket_type_of_seat(seat).map(|id| (booking, id)));
    let Some((booking, ticket_type_id)) = held else { return refuse(db, scan, ScanOutcome::Unknown) };
    let (event_id, event, ticket_type): (i64, String, String) = ticket_types::table
        .inner_join(events::table)
        .filter(ticket_types::id.eq(ticket_type_id))
        .select((events::id, events::name, ticket_types::name))
        .first(db)?;
    // There is no "look, then admit": the schema's UNIQUE is the only judge between two gates.
    let may_enter = event_id == scan.event_id && booking.is_confirmed();
    let is_admitted = may_enter && insert(db, booking.id, ticket_type_id, scan)?;
    let holder = holder(&booking, seat, ticket_type, admitted_count(db, booking.id)?);
    let outcome = match booking.status {
        _ if is_admitted => return Ok(ScanOutcome::Admitted(holder)),
        BookingStatus::Held | BookingStatus::Expired => ScanOutcome::Unknown,
        _ if event_id != scan.event_id => ScanOutcome::OtherEvent(holder, event),
        BookingStatus::Canceled => ScanOutcome::Canceled(holder),
        BookingStatus::Confirmed => match find(db, booking.id, seat)? {
            Some(admission) => ScanOutcome::Used(holder, admission),
            None => ScanOutcome::Returned(holder),
        },
    };
    refuse(db, scan, outcome)
}

/// How many of a booking's tickets are admitted.
///
/// # Errors
/// What the database said.
pub fn admitted_count(db: &mut Db, booking_id: i64) -> QueryResult<i64> {
    used_tickets::table
        .filter(used_tickets::booking_id.eq(booking_id))
        .filter(used_tickets::state.eq(ADMITTED))
        .count()
        .get_result(db)
}

/// Reads the booking, and keeps it as it is until the end of the transaction: it is not canceled meanwhile,
/// and gates that hold tickets of one booking count them one after the other. SQLite's write transactions
/// are alone anyway.
fn hold(db: &mut Db, reference: &str) -> QueryResult<Option<Booking>> {
    let booking = bookings::table.filter(bookings::reference.eq(reference));
    let row = match db {
        Db::Postgres(pg) => {
            booking.select(BookingRow::as_select()).for_no_key_update().get_result(pg).optional()?
        }
        Db::Sqlite(sqlite) => booking.select(BookingRow::as_select()).get_result(sqlite).optional()?,
    };
    Ok(with_lines(db, row.into_iter().collect())?.pop())
}

/// Says whether nothing had happened to the ticket before.
fn insert(db: &mut Db, booking_id: i64, ticket_type_id: i64, scan: &Scan) -> QueryResult<bool> {
    let admission = diesel::insert_into(used_tickets::table)
        .values((
            used_tickets::booking_id.eq(booking_id),
            used_tickets::seat.eq(scan.code.seat),
            used_tickets::ticket_type_id.eq(ticket_type_id),
            used_tickets::state.eq(ADMITTED),
            used_tickets::gate.eq(&scan.gate),
            used_tickets::actor.eq(&scan.actor.name),
            used_tickets::used_at.eq(scan.at),
        ))
        .on_conflict_do_nothing();
    let inserted = on_either!(db, connection => admission.execute(connection)?);
    Ok(inserted > 0)
}

fn refuse(db: &mut Db, scan: &Scan, outcome: ScanOutcome) -> QueryResult<ScanOutcome> {
    if let Some(reason) = outcome.refusal() {
        let Scan { code, event_id, gate, actor, at } = scan;
        let ticket = format!("{} ticket {}", code.reference, code.seat);
        let (gate, actor) = (gate.clone(), actor.name.clone());
        insert_refusal(db, *event_id, &RefusedScan { ticket, reason, gate, actor, at: *at })?;
    }
    Ok(outcome)
}

/// When and where the ticket was admitted; `None` when it was given back.
fn find(db: &mut Db, booking_id: i64, seat: i32) -> QueryResult<Option<Admission>> {
    used_tickets::table
        .filter(used_tickets::booking_id.eq(booking_id))
        .filter(used_tickets::seat.eq(seat))
        .filter(used_tickets::state.eq(ADMITTED))
        .select(Admission::as_select())
        .first(db)
        .optional()
}

/// Takes an admission back, as if the ticket had not been scanned, and says so in the audit log. `None`
/// when it was not in.
///
/// # Errors
/// What the database said.
pub fn revoke(db: &mut Db, scan: &Scan) -> QueryResult<Option<Holder>> {
    let Some(booking) = hold(db, &scan.code.reference)? else { return Ok(None) };
    let seat = scan.code.seat;
    let Some(earlier) = find(db, booking.id, seat)? else { return Ok(None) };
    let admission = used_tickets::table
        .filter(used_tickets::booking_id.eq(booking.id))
        .filter(used_tickets::seat.eq(seat))
        .filter(used_tickets::state.eq(ADMITTED));
    diesel::delete(admission).execute(db)?;
    let (gate, at) = (&earlier.gate, earlier.admitted_at.format("%F %T"));
    let subject = format!("{} ticket {seat}, in through {gate} at {at} UTC", booking.reference);
    audit::store::record(db, &scan.actor, Action::AdmissionRevoked, &subject, 1)?;
    let id = booking.ticket_type_of_seat(seat).unwrap_or_default();
    let ticket_type = ticket_types::table.find(id).select(ticket_types::name).first(db)?;
    let admitted = admitted_count(db, booking.id)?;
    Ok(Some(holder(&booking, seat, ticket_type, admitted)))
}

/// Writes down that somebody was not let in.
///
/// # Errors
/// What the database said.
pub fn insert_refusal(db: &mut Db, event_id: i64, refusal: &RefusedScan) -> QueryResult<()> {
    let RefusedScan { ticket, reason, gate, actor, at } = refusal;
    diesel::insert_into(refusals::table)
        .values((
            refusals::event_id.eq(event_id),
            refusals::ticket.eq(ticket),
            refusals::reason.eq(reason),
            refusals::gate.eq(gate),
            refusals::actor.eq(actor),
            refusals::refused_at.eq(at),
        ))
        .execute(db)?;
    Ok(())
}

/// Forgets whom a concert's gates have refused, for a sale that starts again; admissions go with their
/// bookings.
///
/// # Errors
/// What the database said.
pub fn forget_refusals(db: &mut Db, slug: &str) -> QueryResult<()> {
    let event: Option<i64> =
        events::table.filter(events::slug.eq(slug)).select(events::id).first(db).optional()?;
    if let Some(id) = event {
        diesel::delete(refusals::table.filter(refusals::event_id.eq(id))).execute(db)?;
    }
    Ok(())
}

/// How many of a concert's tickets are in, and how often somebody was refused.
///
/// # Errors
/// What the database said.
pub fn attendance(db: &mut Db, event_id: i64) -> QueryResult<Attendance> {
    let of_event = ticket_types::table.filter(ticket_types::event_id.eq(event_id)).select(ticket_types::id);
    let admitted: Vec<(i64, i64)> = used_tickets::table
        .filter(used_tickets::ticket_type_id.eq_any(of_event))
        .filter(used_tickets::state.eq(ADMITTED))
        .group_by(used_tickets::ticket_type_id)
        .select((used_tickets::ticket_type_id, diesel::dsl::count_star()))
        .load(db)?;
    let admitted: HashMap<i64, i64> = admitted.into_iter().collect();
    let sold: HashMap<i64, i64> = sold(db, event_id)?.into_iter().collect();
    let ticket_types = crate::events::store::ticket_types(db, event_id)?.into_iter().map(|ticket_type| {
        let of = |counts: &HashMap<i64, i64>| counts.get(&ticket_type.id).copied().unwrap_or_default();
        TicketTypeAttendance { admitted: of(&admitted), sold: of(&sold), ticket_type }
    });
    let ticket_types = ticket_types.collect();
    let refused = refusals::table.filter(refusals::event_id.eq(event_id)).count().get_result(db)?;
    Ok(Attendance { ticket_types, refused })
}

/// How many tickets of each ticket type are sold: what is neither available nor held. Counted from what is not sold,
/// because a gate asks every few seconds, and there are few holds and many bookings.
fn sold(db: &mut Db, event_id: i64) -> QueryResult<Vec<(i64, i64)>> {
    let held = crate::events::store::held(db)?;
    let held: HashMap<i64, i64> =
        held.into_iter().map(|held| (held.ticket_type_id, i64::from(held.quantity))).collect();
    let types: Vec<(i64, i32, i32)> = ticket_types::table
        .filter(ticket_types::event_id.eq(event_id))
        .select((ticket_types::id, ticket_types::capacity, ticket_types::available))
        .load(db)?;
    let sold = |(id, capacity, available): (i64, i32, i32)| {
        (id, i64::from(capacity) - i64::from(available) - held.get(&id).copied().unwrap_or_default())
    };
    Ok(types.into_iter().map(sold).collect())
}

/// What a gate has answered lately, the newest first, at most `limit`.
///
/// # Errors
/// What the database said.
pub fn latest(db: &mut Db, event_id: i64, gate: &str, limit: i64) -> QueryResult<Vec<RecentScan>> {
    let rows: Vec<(NaiveDateTime, i32, String, BookingRow)> = used_tickets::table
        .inner_join(bookings::table)
        .inner_join(ticket_types::table)
        .filter(ticket_types::event_id.eq(event_id))
        .filter(used_tickets::state.eq(ADMITTED))
        .filter(used_tickets::gate.eq(gate))
        .order(used_tickets::id.desc())
        .limit(limit)
        .select((used_tickets::used_at, used_tickets::seat, ticket_types::name, BookingRow::as_select()))
        .load(db)?;
    let mut scans = Vec::new();
    for (at, seat, ticket_type, row) in rows {
        if let Some(booking) = with_lines(db, vec![row])?.pop() {
            scans.push(RecentScan::Admitted(at, holder(&booking, seat, ticket_type, 0)));
        }
    }
    let refused: Vec<(NaiveDateTime, String, String)> = refusals::table
        .filter(refusals::event_id.eq(event_id))
        .filter(refusals::gate.eq(gate))
        .order(refusals::id.desc())
        .limit(limit)
        .select((refusals::refused_at, refusals::ticket, refusals::reason))
        .load(db)?;
    let refused = refused.into_iter().map(|(at, ticket, reason)| RecentScan::Refused { at, ticket, reason });
    let mut latest: Vec<RecentScan> = scans.into_iter().chain(refused).collect();
    latest.sort_by_key(|scan| std::cmp::Reverse(scan.at()));
    latest.truncate(usize::try_from(limit).unwrap_or_default());
    Ok(latest)
}

fn holder(booking: &Booking, seat: i32, ticket_type: String, admitted: i64) -> Holder {
    let (reference, name) = (booking.reference.clone(), booking.buyer_name.clone());
    Holder { reference, seat, of: booking.quantity(), ticket_type, name, admitted }
}
