//! The SQL of attempts to pay that do not go as they should: the provider refuses the page, or was paid something else.

use chrono::TimeDelta;
use diesel::prelude::*;

use super::attempts::{NewAttempt, insert_attempt};
use super::{UNSETTLED, end_hold, lock_hold};
use crate::db::{Db, clock};
use crate::payment::stripe::request::without_email;
use crate::payment::{ATTEMPTS_MAX, Payment, PaymentState, REVIEW_TIME};
use crate::schema::payments;

/// How much longer each attempt waits than the one before it. The second does not wait.
const PAUSE: TimeDelta = TimeDelta::seconds(2);

/// What is done when the provider refuses a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextAttempt {
    /// It would be refused again. The buyer is told, and may start another attempt.
    Stop,
    /// A new idempotency key or a later end may help: another attempt replaces this one.
    Again,
    /// The email address was wrong: another attempt leaves it out.
    WithoutEmail,
}

/// The provider will never make this page. The tickets stay held for as long as the buyer was told, so that they may
/// try again.
pub fn failed(db: &mut Db, payment: &Payment, why: &str, next: NextAttempt) -> QueryResult<()> {
    let now = clock(db)?;
    let hold = lock_hold(db, payment.booking_id)?.filter(|hold| hold.end() > now);
    let own = payments::table
        .find(payment.id)
        .filter(payments::state.eq(PaymentState::Wanted))
        .filter(payments::due_at.eq(payment.due_at));
    let failed = diesel::update(own)
        .set((
            payments::state.eq(PaymentState::Failed),
            payments::ended_at.eq(now),
            payments::request.eq(None::<String>),
            payments::last_error.eq(why),
        ))
        .execute(db)?;
    let tried: i64 =
        payments::table.filter(payments::booking_id.eq(payment.booking_id)).count().get_result(db)?;
    if failed == 0 || next == NextAttempt::Stop || hold.is_none() || tried >= ATTEMPTS_MAX {
        return Ok(());
    }
    // The second attempt is made at once. Each further one waits longer: what is wrong may be wrong for long.
    let wait = PAUSE * i32::try_from(tried - 1).unwrap_or(i32::MAX);
    let attempt = NewAttempt {
        booking_id: payment.booking_id,
        live: payment.live,
        currency: &payment.currency,
        amount_minor: payment.amount_minor,
        refund_fee_minor: payment.refund_fee_minor,
        wanted_at: payment.wanted_at,
        due_at: now + wait,
    };
    let id = insert_attempt(db, &attempt)?;
    if next == NextAttempt::WithoutEmail {
        let request = payment.request.as_deref().map(|it| without_email(it, payment.id, id));
        diesel::update(payments::table.find(id)).set(payments::request.eq(request)).execute(db)?;
    }
    Ok(())
}

/// What was paid is not what was asked for, or not in this mode. The program does nothing more: a person decides. The
/// tickets stay held meanwhile. `intent_id`: by it refunds are recognized as this payment's. `None`: it stays as it is.
pub fn to_review(db: &mut Db, payment: &Payment, intent_id: Option<&str>, why: &str) -> QueryResult<()> {
    let now = clock(db)?;
    end_hold(db, payment.booking_id, now + REVIEW_TIME)?;
    let own = payments::table.find(payment.id).filter(payments::state.eq_any(UNSETTLED));
    diesel::update(own)
        .set((
            payments::state.eq(PaymentState::Review),
            payments::intent_id.eq(intent_id.or(payment.intent_id.as_deref())),
            payments::ended_at.eq(now),
            payments::request.eq(None::<String>),
            payments::last_error.eq(why),
        ))
        .execute(db)?;
    Ok(())
}

/// All that was paid has gone back at the provider: nobody has to look any more, and the tickets go back on sale.
pub fn reviewed(db: &mut Db, payment: &Payment) -> QueryResult<()> {
    let now = clock(db)?;
    end_hold(db, payment.booking_id, now)?;
    let own = payments::table.find(payment.id).filter(payments::state.eq(PaymentState::Review));
    // No money is left, as if the page had closed unpaid.
    diesel::update(own).set(payments::state.eq(PaymentState::Expired)).execute(db)?;
    Ok(())
}
