//! The SQL of refunds that an organizer asks for, of an amount: tickets stay as they are.

use diesel::QueryResult;

use super::lock;
use super::mails::mail_buyer;
use super::refunds::{NewRefund, want_refund};
use crate::db::Db;
use crate::money::Money;
use crate::outbox::MailKind;
use crate::payment::{PaymentState, RefundSource};

/// What an organizer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedAmount {
    pub payment_id: i64,
    pub amount_minor: i64,
    /// How much had been asked back when the organizer opened the form. If it has changed, nothing is
    /// refunded: so the same form never refunds twice.
    pub refunded_before: i64,
    /// The buyer reads it.
    pub reason: String,
    pub actor: String,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmountRefund {
    /// The provider will be asked for it.
    Wanted,
    /// Something else was refunded meanwhile, or not enough is left.
    Changed,
}

/// Asks for a refund of an amount to the buyer, and queues a mail to them. Runs inside the caller's write
/// transaction.
pub fn refund_amount(db: &mut Db, wanted: &WantedAmount) -> QueryResult<AmountRefund> {
    let Some(payment) = lock(db, wanted.payment_id)?
        .filter(|it| it.state == PaymentState::Paid && it.refunded_minor == wanted.refunded_before)
    else {
        return Ok(AmountRefund::Changed);
    };
    let refund = NewRefund {
        source: RefundSource::Organizer,
        amount_minor: wanted.amount_minor,
        seats: "",
        reason: &wanted.reason,
        actor: &wanted.actor,
    };
    let Some(id) = want_refund(db, &payment, &refund)? else { return Ok(AmountRefund::Changed) };
    let amount = Money::new(wanted.amount_minor, &payment.currency);
    let words = format!("{amount}\n{}", wanted.reason);
    mail_buyer(db, payment.booking_id, MailKind::Refund, format!("refund {id}"), words)?;
    Ok(AmountRefund::Wanted)
}
