//! The SQL of the ledger: every cent that has moved. Entries are only ever added, each act once.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::{Db, text_enum};
use crate::money::Money;
use crate::payment::Payment;
use crate::schema::ledger;

text_enum! {
    /// What has moved money.
    EntryKind {
        Payment = "payment",
        Refund = "refund",
        /// A refund did not arrive: the money came back.
        RefundFailed = "refund_failed",
        Dispute = "dispute",
        DisputeWon = "dispute_won",
        /// What the provider keeps.
        Fee = "fee",
        /// What the provider gives back of its fee.
        FeeReturned = "fee_returned",
    }
}

impl EntryKind {
    /// Whether the seller has more afterward.
    const fn is_gain(self) -> bool {
        matches!(self, Self::Payment | Self::RefundFailed | Self::DisputeWon | Self::FeeReturned)
    }
}

/// Adds entries up: what was paid, what went back, and what the provider keeps.
pub const SUMS: &str = "
    CAST(SUM(CASE WHEN kind = 'payment' THEN amount_minor ELSE 0 END) AS BIGINT) AS paid,
    CAST(-SUM(CASE WHEN kind IN ('payment', 'fee', 'fee_returned') THEN 0 ELSE amount_minor END) AS BIGINT) AS back,
    CAST(-SUM(CASE WHEN kind IN ('fee', 'fee_returned') THEN amount_minor ELSE 0 END) AS BIGINT) AS fees";

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

/// Adds an entry. A second entry for the same act is a unique violation, so the whole transaction fails.
pub fn enter(db: &mut Db, payment: &Payment, entry: &LedgerEntry<'_>, now: NaiveDateTime) -> QueryResult<()> {
    let whose = entry.refund_id.map_or_else(|| format!("of {}", payment.id), |id| id.to_string());
    insert(db, payment, &whose, entry, &payment.currency, now)
}

/// Adds the fee that the provider keeps of a payment, in the currency of its account. A fee below 0 is one
/// that it gives back; a fee of 0 makes no entry. `whose`: what the fee is for; each is entered once.
pub(super) fn enter_fee(
    db: &mut Db,
    payment: &Payment,
    (whose, fee, provider_id): (&str, &Money, &str),
    now: NaiveDateTime,
) -> QueryResult<()> {
    let kind = if fee.minor > 0 { EntryKind::Fee } else { EntryKind::FeeReturned };
    let entry = LedgerEntry { kind, refund_id: None, amount_minor: fee.minor.abs(), provider_id };
    if fee.minor == 0 { Ok(()) } else { insert(db, payment, whose, &entry, &fee.currency, now) }
}

fn insert(
    db: &mut Db,
    payment: &Payment,
    whose: &str,
    entry: &LedgerEntry<'_>,
    currency: &str,
    now: NaiveDateTime,
) -> QueryResult<()> {
    let signed = if entry.kind.is_gain() { entry.amount_minor } else { -entry.amount_minor };
    diesel::insert_into(ledger::table)
        .values((
            ledger::entry_key.eq(format!("{} {whose}", entry.kind.as_str())),
            ledger::booking_id.eq(payment.booking_id),
            ledger::payment_id.eq(payment.id),
            ledger::refund_id.eq(entry.refund_id),
            ledger::kind.eq(entry.kind),
            ledger::amount_minor.eq(signed),
            ledger::currency.eq(currency),
            ledger::live.eq(payment.live),
            ledger::provider_id.eq(entry.provider_id),
            ledger::entered_at.eq(now),
        ))
        .execute(db)?;
    Ok(())
}
