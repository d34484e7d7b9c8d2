//! The SQL that begins an attempt to pay. Each attempt is a row, for which the provider is asked for a page.

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;

use super::{alive, lock_hold};
use crate::booking::new_token;
use crate::db::{Db, clock};
use crate::payment::{ATTEMPTS_MAX, GRACE, PAY_TIME, Payment, PaymentLine, PaymentState, STRIPE};
use crate::schema::{booking_lines, bookings, events, holds, payment_lines, payments, ticket_types};

/// How the request to pay ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WantOutcome {
    /// The provider will be asked for a page.
    Wanted(Payment),
    /// It was asked for before, by another tab or the same form twice, or something was paid that people look
    /// into.
    Alive(Payment),
    /// The booking is not held any more.
    NotHeld,
    /// There is nothing to pay.
    Free,
    /// More attempts than a buyer makes.
    TooOften,
}

/// How many buyers come before a payment that waits for its page. Payments of the other mode do not count: no page
/// is made for them with this key.
pub fn place_in_queue(db: &mut Db, payment: &Payment) -> QueryResult<i64> {
    payments::table
        .filter(payments::state.eq(PaymentState::Wanted))
        .filter(payments::live.eq(payment.live))
        .filter(payments::id.lt(payment.id))
        .count()
        .get_result(db)
}

fn waiting(db: &mut Db, live: bool) -> QueryResult<i64> {
    payments::table
        .filter(payments::state.eq(PaymentState::Wanted))
        .filter(payments::live.eq(live))
        .count()
        .get_result(db)
}

/// Asks for a page on which a held booking can be paid for. The tickets stay held while the buyer waits in
/// the queue, and long enough to pay after that. `live`: whether it is for real money. `per_second`: how many
/// pages are made in a second.
pub fn want(db: &mut Db, booking_id: i64, live: bool, per_second: u32) -> QueryResult<WantOutcome> {
    let now = clock(db)?;
    // The lock lets one of two tabs be the first.
    let Some(hold) = lock_hold(db, booking_id)?.filter(|hold| hold.end() > now) else {
        return Ok(WantOutcome::NotHeld);
    };
    // Something was paid already, and people look into it: nobody is asked to pay twice.
    let review = payments::table
        .filter(payments::booking_id.eq(booking_id))
        .filter(payments::state.eq(PaymentState::Review))
        .select(Payment::as_select());
    if let Some(payment) = review.first(db).optional()? {
        return Ok(WantOutcome::Alive(payment));
    }
    if let Some(payment) = alive(db, booking_id)? {
        return Ok(WantOutcome::Alive(payment));
    }
    let tried: i64 = payments::table.filter(payments::booking_id.eq(booking_id)).count().get_result(db)?;
    if tried >= ATTEMPTS_MAX {
        return Ok(WantOutcome::TooOften);
    }
    let (amount_minor, currency, fee): (i64, String, Option<i64>) = bookings::table
        .inner_join(events::table)
        .filter(bookings::id.eq(booking_id))
        .select((bookings::total_minor, bookings::currency, events::refund_fee_minor))
        .first(db)?;
    if amount_minor == 0 {
        return Ok(WantOutcome::Free);
    }
    // Until its page is there, the first attempt has its full time from the moment its turn comes. Later
    // attempts have what is left.
    let turn = TimeDelta::seconds(waiting(db, live)? / i64::from(per_second.max(1)));
    let pay_until = if tried == 0 { hold.end().max(now + PAY_TIME + turn) } else { hold.end() };
    let held_until = hold.held_until.max(pay_until + GRACE);
    diesel::update(holds::table.find(booking_id))
        .set((holds::held_until.eq(held_until), holds::pay_until.eq(pay_until)))
        .execute(db)?;
    let attempt = NewAttempt {
        booking_id,
        live,
        currency: &currency,
        amount_minor,
        refund_fee_minor: fee,
        wanted_at: now,
        due_at: now,
    };
    let id = insert_attempt(db, &attempt)?;
    let payment = payments::table.find(id).select(Payment::as_select()).first(db)?;
    Ok(WantOutcome::Wanted(payment))
}

type LineFacts = (i64, String, i32, i64, Option<i32>);

fn insert_lines(db: &mut Db, payment_id: i64, booking_id: i64) -> QueryResult<()> {
    let facts: Vec<LineFacts> = booking_lines::table
        .inner_join(ticket_types::table)
        .filter(booking_lines::booking_id.eq(booking_id))
        .order(ticket_types::id)
        .select((
            ticket_types::id,
            ticket_types::name,
            booking_lines::quantity,
            booking_lines::unit_price_minor,
            ticket_types::tax_rate,
        ))
        .load(db)?;
    for (ticket_type_id, name, quantity, unit_price_minor, tax_rate) in facts {
        let line = PaymentLine { payment_id, ticket_type_id, name, quantity, unit_price_minor, tax_rate };
        diesel::insert_into(payment_lines::table).values(&line).execute(db)?;
    }
    Ok(())
}

/// An attempt that begins.
pub(super) struct NewAttempt<'a> {
    pub booking_id: i64,
    pub live: bool,
    pub currency: &'a str,
    pub amount_minor: i64,
    pub refund_fee_minor: Option<i64>,
    pub wanted_at: NaiveDateTime,
    pub due_at: NaiveDateTime,
}

/// Adds an attempt with a key of its own, and the lines that it is for. Returns its id.
pub(super) fn insert_attempt(db: &mut Db, attempt: &NewAttempt<'_>) -> QueryResult<i64> {
    let id: i64 = diesel::insert_into(payments::table)
        .values((
            payments::booking_id.eq(attempt.booking_id),
            payments::provider.eq(STRIPE),
            payments::live.eq(attempt.live),
            payments::currency.eq(attempt.currency),
            payments::amount_minor.eq(attempt.amount_minor),
            payments::refund_fee_minor.eq(attempt.refund_fee_minor),
            payments::idempotency_key.eq(new_token()),
            payments::wanted_at.eq(attempt.wanted_at),
            payments::due_at.eq(attempt.due_at),
        ))
        .returning(payments::id)
        .get_result(db)?;
    insert_lines(db, id, attempt.booking_id)?;
    Ok(id)
}
