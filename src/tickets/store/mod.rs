//! The SQL of admissions. Each decided scan is also in the [`history`].
//!
//! Bookings themselves do not belong here: see `booking::store`.

pub mod attendance;
pub mod gates;
pub mod history;
pub mod marks;
pub mod search;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::scan::{Admission, Holder, Place, Scan, ScanDecision, ScanOutcome, is_the_night};
use crate::audit::{self, Action};
use crate::booking::store::{BookingRow, id_of_reference, with_lines};
use crate::booking::{Booking, BookingStatus};
use crate::db::{Db, on_either};
use crate::events::{Event, TicketType};
use crate::payment::store::online::paid_online;
use crate::schema::{bookings, events, refusals, ticket_types, used_tickets};

/// The state of a ticket that was scanned and let in.
const ADMITTED: &str = "admitted";

/// As [`admit_found`], for a booking that is known to be there.
pub fn admit(db: &mut Db, scan: &Scan) -> QueryResult<ScanOutcome> {
    let booking_id = id_of_reference(db, &scan.code.reference)?;
    admit_found(db, scan, booking_id)
}

/// Admits a ticket once, or records why not. Runs inside the caller's write transaction and locks the booking until it
/// ends: a cancellation waits, and then finds the admission. `booking_id`: the booking of the code's reference, which
/// is looked for before the transaction. `None`: there is none.
pub fn admit_found(db: &mut Db, scan: &Scan, booking_id: Option<i64>) -> QueryResult<ScanOutcome> {
    let (seat, place) = (scan.code.seat, &scan.place);
    let found = match booking_id {
        Some(id) => lock(db, id)?,
        None => None,
    };
    let found = found.and_then(|booking| booking.ticket_type_of_seat(seat).map(|id| (booking, id)));
    let Some((booking, ticket_type_id)) = found else {
        return record(db, scan, None, ScanOutcome::Unknown);
    };
    let (event, ticket_type): (Event, TicketType) = ticket_types::table
        .inner_join(events::table)
        .filter(ticket_types::id.eq(ticket_type_id))
        .select((Event::as_select(), TicketType::as_select()))
        .first(db)?;
    let online = paid_online(db, &[booking.id])?.pop().map(|(_, online)| online);
    let holder = |admitted| Holder::new(&booking, seat, &ticket_type, admitted, online.as_ref());
    if let Some(is_undone) = history::admission_by_the_same_scan(db, scan, booking.id)? {
        let holder = holder(admitted_count(db, booking.id)?);
        return Ok(match find(db, booking.id, seat)? {
            Some(admission) if !is_undone => ScanOutcome::AdmittedBefore(holder, admission),
            _ => ScanOutcome::Undone(holder),
        });
    }
    // The insert decides, not a read before it: of two gates that admit a ticket, the UNIQUE constraint lets
    // one win.
    let is_here = event.id == place.event.id;
    let may_enter = is_here && booking.is_confirmed() && (scan.any_day || is_the_night(&event, scan.at));
    let is_admitted = may_enter && insert(db, booking.id, ticket_type_id, scan)?;
    let holder = holder(admitted_count(db, booking.id)?);
    let outcome = match booking.status {
        _ if is_admitted => ScanOutcome::Admitted(holder),
        BookingStatus::Held | BookingStatus::Expired => ScanOutcome::Unknown,
        _ if !is_here => ScanOutcome::OtherEvent(holder, event),
        BookingStatus::Canceled => ScanOutcome::Canceled(holder),
        BookingStatus::Confirmed => match find(db, booking.id, seat)? {
            Some(admission) if admission.is_same_person(scan) => {
                ScanOutcome::AdmittedBefore(holder, admission)
            }
            Some(admission) => ScanOutcome::Used(holder, admission),
            None if is_returned(db, booking.id, seat)? => ScanOutcome::Returned(holder),
            None => ScanOutcome::NotToday(holder, event),
        },
    };
    record(db, scan, Some(booking.id), outcome)
}

/// How many of a booking's tickets are admitted.
pub fn admitted_count(db: &mut Db, booking_id: i64) -> QueryResult<i64> {
    used_tickets::table
        .filter(used_tickets::booking_id.eq(booking_id))
        .filter(used_tickets::state.eq(ADMITTED))
        .count()
        .get_result(db)
}

/// Reads the booking, and locks it until the end of the transaction. It cannot be canceled meanwhile, and
/// gates that scan tickets of one booking count them one after the other. SQLite's write transactions are
/// exclusive anyway.
fn lock(db: &mut Db, id: i64) -> QueryResult<Option<Booking>> {
    let booking = bookings::table.find(id);
    let row = match db {
        Db::Postgres(pg) => {
            booking.select(BookingRow::as_select()).for_no_key_update().get_result(pg).optional()?
        }
        Db::Sqlite(sqlite) => booking.select(BookingRow::as_select()).get_result(sqlite).optional()?,
    };
    Ok(with_lines(db, row.into_iter().collect())?.pop())
}

/// Returns false if the ticket was admitted or returned before.
fn insert(db: &mut Db, booking_id: i64, ticket_type_id: i64, scan: &Scan) -> QueryResult<bool> {
    let admission = diesel::insert_into(used_tickets::table)
        .values((
            used_tickets::booking_id.eq(booking_id),
            used_tickets::seat.eq(scan.code.seat),
            used_tickets::ticket_type_id.eq(ticket_type_id),
            used_tickets::state.eq(ADMITTED),
            used_tickets::gate.eq(&scan.place.gate),
            used_tickets::actor.eq(&scan.place.actor.name),
            used_tickets::used_at.eq(scan.at),
        ))
        .on_conflict_do_nothing();
    let inserted = on_either!(db, connection => admission.execute(connection)?);
    Ok(inserted > 0)
}

/// Records the decision in the history and, if it is a refusal, among the refusals.
fn record(
    db: &mut Db,
    scan: &Scan,
    booking_id: Option<i64>,
    outcome: ScanOutcome,
) -> QueryResult<ScanOutcome> {
    let Some(decision) = outcome.decision() else { return Ok(outcome) };
    let ticket = ticket_label(&scan.code.reference, scan.code.seat);
    let is_new = history::record(db, scan, booking_id, &ticket, decision)?;
    if is_new && decision.is_refusal() {
        refuse(db, &scan.place, &ticket, decision, scan.at)?;
    }
    if decision == ScanDecision::Admitted && scan.by_hand {
        let day = if scan.any_day { ", not on the concert's day" } else { "" };
        let subject = format!("{ticket}, in through {}{day}", scan.place.gate);
        audit::store::record(db, &scan.place.actor, Action::AdmittedByHand, &subject, 1)?;
    }
    Ok(outcome)
}

/// Records the scan of a code that this site did not make.
pub fn refuse_unknown(db: &mut Db, scan: &history::UnknownScan) -> QueryResult<()> {
    if history::record_unknown(db, scan)? {
        refuse(db, &scan.place, &scan.typed, ScanDecision::Unknown, scan.at)?;
    }
    Ok(())
}

fn refuse(
    db: &mut Db,
    place: &Place,
    ticket: &str,
    decision: ScanDecision,
    at: NaiveDateTime,
) -> QueryResult<()> {
    diesel::insert_into(refusals::table)
        .values((
            refusals::event_id.eq(place.event.id),
            refusals::ticket.eq(ticket),
            refusals::reason.eq(decision.as_str()),
            refusals::gate.eq(&place.gate),
            refusals::actor.eq(&place.actor.name),
            refusals::refused_at.eq(at),
        ))
        .execute(db)?;
    Ok(())
}

/// When and where the ticket was admitted; `None` if it was not admitted, or was given back.
fn find(db: &mut Db, booking_id: i64, seat: i32) -> QueryResult<Option<Admission>> {
    used_tickets::table
        .filter(used_tickets::booking_id.eq(booking_id))
        .filter(used_tickets::seat.eq(seat))
        .filter(used_tickets::state.eq(ADMITTED))
        .select(Admission::as_select())
        .first(db)
        .optional()
}

fn is_returned(db: &mut Db, booking_id: i64, seat: i32) -> QueryResult<bool> {
    let used = used_tickets::table
        .filter(used_tickets::booking_id.eq(booking_id))
        .filter(used_tickets::seat.eq(seat));
    let count: i64 = used.filter(used_tickets::state.ne(ADMITTED)).count().get_result(db)?;
    Ok(count > 0)
}

/// Undoes an admission, as if the ticket had not been scanned, and records that in the audit log. `None` if
/// the ticket was not admitted.
pub fn revoke(
    db: &mut Db,
    place: &Place,
    booking_id: i64,
    seat: i32,
    now: NaiveDateTime,
) -> QueryResult<Option<Holder>> {
    let Some(booking) = lock(db, booking_id)? else { return Ok(None) };
    let Some(earlier) = find(db, booking.id, seat)? else { return Ok(None) };
    let admission = used_tickets::table
        .filter(used_tickets::booking_id.eq(booking.id))
        .filter(used_tickets::seat.eq(seat))
        .filter(used_tickets::state.eq(ADMITTED));
    diesel::delete(admission).execute(db)?;
    history::undo(db, booking.id, seat, now)?;
    let (gate, at) = (&earlier.gate, earlier.admitted_at.format("%F %T"));
    let subject = format!("{}, in through {gate} at {at} UTC", ticket_label(&booking.reference, seat));
    audit::store::record(db, &place.actor, Action::AdmissionRevoked, &subject, 1)?;
    let id = booking.ticket_type_of_seat(seat).unwrap_or_default();
    let ticket_type = ticket_types::table.find(id).select(TicketType::as_select()).first(db)?;
    let admitted = admitted_count(db, booking.id)?;
    let online = paid_online(db, &[booking.id])?.pop().map(|(_, online)| online);
    Ok(Some(Holder::new(&booking, seat, &ticket_type, admitted, online.as_ref())))
}

/// The same for gate staff, who may undo their own last scan alone.
pub fn revoke_last(
    db: &mut Db,
    place: &Place,
    scan_id: i64,
    now: NaiveDateTime,
) -> QueryResult<Option<Holder>> {
    match history::last_admission(db, place)? {
        Some(last) if last.id == scan_id => revoke(db, place, last.booking_id, last.seat, now),
        _ => Ok(None),
    }
}

/// Forgets what a concert's gates have decided, for a sale that starts again; admissions go with their
/// bookings.
pub fn forget_scans(db: &mut Db, slug: &str) -> QueryResult<()> {
    let event: Option<i64> =
        events::table.filter(events::slug.eq(slug)).select(events::id).first(db).optional()?;
    if let Some(id) = event {
        diesel::delete(refusals::table.filter(refusals::event_id.eq(id))).execute(db)?;
        history::forget(db, id)?;
    }
    Ok(())
}

fn ticket_label(reference: &str, seat: i32) -> String {
    format!("{reference} ticket {seat}")
}
