//! The SQL of what was paid online, as a booking's pages and mails show it.

use diesel::prelude::*;

use crate::db::Db;
use crate::money::Money;
use crate::payment::{PaidOnline, PaymentState, Refund, RefundSource, RefundState};
use crate::schema::{payments, refunds};

type PaidRow = (i64, i64, String, i64, i64, Option<i64>);

/// What was paid online for each of these bookings. Of one that was paid twice, what is kept comes last.
///
/// # Errors
/// What the database said.
pub fn paid_online(db: &mut Db, booking_ids: &[i64]) -> QueryResult<Vec<(i64, PaidOnline)>> {
    let paid: Vec<PaidRow> = payments::table
        .filter(payments::booking_id.eq_any(booking_ids))
        .filter(payments::state.eq(PaymentState::Paid))
        .order((payments::amount_minor - payments::refunded_minor, payments::id))
        .select((
            payments::id,
            payments::booking_id,
            payments::currency,
            payments::amount_minor,
            payments::refunded_minor,
            payments::refund_fee_minor,
        ))
        .load(db)?;
    if paid.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = paid.iter().map(|it| it.0).collect();
    let failed = failed_refunds(db, &ids)?;
    let online = |(payment, booking, currency, amount, refunded, refund_fee_minor): PaidRow| {
        let failed = failed.iter().filter(|(id, _)| *id == payment).map(|(_, minor)| minor).sum();
        let money = |minor: i64| Money::new(minor, &currency);
        let (amount, refunded, failed) = (money(amount), money(refunded), money(failed));
        (booking, PaidOnline { amount, refunded, failed, refund_fee_minor })
    };
    Ok(paid.into_iter().map(online).collect())
}

/// Whether something was paid for a booking that was not what was asked for: people look into it.
///
/// # Errors
/// What the database said.
pub fn is_in_review(db: &mut Db, booking_id: i64) -> QueryResult<bool> {
    let own = payments::table
        .filter(payments::booking_id.eq(booking_id))
        .filter(payments::state.eq(PaymentState::Review));
    diesel::select(diesel::dsl::exists(own)).get_result(db)
}

/// What was to go back and could not, with its payment; not what was asked for again since. A dispute that was won is
/// none.
fn failed_refunds(db: &mut Db, payment_ids: &[i64]) -> QueryResult<Vec<(i64, i64)>> {
    let all: Vec<Refund> = refunds::table
        .filter(refunds::payment_id.eq_any(payment_ids))
        .filter(refunds::source.ne(RefundSource::Dispute))
        .select(Refund::as_select())
        .load(db)?;
    let failed = all.iter().filter(|it| it.state == RefundState::Failed && !it.is_asked_again(&all));
    Ok(failed.map(|it| (it.payment_id, it.amount_minor)).collect())
}
