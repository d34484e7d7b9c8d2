//! The SQL of attempts to pay. Everything that writes runs inside the caller's write transaction.
//!
//! Locks are taken in the same order as in the whole program: ticket types by id, holds, bookings, payments,
//! refunds. No lock is held while the provider is asked.
//!
//! The organizer's lists of payments do not belong here: see `admin::store`.

pub mod attempts;
pub mod backlog;
pub mod by_hand;
pub mod clocks;
mod due;
pub mod failing;
pub mod fees;
pub mod inbox;
pub mod ledger;
mod mails;
pub mod online;
pub mod outside;
pub mod queue;
pub mod refunds;
pub mod reset;
pub mod returns;
pub mod settling;

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;

pub use self::attempts::{WantOutcome, place_in_queue, want};
use super::{EXTENSION, EXTENSIONS_MAX, LEASE, Payment, PaymentLine, PaymentState};
use crate::db::{Db, clock};
use crate::schema::{holds, payment_lines, payments};

/// The states in which money may still come.
pub(super) const ALIVE: [PaymentState; 2] = [PaymentState::Wanted, PaymentState::Open];
/// The states in which no money was noted. A page that was given up here may have been paid on all the same.
pub(super) const UNSETTLED: [PaymentState; 4] =
    [PaymentState::Wanted, PaymentState::Open, PaymentState::Expired, PaymentState::Failed];
/// The shortest time between two questions about one page, however often [`ask_soon`] is called.
const ASKED_ONCE_IN: TimeDelta = TimeDelta::seconds(2);

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

/// Ends a booking's hold at that time, for its buyer and for the sweeper. Without a hold nothing changes.
pub(super) fn end_hold(db: &mut Db, booking_id: i64, at: NaiveDateTime) -> QueryResult<()> {
    if lock_hold(db, booking_id)?.is_some() {
        diesel::update(holds::table.find(booking_id))
            .set((holds::held_until.eq(at), holds::pay_until.eq(at)))
            .execute(db)?;
    }
    Ok(())
}

/// An attempt to pay.
pub fn find(db: &mut Db, id: i64) -> QueryResult<Option<Payment>> {
    payments::table.find(id).select(Payment::as_select()).first(db).optional()
}

/// The same, locked until the transaction ends: before its refunds, as everywhere.
pub(super) fn lock(db: &mut Db, id: i64) -> QueryResult<Option<Payment>> {
    match db {
        Db::Postgres(pg) => {
            payments::table.find(id).select(Payment::as_select()).for_update().first(pg).optional()
        }
        Db::Sqlite(_) => find(db, id),
    }
}

/// The attempts to pay for a booking, the newest first.
pub fn of_booking(db: &mut Db, booking_id: i64) -> QueryResult<Vec<Payment>> {
    payments::table
        .filter(payments::booking_id.eq(booking_id))
        .order(payments::id.desc())
        .select(Payment::as_select())
        .load(db)
}

/// What a payment is for.
pub fn lines(db: &mut Db, payment_id: i64) -> QueryResult<Vec<PaymentLine>> {
    payment_lines::table
        .filter(payment_lines::payment_id.eq(payment_id))
        .order(payment_lines::ticket_type_id)
        .select(PaymentLine::as_select())
        .load(db)
}

/// The attempt of a booking that may still bring money.
pub fn alive(db: &mut Db, booking_id: i64) -> QueryResult<Option<Payment>> {
    payments::table
        .filter(payments::booking_id.eq(booking_id))
        .filter(payments::state.eq_any(ALIVE))
        .select(Payment::as_select())
        .first(db)
        .optional()
}

/// Gives a buyer more time, as long as there is some.
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
    // The page is closed when the time is over, not before. A page about which the provider was asked within
    // the time of a lease keeps its next time: the look at that time sees the new end.
    let open = payments::table
        .filter(payments::booking_id.eq(booking_id))
        .filter(payments::state.eq(PaymentState::Open))
        .filter(payments::due_at.gt(now))
        .filter(payments::asked_at.is_null().or(payments::asked_at.le(now - LEASE)));
    diesel::update(open).set(payments::due_at.eq(end)).execute(db)?;
    Ok(ExtensionOutcome::Extended(extended))
}

/// Ends a buyer's time now: the page is closed first, then the tickets go back on sale. Returns whether there
/// is a page, or will be one. If there is none, the caller releases the booking itself.
pub fn give_up(db: &mut Db, booking_id: i64) -> QueryResult<bool> {
    let now = clock(db)?;
    // Without a page no hold is locked here: releasing the booking locks ticket types, which come before
    // holds.
    if alive(db, booking_id)?.is_none() || lock_hold(db, booking_id)?.is_none() {
        return Ok(false);
    }
    diesel::update(holds::table.find(booking_id)).set(holds::pay_until.eq(now)).execute(db)?;
    ask_soon(db, booking_id, now)?;
    // A payment that still waits for its page, and for which no server is asking now.
    let waiting = payments::table
        .filter(payments::booking_id.eq(booking_id))
        .filter(payments::state.eq(PaymentState::Wanted))
        .filter(payments::due_at.gt(now))
        .filter(payments::asked_at.le(now - LEASE));
    diesel::update(waiting).set(payments::due_at.eq(now)).execute(db)?;
    Ok(true)
}

/// Makes a booking's open page due, so that the provider is asked about it as soon as possible. If a question
/// is under way, another one follows, because the answer may be older than this call. Repeated calls cause at
/// most one question in each [`ASKED_ONCE_IN`].
pub fn ask_soon(db: &mut Db, booking_id: i64, now: NaiveDateTime) -> QueryResult<usize> {
    macro_rules! set_due {
        ($at:expr, $when:expr) => {{
            let open = payments::table
                .filter(payments::booking_id.eq(booking_id))
                .filter(payments::state.eq(PaymentState::Open))
                .filter(payments::due_at.gt($at))
                .filter($when);
            diesel::update(open).set(payments::due_at.eq($at)).execute(db)?
        }};
    }
    let lately = now - ASKED_ONCE_IN;
    let now_due = set_due!(now, payments::asked_at.is_null().or(payments::asked_at.le(lately)));
    let later = now + ASKED_ONCE_IN;
    Ok(now_due + set_due!(later, payments::asked_at.gt(lately)))
}
