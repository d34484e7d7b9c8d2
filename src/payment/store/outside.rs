//! The SQL of refunds and disputes that began at the provider, and of what became of them there.

use diesel::prelude::*;

use super::ledger::{EntryKind, LedgerEntry, enter};
use super::lock;
use super::mails::mail_buyer;
use super::refunds::failed;
use crate::db::{Db, clock};
use crate::money::Money;
use crate::outbox::MailKind;
use crate::payment::{Payment, PaymentState, Refund, RefundSource, RefundState};
use crate::schema::{payments, refunds};

/// Money that went back, as the provider says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideRefund<'a> {
    pub source: RefundSource,
    /// Pending or done.
    pub state: RefundState,
    pub provider_id: &'a str,
    pub amount_minor: i64,
    pub reason: &'a str,
}

/// Notes a refund or a dispute that began at the provider, once, and queues a mail to the buyer about a refund. Returns
/// false, to be tried again later, if the payment is not paid, or if the amount is more than is left while a refund of
/// this site still has to be requested.
///
/// An amount beyond what is left of the payment is noted too, in `beyond_minor`: `techkraft verify` reports
/// it.
pub fn note_outside(db: &mut Db, payment_id: i64, found: &OutsideRefund<'_>) -> QueryResult<bool> {
    let Some(payment) = lock(db, payment_id)?.filter(|it| it.state == PaymentState::Paid) else {
        return Ok(false);
    };
    if find_by_provider(db, found.provider_id)?.is_some() {
        return Ok(true);
    }
    let counted = found.amount_minor.min(payment.amount_minor - payment.refunded_minor);
    if counted < found.amount_minor && is_any_wanted(db, payment.id)? {
        return Ok(false);
    }
    let now = clock(db)?;
    diesel::update(payments::table.find(payment.id))
        .set(payments::refunded_minor.eq(payments::refunded_minor + counted))
        .execute(db)?;
    let id: i64 = diesel::insert_into(refunds::table)
        .values((
            refunds::payment_id.eq(payment.id),
            refunds::source.eq(found.source),
            refunds::state.eq(found.state),
            refunds::amount_minor.eq(found.amount_minor),
            refunds::beyond_minor.eq(found.amount_minor - counted),
            refunds::reason.eq(found.reason),
            refunds::idempotency_key.eq(format!("outside {}", found.provider_id)),
            refunds::refund_id.eq(found.provider_id),
            refunds::wanted_at.eq(now),
            refunds::done_at.eq((found.state == RefundState::Done).then_some(now)),
            refunds::due_at.eq(now),
        ))
        .returning(refunds::id)
        .get_result(db)?;
    let kind = match found.source {
        RefundSource::Dispute => EntryKind::Dispute,
        _ => EntryKind::Refund,
    };
    let (amount_minor, provider_id) = (found.amount_minor, found.provider_id);
    enter(db, &payment, &LedgerEntry { kind, refund_id: Some(id), amount_minor, provider_id }, now)?;
    if found.source == RefundSource::Outside {
        let amount = Money::new(amount_minor, &payment.currency);
        mail_buyer(db, payment.booking_id, MailKind::Refund, format!("refund {id}"), amount.to_string())?;
    }
    if counted < found.amount_minor {
        log::error!("more went back than was paid: refund {id} of payment {}", payment.id);
    }
    Ok(true)
}

/// The refund or dispute that has this id at the provider.
pub fn find_by_provider(db: &mut Db, provider_id: &str) -> QueryResult<Option<Refund>> {
    refunds::table.filter(refunds::refund_id.eq(provider_id)).select(Refund::as_select()).first(db).optional()
}

fn is_any_wanted(db: &mut Db, payment_id: i64) -> QueryResult<bool> {
    let wanted = refunds::table
        .filter(refunds::payment_id.eq(payment_id))
        .filter(refunds::state.eq(RefundState::Wanted))
        .select(refunds::id);
    Ok(wanted.first::<i64>(db).optional()?.is_some())
}

/// A refund that was accepted, and perhaps counted as done, did not arrive. If the refund was never noted,
/// there is nothing to undo.
pub fn refund_failed_at_provider(
    db: &mut Db,
    payment: &Payment,
    provider_id: &str,
    why: &str,
) -> QueryResult<()> {
    let Some(payment) = lock(db, payment.id)? else { return Ok(()) };
    match find_by_provider(db, provider_id)? {
        Some(refund) if matches!(refund.state, RefundState::Pending | RefundState::Done) => {
            log::error!("a refund did not arrive: refund {} of payment {}", refund.id, payment.id);
            failed(db, &refund, why)
        }
        _ => Ok(()),
    }
}

/// A dispute is decided: the payment keeps its money, or loses it for good.
pub fn dispute_decided(db: &mut Db, payment: &Payment, provider_id: &str, is_won: bool) -> QueryResult<()> {
    if lock(db, payment.id)?.is_none() {
        return Ok(());
    }
    match find_by_provider(db, provider_id)? {
        Some(dispute) if is_won && dispute.state != RefundState::Failed => {
            // The money did not go back to the buyer.
            failed(db, &dispute, "The dispute was won.")
        }
        Some(dispute) if !is_won && dispute.state == RefundState::Pending => {
            let now = clock(db)?;
            diesel::update(refunds::table.find(dispute.id))
                .set((refunds::state.eq(RefundState::Done), refunds::done_at.eq(now)))
                .execute(db)?;
            Ok(())
        }
        _ => Ok(()),
    }
}
