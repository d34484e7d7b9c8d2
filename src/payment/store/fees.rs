//! The SQL of what the provider keeps, where it says so later than that a payment was paid.

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;

use super::due::take_payments;
use super::ledger::{EntryKind, LedgerEntry, enter};
use super::lock;
use crate::db::{Db, clock};
use crate::payment::{Payment, PaymentState};
use crate::schema::payments;

/// The first look after the payment. The provider usually knows within a minute.
pub(super) const FIRST_LOOK: TimeDelta = TimeDelta::minutes(1);
/// Each further look comes so many times later. The eighth is the last, after some two weeks: a fee in another currency
/// is never known in the payment's.
const TIMES: i32 = 5;
const LOOKS_MAX: i32 = 8;

const TAKE_POSTGRES: &str = "
    UPDATE payments SET due_at = $1, attempts = attempts + 1 WHERE id = ANY (ARRAY (
        SELECT id FROM payments WHERE state = 'paid' AND fee_minor IS NULL AND attempts < 8 AND live = $4
        AND due_at <= $2 ORDER BY due_at, id LIMIT $3 FOR UPDATE SKIP LOCKED
    )) RETURNING id";
const TAKE_SQLITE: &str = "
    UPDATE payments SET due_at = ?1, attempts = attempts + 1 WHERE id IN (
        SELECT id FROM payments WHERE state = 'paid' AND fee_minor IS NULL AND attempts < 8 AND live = ?4
        AND due_at <= ?2 ORDER BY due_at, id LIMIT ?3
    ) RETURNING id";

/// Whether a payment is due whose fee is not known.
///
/// # Errors
/// What the database said.
pub fn is_any_due(db: &mut Db, live: bool, now: NaiveDateTime) -> QueryResult<bool> {
    let due = payments::table
        .filter(payments::state.eq(PaymentState::Paid))
        .filter(payments::fee_minor.is_null())
        .filter(payments::attempts.lt(LOOKS_MAX))
        .filter(payments::live.eq(live))
        .filter(payments::due_at.le(now))
        .order(payments::due_at);
    Ok(due.select(payments::id).first::<i64>(db).optional()?.is_some())
}

/// Takes payments whose fee is not known.
///
/// # Errors
/// What the database said.
pub fn take(
    db: &mut Db,
    limit: i64,
    live: bool,
    times: (NaiveDateTime, NaiveDateTime),
) -> QueryResult<Vec<Payment>> {
    take_payments(db, [TAKE_POSTGRES, TAKE_SQLITE], limit, live, times)
}

/// Enters a fee, once.
///
/// # Errors
/// What the database said.
pub fn found(db: &mut Db, payment: &Payment, fee_minor: i64) -> QueryResult<()> {
    let now = clock(db)?;
    if lock(db, payment.id)?.is_none() {
        return Ok(());
    }
    let unknown = payments::table.find(payment.id).filter(payments::fee_minor.is_null());
    if diesel::update(unknown).set(payments::fee_minor.eq(fee_minor)).execute(db)? == 0 || fee_minor <= 0 {
        return Ok(());
    }
    let provider_id = payment.intent_id.as_deref().unwrap_or_default();
    let entry = LedgerEntry { kind: EntryKind::Fee, refund_id: None, amount_minor: fee_minor, provider_id };
    enter(db, payment, &entry, now)
}

/// It is not known yet: to be asked again, ever later.
///
/// # Errors
/// What the database said.
pub fn look_later(db: &mut Db, payment: &Payment) -> QueryResult<()> {
    let times = TIMES.saturating_pow(payment.attempts.clamp(0, LOOKS_MAX).unsigned_abs());
    let later = clock(db)? + FIRST_LOOK * times;
    let own = payments::table.find(payment.id).filter(payments::due_at.eq(payment.due_at));
    diesel::update(own).set(payments::due_at.eq(later)).execute(db)?;
    Ok(())
}
