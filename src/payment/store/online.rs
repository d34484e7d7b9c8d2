//! The SQL of what was paid online, as a booking's pages and mails show it.

use diesel::prelude::*;

use crate::db::Db;
use crate::money::Money;
use crate::payment::{PaidOnline, PaymentState, Refund, RefundSource, RefundState};
use crate::schema::{payments, refunds};

type PaidRow = (i64, i64, String, i64, i64, Option<i64>);

/// What was paid online for each of these bookings. If a booking was paid for twice, the payment that is kept
/// comes last.
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
    let refunds: Vec<Refund> =
        refunds::table.filter(refunds::payment_id.eq_any(&ids)).select(Refund::as_select()).load(db)?;
    let online = |(payment, booking, currency, amount, refunded, refund_fee_minor): PaidRow| {
        let money = |minor: i64| Money::new(minor, &currency);
        let sum = |is_one: &dyn Fn(&Refund) -> bool| {
            let own = refunds.iter().filter(|it| it.payment_id == payment && is_one(it));
            money(own.map(|it| it.amount_minor).sum())
        };
        let has_failed = |it: &Refund| it.state == RefundState::Failed;
        let online = PaidOnline {
            amount: money(amount),
            refunded: money(refunded),
            // Without refunds that were asked for again since, and without disputes, which fail when they are
            // won.
            failed: sum(&|it| {
                it.source != RefundSource::Dispute && has_failed(it) && !it.is_asked_again(&refunds)
            }),
            refund_fee_minor,
            refunded_outside: sum(&|it| it.source == RefundSource::Outside && !has_failed(it)),
            is_disputed: sum(&|it| it.source == RefundSource::Dispute && !has_failed(it)).minor > 0,
        };
        (booking, online)
    };
    Ok(paid.into_iter().map(online).collect())
}

/// Whether something was paid for a booking that was not what was asked for: people look into it.
pub fn is_in_review(db: &mut Db, booking_id: i64) -> QueryResult<bool> {
    let own = payments::table
        .filter(payments::booking_id.eq(booking_id))
        .filter(payments::state.eq(PaymentState::Review));
    diesel::select(diesel::dsl::exists(own)).get_result(db)
}
