//! The SQL of the queue: which payments the provider is to be asked about, and what the answers change.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::due::take_payments;
use super::mails::mail_decline;
use super::{ALIVE, HoldTimes, end_hold, hold_times, lines, lock_hold};
use crate::booking::BookingStatus;
use crate::db::{Db, clock};
use crate::payment::{EXTENSION, EXTENSIONS_MAX, GRACE, PAY_TIME, Payment, PaymentLine, PaymentState};
use crate::schema::{bookings, events, holds, payments};

/// The state is a part of the query's text. Otherwise the partial indexes would not be used.
macro_rules! take_query {
    ($state:literal, $order:literal) => {
        [
            concat!(
                "UPDATE payments SET due_at = $1, asked_at = $2, attempts = attempts + 1 WHERE id = ANY (ARRAY (
                     SELECT id FROM payments WHERE state = '",
                $state,
                "' AND live = $4 AND due_at <= $2 ORDER BY ",
                $order,
                " LIMIT $3 FOR UPDATE SKIP LOCKED)) RETURNING id"
            ),
            concat!(
                "UPDATE payments SET due_at = ?1, asked_at = ?2, attempts = attempts + 1 WHERE id IN (
                     SELECT id FROM payments WHERE state = '",
                $state,
                "' AND live = ?4 AND due_at <= ?2 ORDER BY ",
                $order,
                " LIMIT ?3) RETURNING id"
            ),
        ]
    };
}
const TAKE_OPEN: [&str; 2] = take_query!("open", "due_at, id");
/// First come, first served, as the buyers are told. This includes payments that are tried again.
const TAKE_WANTED: [&str; 2] = take_query!("wanted", "id");

/// A payment that the provider is to be asked about, with what the question needs.
#[derive(Debug, Clone)]
pub struct DuePayment {
    pub payment: Payment,
    /// `None`: its booking is not held any more.
    pub hold: Option<HoldTimes>,
    pub reference: String,
    pub token: String,
    pub email: Option<String>,
    pub event_name: String,
    pub lines: Vec<PaymentLine>,
}

/// Whether a payment is due. `live`: a key of one mode cannot ask about payments of the other.
pub fn is_any_due(db: &mut Db, live: bool, now: NaiveDateTime) -> QueryResult<bool> {
    let due = payments::table
        .filter(payments::state.eq_any(ALIVE))
        .filter(payments::live.eq(live))
        .filter(payments::due_at.le(now))
        .order(payments::due_at);
    Ok(due.select(payments::id).first::<i64>(db).optional()?.is_some())
}

/// Takes payments that are due. `are_open`: those with an open page, the longest due first; otherwise those
/// that wait for a page, the oldest first.
pub fn take(
    db: &mut Db,
    are_open: bool,
    limit: i64,
    live: bool,
    times: (NaiveDateTime, NaiveDateTime),
) -> QueryResult<Vec<DuePayment>> {
    let queries = if are_open { TAKE_OPEN } else { TAKE_WANTED };
    let found = take_payments(db, queries, limit, live, times)?;
    found.into_iter().map(|payment| with_booking(db, payment)).collect()
}

/// A payment with its booking.
pub fn with_booking(db: &mut Db, payment: Payment) -> QueryResult<DuePayment> {
    let (reference, token, email, event_name): (String, String, Option<String>, String) = bookings::table
        .inner_join(events::table)
        .filter(bookings::id.eq(payment.booking_id))
        .select((bookings::reference, bookings::token, bookings::buyer_email, events::name))
        .first(db)?;
    let (hold, lines) = (hold_times(db, payment.booking_id)?, lines(db, payment.id)?);
    Ok(DuePayment { payment, hold, reference, token, email, event_name, lines })
}

/// Fixes the body of a payment's request, in the transaction that takes it: from now on its key has this body.
pub fn fix_request(db: &mut Db, id: i64, request: &str) -> QueryResult<()> {
    let unfixed = payments::table.find(id).filter(payments::request.is_null());
    diesel::update(unfixed).set(payments::request.eq(request)).execute(db)?;
    Ok(())
}

/// A page that the provider has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedPage {
    pub session_id: String,
    pub url: String,
    pub intent_id: Option<String>,
    /// UTC. When the provider closes it by itself.
    pub ends_at: NaiveDateTime,
}

/// Shows the page to the buyer, whose time begins now. In the same transaction, the tickets are held for as
/// long as the page can be paid on. Returns `false` if this is too late: a booking that has ended meanwhile
/// gets no page.
pub fn opened(db: &mut Db, payment: &Payment, page: &OpenedPage) -> QueryResult<bool> {
    let now = clock(db)?;
    let hold = lock_hold(db, payment.booking_id)?;
    // Another server has it now, and may have shown the page already: this one changes nothing.
    if !is_own(db, payment)? {
        return Err(diesel::result::Error::RollbackTransaction);
    }
    let Some(hold) = hold.filter(|hold| hold.end() > now) else {
        expired(db, payment)?;
        return Ok(false);
    };
    let earlier: i64 = payments::table
        .filter(payments::booking_id.eq(payment.booking_id))
        .filter(payments::opened_at.is_not_null())
        .count()
        .get_result(db)?;
    // A second attempt gets the time that is left of the first one's.
    let (pay_until, latest_until) = if earlier == 0 {
        let most = EXTENSION * (EXTENSIONS_MAX - hold.extensions).max(0);
        // What "More time" has promised before is kept.
        let pay_until = hold.end().max(now + PAY_TIME).min(page.ends_at);
        (pay_until, Some(pay_until + most))
    } else {
        (hold.end(), hold.latest_until)
    };
    diesel::update(holds::table.find(payment.booking_id))
        .set((
            holds::held_until.eq(page.ends_at + GRACE),
            holds::pay_until.eq(pay_until),
            holds::latest_until.eq(latest_until),
        ))
        .execute(db)?;
    diesel::update(payments::table.find(payment.id))
        .set((
            payments::state.eq(PaymentState::Open),
            payments::session_id.eq(&page.session_id),
            payments::session_url.eq(&page.url),
            payments::session_ends_at.eq(page.ends_at),
            payments::intent_id.eq(&page.intent_id),
            payments::opened_at.eq(now),
            // Making the page was not a question about it. So if the buyer pays at once, the provider is
            // asked at once.
            payments::asked_at.eq(None::<NaiveDateTime>),
            payments::due_at.eq(pay_until),
            payments::attempts.eq(0),
            payments::last_error.eq(None::<String>),
        ))
        .execute(db)?;
    Ok(true)
}

/// Whether a payment still waits for its page and is still this server's. It is locked until the transaction ends.
fn is_own(db: &mut Db, payment: &Payment) -> QueryResult<bool> {
    let own = payments::table
        .find(payment.id)
        .filter(payments::state.eq(PaymentState::Wanted))
        .filter(payments::due_at.eq(payment.due_at))
        .select(payments::id);
    let own: Option<i64> = match db {
        Db::Postgres(pg) => own.for_update().first(pg).optional()?,
        Db::Sqlite(sqlite) => own.first(sqlite).optional()?,
    };
    Ok(own.is_some())
}

/// A payment's time was over before there was a page: nobody needs one.
pub fn too_late(db: &mut Db, payment: &Payment) -> QueryResult<()> {
    let now = clock(db)?;
    let hold = lock_hold(db, payment.booking_id)?;
    if hold.is_some_and(|hold| hold.end() > now) || !is_own(db, payment)? {
        return Ok(());
    }
    expired(db, payment)
}

/// The provider has closed the page unpaid, or there was none: the tickets go back on sale, by the sweeper that ends
/// all holds.
pub fn expired(db: &mut Db, payment: &Payment) -> QueryResult<()> {
    let now = clock(db)?;
    end_hold(db, payment.booking_id, now)?;
    end(db, payment, now)
}

/// Ends an attempt. It must still be alive. Otherwise somebody has settled it, and the transaction is rolled
/// back.
fn end(db: &mut Db, payment: &Payment, now: NaiveDateTime) -> QueryResult<()> {
    let own = payments::table.find(payment.id).filter(payments::state.eq_any(ALIVE));
    let ended = diesel::update(own)
        .set((
            payments::state.eq(PaymentState::Expired),
            payments::ended_at.eq(now),
            payments::request.eq(None::<String>),
        ))
        .execute(db)?;
    if ended == 1 { Ok(()) } else { Err(diesel::result::Error::RollbackTransaction) }
}

/// The bank said no. The page stays open, and so does the hold.
pub fn declined(db: &mut Db, payment: &Payment, code: &str, due_at: NaiveDateTime) -> QueryResult<()> {
    let own = payments::table.find(payment.id).filter(payments::due_at.eq(payment.due_at));
    let noted = diesel::update(own)
        .set((payments::declined.eq(code), payments::due_at.eq(due_at), payments::attempts.eq(0)))
        .execute(db)?;
    // Where nothing was noted, the payment is asked about again soon, and that answer is noted.
    if noted == 1 && payment.declined.is_none() {
        mail_decline(db, payment)?;
    }
    Ok(())
}

/// The question has failed: to be asked again at that time.
pub fn put_off(db: &mut Db, payment: &Payment, due_at: NaiveDateTime, why: &str) -> QueryResult<()> {
    let own = payments::table.find(payment.id).filter(payments::due_at.eq(payment.due_at));
    diesel::update(own).set((payments::due_at.eq(due_at), payments::last_error.eq(why))).execute(db)?;
    Ok(())
}

/// The provider has answered, and nothing has changed: to be asked again at that time.
pub fn look_again(db: &mut Db, payment: &Payment, due_at: NaiveDateTime) -> QueryResult<()> {
    let own = payments::table.find(payment.id).filter(payments::due_at.eq(payment.due_at));
    diesel::update(own)
        .set((payments::due_at.eq(due_at), payments::attempts.eq(0), payments::last_error.eq(None::<String>)))
        .execute(db)?;
    Ok(())
}

/// Returns a taken row without a call: it is due at that time.
pub fn release(db: &mut Db, payment: &Payment, due_at: NaiveDateTime) -> QueryResult<()> {
    let own = payments::table.find(payment.id).filter(payments::due_at.eq(payment.due_at));
    diesel::update(own)
        .set((payments::due_at.eq(due_at), payments::attempts.eq(payments::attempts - 1)))
        .execute(db)?;
    Ok(())
}

pub(super) fn booking_status(db: &mut Db, booking_id: i64) -> QueryResult<Option<BookingStatus>> {
    bookings::table.find(booking_id).select(bookings::status).first(db).optional()
}
