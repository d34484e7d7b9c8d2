//! The SQL of the provider's fees. Some become known only after the payment was noted as paid: the provider
//! is asked for those again.

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;

use super::due::take_payments;
use super::ledger::enter_fee;
use super::lock;
use crate::db::{Db, clock};
use crate::money::Money;
use crate::payment::{Payment, PaymentState};
use crate::schema::{ledger, payments};

/// The first look after the payment. The provider usually knows within a minute.
pub(super) const FIRST_LOOK: TimeDelta = TimeDelta::minutes(1);
/// The wait before each further look is this many times longer: 5 minutes, 25 minutes, and so on. The seventh
/// look comes after some two weeks, and the eighth, the last one, some 68 days after the payment.
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
pub fn take(
    db: &mut Db,
    limit: i64,
    live: bool,
    times: (NaiveDateTime, NaiveDateTime),
) -> QueryResult<Vec<Payment>> {
    take_payments(db, [TAKE_POSTGRES, TAKE_SQLITE], limit, live, times)
}

/// What `payments.fee_minor` says once the fee is known, so that nobody asks for it again: the fee, or 0 if
/// the provider's account has another currency than the payment. The ledger has the fee in its own currency.
pub(super) fn noted(payment: &Payment, fee: &Money) -> i64 {
    if fee.currency == payment.currency { fee.minor } else { 0 }
}

/// Enters what the provider keeps of a payment, once. `intent_id`: the provider's name for the payment.
pub(super) fn enter_own(
    db: &mut Db,
    payment: &Payment,
    fee: &Money,
    intent_id: &str,
    now: NaiveDateTime,
) -> QueryResult<()> {
    enter_fee(db, payment, (&format!("of {}", payment.id), fee, intent_id), now)
}

/// The fee of a payment has become known.
pub fn found(db: &mut Db, payment: &Payment, fee: &Money) -> QueryResult<()> {
    let now = clock(db)?;
    if lock(db, payment.id)?.is_none() {
        return Ok(());
    }
    let unknown = payments::table.find(payment.id).filter(payments::fee_minor.is_null());
    if diesel::update(unknown).set(payments::fee_minor.eq(noted(payment, fee))).execute(db)? == 0 {
        return Ok(());
    }
    enter_own(db, payment, fee, payment.intent_id.as_deref().unwrap_or_default(), now)
}

/// Enters what the provider keeps for a dispute of a payment, and what it gives back of that, each once. `fees`: with
/// the provider's names.
pub fn of_dispute(db: &mut Db, payment: &Payment, fees: &[(&str, Money)]) -> QueryResult<()> {
    let now = clock(db)?;
    if lock(db, payment.id)?.is_none() {
        return Ok(());
    }
    for &(id, ref fee) in fees {
        let entered =
            ledger::table.filter(ledger::payment_id.eq(payment.id)).filter(ledger::provider_id.eq(id));
        if entered.filter(ledger::booking_id.eq(payment.booking_id)).count().get_result::<i64>(db)? == 0 {
            enter_fee(db, payment, (id, fee, id), now)?;
        }
    }
    Ok(())
}

/// The fee is not known yet. Each further wait is longer.
pub fn look_later(db: &mut Db, payment: &Payment) -> QueryResult<()> {
    let times = TIMES.saturating_pow(payment.attempts.clamp(0, LOOKS_MAX).unsigned_abs());
    let later = clock(db)? + FIRST_LOOK * times;
    let own = payments::table.find(payment.id).filter(payments::due_at.eq(payment.due_at));
    diesel::update(own).set(payments::due_at.eq(later)).execute(db)?;
    Ok(())
}
