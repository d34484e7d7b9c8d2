//! The SQL of attempts to pay. Everything that writes runs inside the caller's write transaction.
//!
//! Locks are taken in the house's order, with payments at its end: ticket types by id, holds, bookings, payments,
//! refunds. Nobody waits for the provider with a lock.

pub mod clocks;
pub mod inbox;
pub mod ledger;
pub mod online;
pub mod queue;
pub mod refunds;
pub mod reset;
pub mod returns;
pub mod settling;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::{
    ATTEMPTS_MAX, EXTENSION, EXTENSIONS_MAX, GRACE, PAY_TIME, Payment, PaymentLine, PaymentState, STRIPE,
};
use crate::booking::new_token;
use crate::db::{Db, clock};
use crate::schema::{booking_lines, bookings, events, holds, payment_lines, payments, ticket_types};

/// The states in which money may still come.
pub(super) const ALIVE: [PaymentState; 2] = [PaymentState::Wanted, PaymentState::Open];

/// The times of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = holds)]
pub struct HoldTimes {
    /// Before this, its tickets do not go back on sale.
    pub held_until: NaiveDateTime,
    /// What the buyer is told. `None`: `held_until`.
    pub pay_until: Option<NaiveDateTime>,
    /// What "More time" cannot pass.
    pub latest_until: Option<NaiveDateTime>,
    /// How often "More time" was used.
    pub extensions: i32,
}

impl HoldTimes {
    /// When the buyer's time is over.
    #[must_use]
    pub fn end(&self) -> NaiveDateTime {
        self.pay_until.unwrap_or(self.held_until)
    }

    /// How often "More time" may still be used.
    #[must_use]
    pub fn extensions_left(&self) -> i32 {
        (EXTENSIONS_MAX - self.extensions).max(0)
    }
}

/// How the request to pay ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WantOutcome {
    /// The provider will be asked for a page.
    Wanted(Payment),
    /// It was asked before: another tab, or the same form twice.
    Alive(Payment),
    /// The booking is not held any more.
    NotHeld,
    /// There is nothing to pay.
    Free,
    /// More attempts than a buyer makes.
    TooOften,
}

/// How the request for more time ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExtensionOutcome {
    Extended(HoldTimes),
    /// It was used as often as it may be, or has come to the end that was fixed at the beginning.
    NoMore(HoldTimes),
    /// The booking is not held any more, or its time is over.
    NotHeld,
}

/// The times of a booking's hold. `None`: it is not held.
///
/// # Errors
/// What the database said.
pub fn hold_times(db: &mut Db, booking_id: i64) -> QueryResult<Option<HoldTimes>> {
    holds::table.find(booking_id).select(HoldTimes::as_select()).first(db).optional()
}

/// The same, locked until the transaction ends.
pub(super) fn lock_hold(db: &mut Db, booking_id: i64) -> QueryResult<Option<HoldTimes>> {
    match db {
        Db::Postgres(pg) => {
            holds::table.find(booking_id).select(HoldTimes::as_select()).for_update().first(pg).optional()
        }
        Db::Sqlite(_) => hold_times(db, booking_id),
    }
}

/// An attempt to pay.
///
/// # Errors
/// What the database said.
pub fn find(db: &mut Db, id: i64) -> QueryResult<Option<Payment>> {
    payments::table.find(id).select(Payment::as_select()).first(db).optional()
}

/// The attempts to pay for a booking, the newest first.
///
/// # Errors
/// What the database said.
pub fn of_booking(db: &mut Db, booking_id: i64) -> QueryResult<Vec<Payment>> {
    payments::table
        .filter(payments::booking_id.eq(booking_id))
        .order(payments::id.desc())
        .select(Payment::as_select())
        .load(db)
}

/// What a payment is for.
///
/// # Errors
/// What the database said.
pub fn lines(db: &mut Db, payment_id: i64) -> QueryResult<Vec<PaymentLine>> {
    payment_lines::table
        .filter(payment_lines::payment_id.eq(payment_id))
        .order(payment_lines::ticket_type_id)
        .select(PaymentLine::as_select())
        .load(db)
}

/// The attempt of a booking that may still bring money.
///
/// # Errors
/// What the database said.
pub fn alive(db: &mut Db, booking_id: i64) -> QueryResult<Option<Payment>> {
    payments::table
        .filter(payments::booking_id.eq(booking_id))
        .filter(payments::state.eq_any(ALIVE))
        .select(Payment::as_select())
        .first(db)
        .optional()
}

/// How many buyers come before a payment that waits for its page.
///
/// # Errors
/// What the database said.
pub fn place_in_queue(db: &mut Db, payment: &Payment) -> QueryResult<i64> {
    payments::table
        .filter(payments::state.eq(PaymentState::Wanted))
        .filter(payments::id.lt(payment.id))
        .count()
        .get_result(db)
}

/// Wants a page to pay for a held booking. The tickets stay held until it is there. `live`: whether it is for real
/// money.
///
/// # Errors
/// What the database said.
pub fn want(db: &mut Db, booking_id: i64, live: bool) -> QueryResult<WantOutcome> {
    let now = clock(db)?;
    // The lock lets one of two tabs be the first.
    let Some(hold) = lock_hold(db, booking_id)?.filter(|hold| hold.end() > now) else {
        return Ok(WantOutcome::NotHeld);
    };
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
    // The first attempt has its time from now on, until the page is there. Later ones have what is left.
    let pay_until = if tried == 0 { hold.end().max(now + PAY_TIME) } else { hold.end() };
    let held_until = hold.held_until.max(pay_until + GRACE);
    diesel::update(holds::table.find(booking_id))
        .set((holds::held_until.eq(held_until), holds::pay_until.eq(pay_until)))
        .execute(db)?;
    let id: i64 = diesel::insert_into(payments::table)
        .values((
            payments::booking_id.eq(booking_id),
            payments::provider.eq(STRIPE),
            payments::live.eq(live),
            payments::currency.eq(currency),
            payments::amount_minor.eq(amount_minor),
            payments::refund_fee_minor.eq(fee),
            payments::idempotency_key.eq(new_token()),
            payments::wanted_at.eq(now),
            payments::due_at.eq(now),
        ))
        .returning(payments::id)
        .get_result(db)?;
    insert_lines(db, id, booking_id)?;
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
        diesel::insert_into(payment_lines::table)
            .values((
                payment_lines::payment_id.eq(line.payment_id),
                payment_lines::ticket_type_id.eq(line.ticket_type_id),
                payment_lines::name.eq(&line.name),
                payment_lines::quantity.eq(line.quantity),
                payment_lines::unit_price_minor.eq(line.unit_price_minor),
                payment_lines::tax_rate.eq(line.tax_rate),
            ))
            .execute(db)?;
    }
    Ok(())
}

/// Gives a buyer more time, as long as there is some.
///
/// # Errors
/// What the database said.
pub fn extend(db: &mut Db, booking_id: i64) -> QueryResult<ExtensionOutcome> {
    let now = clock(db)?;
    let Some(hold) = lock_hold(db, booking_id)?.filter(|hold| hold.end() > now) else {
        return Ok(ExtensionOutcome::NotHeld);
    };
    let latest = hold.latest_until.unwrap_or(hold.end() + EXTENSION * EXTENSIONS_MAX);
    let end = (hold.end() + EXTENSION).min(latest);
    if hold.extensions_left() == 0 || end <= hold.end() {
        return Ok(ExtensionOutcome::NoMore(hold));
    }
    let extended = HoldTimes {
        held_until: hold.held_until.max(end),
        pay_until: Some(end),
        latest_until: Some(latest),
        extensions: hold.extensions + 1,
    };
    diesel::update(holds::table.find(booking_id))
        .set((
            holds::held_until.eq(extended.held_until),
            holds::pay_until.eq(extended.pay_until),
            holds::latest_until.eq(extended.latest_until),
            holds::extensions.eq(extended.extensions),
        ))
        .execute(db)?;
    // The page is closed when the time is over, not before.
    let open = payments::table
        .filter(payments::booking_id.eq(booking_id))
        .filter(payments::state.eq(PaymentState::Open))
        .filter(payments::due_at.gt(now));
    diesel::update(open).set(payments::due_at.eq(end)).execute(db)?;
    Ok(ExtensionOutcome::Extended(extended))
}

/// Ends a buyer's time now: the page is closed first, then the tickets go back on sale. Whether there is a page; where
/// there is none, the caller releases the booking itself.
///
/// # Errors
/// What the database said.
pub fn give_up(db: &mut Db, booking_id: i64) -> QueryResult<bool> {
    let now = clock(db)?;
    // Without a page nothing is locked: the caller locks ticket types, which come before holds.
    if alive(db, booking_id)?.is_none() || lock_hold(db, booking_id)?.is_none() {
        return Ok(false);
    }
    diesel::update(holds::table.find(booking_id)).set(holds::pay_until.eq(now)).execute(db)?;
    ring(db, booking_id, now)?;
    Ok(true)
}

/// Has the provider asked what became of a booking's payment, as soon as possible. An answer that is on its way is
/// asked for again: it may be from before.
///
/// # Errors
/// What the database said.
pub fn ring(db: &mut Db, booking_id: i64, now: NaiveDateTime) -> QueryResult<usize> {
    let open = payments::table
        .filter(payments::booking_id.eq(booking_id))
        .filter(payments::state.eq(PaymentState::Open))
        .filter(payments::due_at.gt(now));
    diesel::update(open).set(payments::due_at.eq(now)).execute(db)
}
