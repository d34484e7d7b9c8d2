//! The SQL that deletes a concert's test payments before its sale is reset. Real payments are never deleted.

use diesel::prelude::*;

use crate::db::Db;
use crate::schema::{bookings, events, payments, refunds};

/// Payments of one statement: SQLite binds no more than 32,766 values.
const AT_ONCE: usize = 10_000;

/// Whether a concert has payments of real money, whatever became of them. Its bookings stay then.
pub fn has_real_payments(db: &mut Db, slug: &str) -> QueryResult<bool> {
    let real = payments::table
        .inner_join(bookings::table.inner_join(events::table))
        .filter(events::slug.eq(slug))
        .filter(payments::live.eq(true))
        .select(payments::id)
        .first::<i64>(db)
        .optional()?;
    Ok(real.is_some())
}

/// Deletes a concert's payments of test mode, before its bookings. The ledger keeps their entries without the bookings,
/// which is harmless: it is not real money.
pub fn forget_test_payments(db: &mut Db, slug: &str) -> QueryResult<()> {
    let of_event = bookings::table
        .filter(bookings::event_id.eq_any(events::table.filter(events::slug.eq(slug)).select(events::id)))
        .select(bookings::id);
    let ids: Vec<i64> = payments::table
        .filter(payments::live.eq(false))
        .filter(payments::booking_id.eq_any(of_event))
        .select(payments::id)
        .load(db)?;
    for ids in ids.chunks(AT_ONCE) {
        diesel::delete(refunds::table.filter(refunds::payment_id.eq_any(ids))).execute(db)?;
        diesel::delete(payments::table.filter(payments::id.eq_any(ids))).execute(db)?;
    }
    Ok(())
}
