//! The SQL of admissions and refused scans.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::{
    Admission, Attendance, Holder, RecentScan, RefusedScan, Scan, ScanOutcome, TicketTypeAttendance,
};
use crate::audit::{self, Action};
use crate::booking::CONFIRMED;
use crate::db::{Db, on_either};
use crate::schema::{admissions, bookings, events, refusals, ticket_types};

/// What a gate needs to know of a booking.
#[derive(Queryable)]
struct HeldBooking {
    id: i64,
    reference: String,
    ticket_type_id: i64,
    quantity: i32,
    status: String,
    name: String,
}

/// Admits a ticket once, or records why not. Runs inside the caller's write transaction and locks the booking until it
/// ends: a cancellation waits, and then finds the admission.
///
/// # Errors
/// What the database said.
pub fn admit(db: &mut Db, scan: &Scan) -> QueryResult<ScanOutcome> {
    let held = hold(db, &scan.code.reference)?.filter(|held| scan.code.seat <= held.quantity);
    let Some(held) = held else { return refuse(db, scan, ScanOutcome::Unknown) };
    let (event_id, event, ticket_type): (i64, String, String) = ticket_types::table
        .inner_join(events::table)
        .filter(ticket_types::id.eq(held.ticket_type_id))
        .select((events::id, events::name, ticket_types::name))
        .first(db)?;
    // There is no "look, then admit": the schema's UNIQUE is the only judge between two gates.
    let may_enter = event_id == scan.event_id && held.status == CONFIRMED;
    let is_admitted = may_enter && insert(db, held.id, scan)?;
    let (booking_id, is_confirmed) = (held.id, held.status == CONFIRMED);
    let holder = held.holder(scan.code.seat, ticket_type, admitted_count(db, booking_id)?);
    let outcome = match () {
        () if is_admitted => return Ok(ScanOutcome::Admitted(holder)),
        () if event_id != scan.event_id => ScanOutcome::OtherEvent(holder, event),
        () if !is_confirmed => ScanOutcome::Canceled(holder),
        () => ScanOutcome::Used(holder, find(db, booking_id, scan.code.seat)?),
    };
    refuse(db, scan, outcome)
}

/// How many of a booking's tickets are admitted. A caller that decides by it must lock the booking's row first, as a
/// cancellation does: then no gate changes it until the end of the transaction.
///
/// # Errors
/// What the database said.
pub fn admitted_count(db: &mut Db, booking_id: i64) -> QueryResult<i64> {
    admissions::table.filter(admissions::booking_id.eq(booking_id)).count().get_result(db)
}

/// Reads the booking, and keeps it as it is until the end of the transaction: it is not canceled meanwhile,
/// and gates that hold tickets of one booking count them one after the other. SQLite's write transactions
/// are alone anyway.
fn hold(db: &mut Db, reference: &str) -> QueryResult<Option<HeldBooking>> {
    let booking = bookings::table.filter(bookings::reference.eq(reference)).select((
        bookings::id,
        bookings::reference,
        bookings::ticket_type_id,
        bookings::quantity,
        bookings::status,
        bookings::buyer_name,
    ));
    match db {
        Db::Postgres(pg) => booking.for_no_key_update().get_result(pg).optional(),
        Db::Sqlite(sqlite) => booking.get_result(sqlite).optional(),
    }
}

/// Says whether the seat was not in before.
fn insert(db: &mut Db, booking_id: i64, scan: &Scan) -> QueryResult<bool> {
    let admission = diesel::insert_into(admissions::table)
        .values((
            admissions::booking_id.eq(booking_id),
            admissions::seat.eq(scan.code.seat),
            admissions::gate.eq(&scan.gate),
            admissions::actor.eq(&scan.actor.name),
            admissions::admitted_at.eq(scan.at),
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

fn find(db: &mut Db, booking_id: i64, seat: i32) -> QueryResult<Admission> {
    admissions::table
        .filter(admissions::booking_id.eq(booking_id))
        .filter(admissions::seat.eq(seat))
        .select(Admission::as_select())
        .first(db)
}

/// Takes an admission back, as if the ticket had not been scanned, and says so in the audit log. `None`
/// when it was not in.
///
/// # Errors
/// What the database said.
pub fn revoke(db: &mut Db, scan: &Scan) -> QueryResult<Option<Holder>> {
    let Some(held) = hold(db, &scan.code.reference)? else { return Ok(None) };
    let seat = scan.code.seat;
    let admission =
        admissions::table.filter(admissions::booking_id.eq(held.id)).filter(admissions::seat.eq(seat));
    let Some(earlier) = diesel::delete(admission)
        .returning((admissions::gate, admissions::actor, admissions::admitted_at))
        .get_result::<Admission>(db)
        .optional()?
    else {
        return Ok(None);
    };
    let (gate, at) = (&earlier.gate, earlier.admitted_at.format("%F %T"));
    let subject = format!("{} ticket {seat}, in through {gate} at {at} UTC", held.reference);
    audit::store::record(db, &scan.actor, Action::AdmissionRevoked, &subject, 1)?;
    let ticket_type = ticket_types::table.find(held.ticket_type_id).select(ticket_types::name).first(db)?;
    let admitted = admitted_count(db, held.id)?;
    Ok(Some(held.holder(seat, ticket_type, admitted)))
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
    let admitted: Vec<(i64, i64)> = admissions::table
        .inner_join(bookings::table.inner_join(ticket_types::table))
        .filter(ticket_types::event_id.eq(event_id))
        .group_by(bookings::ticket_type_id)
        .select((bookings::ticket_type_id, diesel::dsl::count_star()))
        .load(db)?;
    let admitted: HashMap<i64, i64> = admitted.into_iter().collect();
    let ticket_types = crate::events::store::ticket_types(db, event_id)?.into_iter().map(|ticket_type| {
        let admitted = admitted.get(&ticket_type.id).copied().unwrap_or_default();
        TicketTypeAttendance { ticket_type, admitted }
    });
    let ticket_types = ticket_types.collect();
    let refused = refusals::table.filter(refusals::event_id.eq(event_id)).count().get_result(db)?;
    Ok(Attendance { ticket_types, refused })
}

/// What a gate has answered lately, the newest first, at most `limit`.
///
/// # Errors
/// What the database said.
pub fn latest(db: &mut Db, event_id: i64, gate: &str, limit: i64) -> QueryResult<Vec<RecentScan>> {
    type Row = (NaiveDateTime, String, i32, i32, String, String);
    let admitted: Vec<Row> = admissions::table
        .inner_join(bookings::table.inner_join(ticket_types::table))
        .filter(ticket_types::event_id.eq(event_id))
        .filter(admissions::gate.eq(gate))
        .order(admissions::id.desc())
        .limit(limit)
        .select((
            admissions::admitted_at,
            bookings::reference,
            admissions::seat,
            bookings::quantity,
            ticket_types::name,
            bookings::buyer_name,
        ))
        .load(db)?;
    let refused: Vec<(NaiveDateTime, String, String)> = refusals::table
        .filter(refusals::event_id.eq(event_id))
        .filter(refusals::gate.eq(gate))
        .order(refusals::id.desc())
        .limit(limit)
        .select((refusals::refused_at, refusals::ticket, refusals::reason))
        .load(db)?;
    let admitted = admitted.into_iter().map(|(at, reference, seat, of, ticket_type, name)| {
        RecentScan::Admitted(at, Holder { reference, seat, of, ticket_type, name, admitted: 0 })
    });
    let refused = refused.into_iter().map(|(at, ticket, reason)| RecentScan::Refused { at, ticket, reason });
    let mut latest: Vec<RecentScan> = admitted.chain(refused).collect();
    latest.sort_by_key(|scan| std::cmp::Reverse(scan.at()));
    latest.truncate(usize::try_from(limit).unwrap_or_default());
    Ok(latest)
}

impl HeldBooking {
    fn holder(self, seat: i32, ticket_type: String, admitted: i64) -> Holder {
        let Self { reference, quantity: of, name, .. } = self;
        Holder { reference, seat, of, ticket_type, name, admitted }
    }
}
