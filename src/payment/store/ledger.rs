//! The SQL of the ledger: every cent that has moved. Entries are only ever added, each act once.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::{Db, text_enum};
use crate::payment::Payment;
use crate::schema::ledger;

text_enum! {
    /// What has moved money.
    EntryKind {
        Payment = "payment",
        Refund = "refund",
        /// It came back.
        RefundFailed = "refund_failed",
        Dispute = "dispute",
        DisputeWon = "dispute_won",
        /// What the provider keeps.
        Fee = "fee",
    }
}

impl EntryKind {
    /// Whether the seller has more afterward.
    const fn is_gain(self) -> bool {
        matches!(self, Self::Payment | Self::RefundFailed | Self::DisputeWon)
    }
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry<'a> {
    pub kind: EntryKind,
    /// `None`: it is about the payment itself.
    pub refund_id: Option<i64>,
    /// More than 0: the kind says which way it goes.
    pub amount_minor: i64,
    pub provider_id: &'a str,
}

/// Adds an entry. The same act a second time is a unique violation: then the whole transaction is wrong.
///
/// # Errors
/// What the database said.
pub fn enter(db: &mut Db, payment: &Payment, entry: &LedgerEntry<'_>, now: NaiveDateTime) -> QueryResult<()> {
    let whose = entry.refund_id.map_or_else(|| format!("of {}", payment.id), |id| id.to_string());
    let signed = if entry.kind.is_gain() { entry.amount_minor } else { -entry.amount_minor };
    diesel::insert_into(ledger::table)
        .values((
            ledger::entry_key.eq(format!("{} {whose}", entry.kind.as_str())),
            ledger::booking_id.eq(payment.booking_id),
            ledger::payment_id.eq(payment.id),
            ledger::refund_id.eq(entry.refund_id),
            ledger::kind.eq(entry.kind),
            ledger::amount_minor.eq(signed),
            ledger::currency.eq(&payment.currency),
            ledger::live.eq(payment.live),
            ledger::provider_id.eq(entry.provider_id),
            ledger::entered_at.eq(now),
        ))
        .execute(db)?;
    Ok(())
}
