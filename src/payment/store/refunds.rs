//! The SQL of refunds. `payments.refunded_minor` and its CHECK decide: however many ask at the same time, no more goes
//! back than came.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::due::{TakenId, take_due};
use super::ledger::{EntryKind, LedgerEntry, enter};
use super::lock;
use crate::booking::new_token;
use crate::db::{Db, clock};
use crate::payment::{Payment, PaymentState, Refund, RefundSource, RefundState};
use crate::schema::{payments, refunds};

const TAKE_POSTGRES: &str = "
    UPDATE refunds SET due_at = $1, attempts = attempts + 1
    WHERE id = ANY (ARRAY (
        SELECT id FROM refunds WHERE state IN ('wanted', 'pending') AND source <> 'dispute' AND due_at <= $2
        AND EXISTS (SELECT 1 FROM payments p WHERE p.id = refunds.payment_id AND p.live = $4)
        ORDER BY due_at, id LIMIT $3 FOR UPDATE SKIP LOCKED
    )) RETURNING id";
const TAKE_SQLITE: &str = "
    UPDATE refunds SET due_at = ?1, attempts = attempts + 1
    WHERE id IN (SELECT id FROM refunds WHERE state IN ('wanted', 'pending') AND source <> 'dispute' AND due_at <= ?2
                 AND EXISTS (SELECT 1 FROM payments p WHERE p.id = refunds.payment_id AND p.live = ?4)
                 ORDER BY due_at, id LIMIT ?3)
    RETURNING id";

/// A refund to be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewRefund<'a> {
    pub source: RefundSource,
    pub amount_minor: i64,
    /// With spaces between them; empty: all of the booking, or an amount.
    pub seats: &'a str,
    pub reason: &'a str,
    /// Who asks for it; empty: the buyer, or nobody.
    pub actor: &'a str,
}

/// Asks for a refund. Returns its id; `None`: not enough of the payment is left. Runs inside the transaction
/// that causes the refund.
pub fn want_refund(db: &mut Db, payment: &Payment, wanted: &NewRefund<'_>) -> QueryResult<Option<i64>> {
    if wanted.amount_minor <= 0 || !takes(db, payment.id, wanted.amount_minor)? {
        return Ok(None);
    }
    let now = clock(db)?;
    diesel::insert_into(refunds::table)
        .values((
            refunds::payment_id.eq(payment.id),
            refunds::source.eq(wanted.source),
            refunds::amount_minor.eq(wanted.amount_minor),
            refunds::seats.eq(wanted.seats),
            refunds::reason.eq(wanted.reason),
            refunds::actor.eq(wanted.actor),
            refunds::idempotency_key.eq(new_token()),
            refunds::wanted_at.eq(now),
            refunds::due_at.eq(now),
        ))
        .returning(refunds::id)
        .get_result(db)
        .map(Some)
}

/// Takes an amount from what is left of a payment; whether so much was left.
fn takes(db: &mut Db, payment_id: i64, amount_minor: i64) -> QueryResult<bool> {
    let left = payments::table
        .find(payment_id)
        .filter(payments::state.eq(PaymentState::Paid))
        .filter((payments::refunded_minor + amount_minor).le(payments::amount_minor));
    let taken =
        diesel::update(left).set(payments::refunded_minor.eq(payments::refunded_minor + amount_minor));
    Ok(taken.execute(db)? == 1)
}

/// Whether a refund is due.
pub fn is_any_due(db: &mut Db, live: bool, now: NaiveDateTime) -> QueryResult<bool> {
    let due = refunds::table
        .inner_join(payments::table)
        .filter(payments::live.eq(live))
        .filter(refunds::state.eq_any([RefundState::Wanted, RefundState::Pending]))
        .filter(refunds::source.ne(RefundSource::Dispute))
        .filter(refunds::due_at.le(now))
        .order(refunds::due_at);
    Ok(due.select(refunds::id).first::<i64>(db).optional()?.is_some())
}

/// Takes refunds that are due, each with its payment.
pub fn take(
    db: &mut Db,
    limit: i64,
    live: bool,
    times: (NaiveDateTime, NaiveDateTime),
) -> QueryResult<Vec<(Refund, Payment)>> {
    let taken: Vec<TakenId> = take_due(db, [TAKE_POSTGRES, TAKE_SQLITE], limit, live, times)?;
    let ids: Vec<i64> = taken.into_iter().map(|it| it.id).collect();
    refunds::table
        .inner_join(payments::table)
        .filter(refunds::id.eq_any(ids))
        .order(refunds::id)
        .select((Refund::as_select(), Payment::as_select()))
        .load(db)
}

/// The refunds of a payment, the newest first.
pub fn of_payment(db: &mut Db, payment_id: i64) -> QueryResult<Vec<Refund>> {
    refunds::table
        .filter(refunds::payment_id.eq(payment_id))
        .order(refunds::id.desc())
        .select(Refund::as_select())
        .load(db)
}

/// The provider has accepted a refund. The money counts as gone from here on, also while a bank takes its days.
/// `is_done`: whether it has arrived.
pub fn accepted(
    db: &mut Db,
    refund: &Refund,
    provider_id: &str,
    is_done: bool,
    due_at: NaiveDateTime,
) -> QueryResult<()> {
    let now = clock(db)?;
    let Some(payment) = lock(db, refund.payment_id)? else { return Ok(()) };
    let state = if is_done { RefundState::Done } else { RefundState::Pending };
    let own = refunds::table.find(refund.id).filter(refunds::state.eq(refund.state));
    let changed = diesel::update(own)
        .set((
            refunds::state.eq(state),
            refunds::refund_id.eq(provider_id),
            refunds::done_at.eq(is_done.then_some(now)),
            refunds::due_at.eq(due_at),
            refunds::last_error.eq(None::<String>),
        ))
        .execute(db)?;
    if changed == 1 && refund.state == RefundState::Wanted {
        let entry = LedgerEntry {
            kind: EntryKind::Refund,
            refund_id: Some(refund.id),
            amount_minor: refund.amount_minor,
            provider_id,
        };
        enter(db, &payment, &entry, now)?;
    }
    Ok(())
}

/// A refund will not happen, or did not arrive, or a dispute is won: its amount is the payment's again, and where the
/// provider had accepted it, the ledger says that it came back.
pub fn failed(db: &mut Db, refund: &Refund, why: &str) -> QueryResult<()> {
    let now = clock(db)?;
    // Payments before refunds, as everywhere.
    let Some(payment) = lock(db, refund.payment_id)? else { return Ok(()) };
    let counted = refund.amount_minor - refund.beyond_minor;
    diesel::update(payments::table.find(payment.id))
        .set(payments::refunded_minor.eq(payments::refunded_minor - counted))
        .execute(db)?;
    let own = refunds::table.find(refund.id).filter(refunds::state.eq(refund.state));
    let changed = diesel::update(own)
        .set((refunds::state.eq(RefundState::Failed), refunds::done_at.eq(now), refunds::last_error.eq(why)))
        .execute(db)?;
    if changed == 0 {
        return Err(diesel::result::Error::RollbackTransaction);
    }
    if refund.state == RefundState::Pending || refund.state == RefundState::Done {
        let is_dispute = refund.source == RefundSource::Dispute;
        let entry = LedgerEntry {
            kind: if is_dispute { EntryKind::DisputeWon } else { EntryKind::RefundFailed },
            refund_id: Some(refund.id),
            amount_minor: refund.amount_minor,
            provider_id: refund.refund_id.as_deref().unwrap_or_default(),
        };
        enter(db, &payment, &entry, now)?;
    }
    Ok(())
}

/// Postpones a refund to that time. The next request has the same key.
pub fn put_off(db: &mut Db, refund: &Refund, due_at: NaiveDateTime, why: Option<&str>) -> QueryResult<()> {
    let own = refunds::table.find(refund.id).filter(refunds::due_at.eq(refund.due_at));
    diesel::update(own).set((refunds::due_at.eq(due_at), refunds::last_error.eq(why))).execute(db)?;
    Ok(())
}

/// The provider has refused the refund or has failed, and another request may succeed later. For a day, the
/// provider repeats its answer to this key, so the next request has a new key.
pub fn try_again(db: &mut Db, refund: &Refund, due_at: NaiveDateTime, why: &str) -> QueryResult<()> {
    let own = refunds::table.find(refund.id).filter(refunds::due_at.eq(refund.due_at));
    diesel::update(own)
        .set((
            refunds::due_at.eq(due_at),
            refunds::last_error.eq(why),
            refunds::idempotency_key.eq(new_token()),
        ))
        .execute(db)?;
    Ok(())
}
