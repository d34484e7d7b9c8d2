//! The SQL of decided scans: what a gate has done lately, which scans were sent twice, and which were refused after
//! the staff had to decide without an answer.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::ADMITTED;
use crate::booking::PlacedBooking;
use crate::booking::store::BookingRow;
use crate::db::{Db, on_either};
use crate::schema::{bookings, scans, used_tickets};
use crate::tickets::attendance::{Conflict, PastScan};
use crate::tickets::scan::{Holder, Place, Scan, ScanDecision};

/// How many conflicts are listed.
const CONFLICTS: i64 = 50;

/// A scan of a code that this site did not make.
#[derive(Debug, Clone)]
pub struct UnknownScan {
    pub place: Place,
    pub key: Option<String>,
    /// The start of what was typed.
    pub typed: String,
    /// UTC.
    pub at: NaiveDateTime,
    /// UTC.
    pub decided_at: NaiveDateTime,
    pub was_unconfirmed: bool,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = scans)]
struct ScanRow {
    id: i64,
    gate: String,
    booking_id: Option<i64>,
    seat: Option<i32>,
    ticket: String,
    outcome: ScanDecision,
    by_hand: bool,
    scanned_at: NaiveDateTime,
    undone_at: Option<NaiveDateTime>,
}

#[derive(Insertable)]
#[diesel(table_name = scans)]
struct NewScan<'a> {
    event_id: i64,
    gate_id: Option<i64>,
    gate: &'a str,
    actor: &'a str,
    scan_key: Option<&'a str>,
    booking_id: Option<i64>,
    seat: Option<i32>,
    ticket: &'a str,
    outcome: ScanDecision,
    by_hand: bool,
    was_unconfirmed: bool,
    scanned_at: NaiveDateTime,
    decided_at: NaiveDateTime,
}

/// An admission of a gate.
pub struct LastAdmission {
    pub id: i64,
    pub booking_id: i64,
    pub seat: i32,
}

/// Whether the same scan has admitted this ticket before, and if so, whether that was undone.
pub fn admission_by_the_same_scan(db: &mut Db, scan: &Scan, booking_id: i64) -> QueryResult<Option<bool>> {
    let Some(key) = &scan.key else { return Ok(None) };
    let undone_at: Option<Option<NaiveDateTime>> = scans::table
        .filter(scans::scan_key.eq(key))
        .filter(scans::booking_id.eq(booking_id))
        .filter(scans::seat.eq(scan.code.seat))
        .filter(scans::outcome.eq(ScanDecision::Admitted))
        .select(scans::undone_at)
        .first(db)
        .optional()?;
    Ok(undone_at.map(|at| at.is_some()))
}

/// Records a decision. Returns whether the scan is new.
pub fn record(
    db: &mut Db,
    scan: &Scan,
    booking_id: Option<i64>,
    ticket: &str,
    decision: ScanDecision,
) -> QueryResult<bool> {
    let Scan { place, key, at, decided_at, was_unconfirmed, by_hand, .. } = scan;
    if let (ScanDecision::Admitted, Some(booking_id)) = (decision, booking_id) {
        // A release that does not know this table may have undone an earlier admission.
        undo(db, booking_id, scan.code.seat, *decided_at)?;
    }
    let row = NewScan {
        event_id: place.event.id,
        gate_id: place.gate_id,
        gate: &place.gate,
        actor: &place.actor.name,
        scan_key: key.as_deref(),
        booking_id,
        seat: booking_id.map(|_| scan.code.seat),
        ticket,
        outcome: decision,
        by_hand: *by_hand,
        was_unconfirmed: *was_unconfirmed,
        scanned_at: *at,
        decided_at: *decided_at,
    };
    insert(db, row)
}

/// The same for a code that this site did not make.
pub fn record_unknown(db: &mut Db, scan: &UnknownScan) -> QueryResult<bool> {
    let row = NewScan {
        event_id: scan.place.event.id,
        gate_id: scan.place.gate_id,
        gate: &scan.place.gate,
        actor: &scan.place.actor.name,
        scan_key: scan.key.as_deref(),
        booking_id: None,
        seat: None,
        ticket: &scan.typed,
        outcome: ScanDecision::Unknown,
        by_hand: false,
        was_unconfirmed: scan.was_unconfirmed,
        scanned_at: scan.at,
        decided_at: scan.decided_at,
    };
    insert(db, row)
}

fn insert(db: &mut Db, mut row: NewScan) -> QueryResult<bool> {
    if let Some(key) = row.scan_key {
        let known: Option<(i64, String)> = scans::table
            .filter(scans::scan_key.eq(key))
            .select((scans::id, scans::ticket))
            .first(db)
            .optional()?;
        match known {
            Some((id, ticket)) if ticket == row.ticket => {
                let decided = (scans::outcome.eq(row.outcome), scans::decided_at.eq(row.decided_at));
                diesel::update(scans::table.find(id)).set(decided).execute(db)?;
                return Ok(false);
            }
            // The same form again, with another ticket: that is another scan, without a key.
            Some(_) => row.scan_key = None,
            None => {}
        }
    }
    let insertion = diesel::insert_into(scans::table).values(row).on_conflict_do_nothing();
    let inserted = on_either!(db, connection => insertion.execute(connection)?);
    Ok(inserted > 0)
}

/// Marks the scans that admitted a ticket as undone.
pub fn undo(db: &mut Db, booking_id: i64, seat: i32, now: NaiveDateTime) -> QueryResult<()> {
    let admissions = scans::table
        .filter(scans::booking_id.eq(booking_id))
        .filter(scans::seat.eq(seat))
        .filter(scans::outcome.eq(ScanDecision::Admitted))
        .filter(scans::undone_at.is_null());
    diesel::update(admissions).set(scans::undone_at.eq(now)).execute(db)?;
    Ok(())
}

/// The last ticket that a gate's link, or an account at that gate, has admitted; `None` also when that was undone.
pub fn last_admission(db: &mut Db, place: &Place) -> QueryResult<Option<LastAdmission>> {
    let mut own = scans::table
        .filter(scans::event_id.eq(place.event.id))
        .filter(scans::gate.eq(&place.gate))
        .filter(scans::outcome.eq(ScanDecision::Admitted))
        .into_boxed();
    own = match place.gate_id {
        Some(id) => own.filter(scans::gate_id.eq(id)),
        None => own.filter(scans::gate_id.is_null()).filter(scans::actor.eq(&place.actor.name)),
    };
    let row: Option<ScanRow> = own
        .order((scans::scanned_at.desc(), scans::id.desc()))
        .select(ScanRow::as_select())
        .first(db)
        .optional()?;
    let last = row
        .filter(|row| row.undone_at.is_none())
        .and_then(|row| Some(LastAdmission { id: row.id, booking_id: row.booking_id?, seat: row.seat? }));
    Ok(last)
}

/// What a gate has decided lately, the newest first, at most `limit`.
pub fn latest(db: &mut Db, place: &Place, limit: i64) -> QueryResult<Vec<PastScan>> {
    let rows: Vec<ScanRow> = scans::table
        .filter(scans::event_id.eq(place.event.id))
        .filter(scans::gate.eq(&place.gate))
        .order((scans::scanned_at.desc(), scans::id.desc()))
        .limit(limit)
        .select(ScanRow::as_select())
        .load(db)?;
    with_holders(db, rows)
}

/// The scans of a concert that were refused after the staff had to decide without an answer, the newest first.
pub fn conflicts(db: &mut Db, event_id: i64) -> QueryResult<Vec<Conflict>> {
    let rows: Vec<ScanRow> = scans::table
        .filter(scans::event_id.eq(event_id))
        .filter(scans::was_unconfirmed)
        .filter(scans::outcome.ne(ScanDecision::Admitted))
        .order((scans::scanned_at.desc(), scans::id.desc()))
        .limit(CONFLICTS)
        .select(ScanRow::as_select())
        .load(db)?;
    let ids: Vec<i64> = rows.iter().filter_map(|row| row.booking_id).collect();
    let admitted: Vec<(i64, i32, String, NaiveDateTime)> = used_tickets::table
        .filter(used_tickets::booking_id.eq_any(ids))
        .filter(used_tickets::state.eq(ADMITTED))
        .select((used_tickets::booking_id, used_tickets::seat, used_tickets::gate, used_tickets::used_at))
        .load(db)?;
    let tickets: Vec<_> = rows.iter().map(|row| row.booking_id.zip(row.seat)).collect();
    let conflict = |(scan, ticket): (PastScan, Option<(i64, i32)>)| {
        let first = admitted.iter().find(|(booking_id, seat, ..)| ticket == Some((*booking_id, *seat)));
        Conflict { scan, first: first.map(|(_, _, gate, at)| (gate.clone(), *at)) }
    };
    Ok(with_holders(db, rows)?.into_iter().zip(tickets).map(conflict).collect())
}

fn with_holders(db: &mut Db, rows: Vec<ScanRow>) -> QueryResult<Vec<PastScan>> {
    let mut ids: Vec<i64> = rows.iter().filter_map(|row| row.booking_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let found = bookings::table.filter(bookings::id.eq_any(ids)).select(BookingRow::as_select()).load(db)?;
    let placed = crate::booking::store::place(db, found)?;
    let placed: HashMap<i64, PlacedBooking> = placed.into_iter().map(|it| (it.booking.id, it)).collect();
    let past = |row: ScanRow| {
        let booking = row.booking_id.and_then(|id| placed.get(&id));
        PastScan {
            id: row.id,
            at: row.scanned_at,
            gate: row.gate,
            decision: row.outcome,
            ticket: row.ticket,
            holder: booking.zip(row.seat).and_then(|(placed, seat)| Holder::of_seat(placed, seat, 0)),
            by_hand: row.by_hand,
            is_undone: row.undone_at.is_some(),
        }
    };
    Ok(rows.into_iter().map(past).collect())
}

/// Forgets the scans of a concert.
pub fn forget(db: &mut Db, event_id: i64) -> QueryResult<()> {
    diesel::delete(scans::table.filter(scans::event_id.eq(event_id))).execute(db)?;
    Ok(())
}
