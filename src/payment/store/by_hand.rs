//! The SQL of refunds that an organizer asks for, of an amount: tickets stay as they are.

use diesel::prelude::*;

use super::refunds::{NewRefund, want_refund};
use crate::db::Db;
use crate::money::Money;
use crate::outbox::{self, MailKind, NewMail};
use crate::payment::{Payment, PaymentState, RefundSource};
use crate::schema::{bookings, payments, refunds};

/// What an organizer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedAmount {
    pub payment_id: i64,
    pub amount_minor: i64,
    /// What had been asked back when the organizer looked. Otherwise the same form would refund twice.
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
    /// Something else was refunded meanwhile, or as much is not left.
    Changed,
}

/// Wants an amount of a payment back for its buyer, and writes to them. Runs inside the caller's write transaction.
///
/// # Errors
/// What the database said.
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
    if !want_refund(db, &payment, &refund)? {
        return Ok(AmountRefund::Changed);
    }
    mail(db, &payment, wanted)?;
    Ok(AmountRefund::Wanted)
}

fn lock(db: &mut Db, id: i64) -> QueryResult<Option<Payment>> {
    match db {
        Db::Postgres(pg) => {
            payments::table.find(id).select(Payment::as_select()).for_update().first(pg).optional()
        }
        Db::Sqlite(sqlite) => payments::table.find(id).select(Payment::as_select()).first(sqlite).optional(),
    }
}

/// Queues the mail about the newest refund of a payment: its id is what the mail is about.
fn mail(db: &mut Db, payment: &Payment, wanted: &WantedAmount) -> QueryResult<()> {
    let address: Option<Option<String>> =
        bookings::table.find(payment.booking_id).select(bookings::buyer_email).first(db).optional()?;
    if address.flatten().is_none() {
        return Ok(());
    }
    let refund: i64 = refunds::table
        .filter(refunds::payment_id.eq(payment.id))
        .order(refunds::id.desc())
        .select(refunds::id)
        .first(db)?;
    let amount = Money::new(wanted.amount_minor, &payment.currency);
    let mail = NewMail {
        kind: MailKind::Refund,
        booking_id: Some(payment.booking_id),
        dedupe_key: Some(format!("refund {refund}")),
        recipient: None,
        payload: Some(format!("{amount}\n{}", wanted.reason)),
    };
    outbox::store::enqueue(db, &mail)
}
