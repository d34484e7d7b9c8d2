//! The SQL of what was paid online, as a booking's pages and mails show it.

use diesel::prelude::*;

use crate::db::Db;
use crate::money::Money;
use crate::payment::{PaidOnline, PaymentState};
use crate::schema::payments;

/// What was paid online for each of these bookings.
///
/// # Errors
/// What the database said.
pub fn paid_online(db: &mut Db, booking_ids: &[i64]) -> QueryResult<Vec<(i64, PaidOnline)>> {
    let paid: Vec<(i64, String, i64, i64, Option<i64>)> = payments::table
        .filter(payments::booking_id.eq_any(booking_ids))
        .filter(payments::state.eq(PaymentState::Paid))
        .order(payments::id)
        .select((
            payments::booking_id,
            payments::currency,
            payments::amount_minor,
            payments::refunded_minor,
            payments::refund_fee_minor,
        ))
        .load(db)?;
    let online =
        |(id, currency, amount, refunded, refund_fee_minor): (i64, String, i64, i64, Option<i64>)| {
            let (amount, refunded) = (Money::new(amount, &currency), Money::new(refunded, &currency));
            (id, PaidOnline { amount, refunded, refund_fee_minor })
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
