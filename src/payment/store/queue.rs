//! The SQL of the queue: which payments the provider is to be asked about, and what the answers change.
//!
//! Two servers never take the same payment: PostgreSQL skips rows that another server has locked, SQLite has one writer
//! at a time. What was taken is due again when its lease ends.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Timestamp};

use super::{ALIVE, HoldTimes, hold_times, lines, lock_hold};
use crate::booking::{BookingStatus, new_token};
use crate::db::{Db, clock};
use crate::payment::{
    EXTENSION, EXTENSIONS_MAX, GRACE, PAY_TIME, Payment, PaymentLine, PaymentState, STRIPE,
};
use crate::schema::{bookings, events, holds, payments};

const TAKE_POSTGRES: &str = "
    UPDATE payments SET due_at = $1, attempts = attempts + 1
    WHERE id = ANY (ARRAY (
        SELECT id FROM payments WHERE state IN ('wanted', 'open') AND live = $4 AND due_at <= $2
        ORDER BY due_at, id LIMIT $3
        FOR UPDATE SKIP LOCKED
    )) RETURNING id";
const TAKE_SQLITE: &str = "
    UPDATE payments SET due_at = ?1, attempts = attempts + 1
    WHERE id IN (SELECT id FROM payments WHERE state IN ('wanted', 'open') AND live = ?4 AND due_at <= ?2
                 ORDER BY due_at, id LIMIT ?3)
    RETURNING id";

#[derive(QueryableByName)]
struct PaymentId {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

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

/// Whether a payment is due. `live`: with a key of one mode nothing of the other can be asked.
///
/// # Errors
/// What the database said.
pub fn is_any_due(db: &mut Db, live: bool, now: NaiveDateTime) -> QueryResult<bool> {
    let due = payments::table
        .filter(payments::state.eq_any(ALIVE))
        .filter(payments::live.eq(live))
        .filter(payments::due_at.le(now))
        .order(payments::due_at);
    Ok(due.select(payments::id).first::<i64>(db).optional()?.is_some())
}

/// Takes payments that are due, those first that have waited longest.
///
/// # Errors
/// What the database said.
pub fn take(
    db: &mut Db,
    limit: i64,
    live: bool,
    now: NaiveDateTime,
    lease: NaiveDateTime,
) -> QueryResult<Vec<DuePayment>> {
    let taken: Vec<PaymentId> = match db {
        Db::Postgres(pg) => diesel::sql_query(TAKE_POSTGRES)
            .bind::<Timestamp, _>(lease)
            .bind::<Timestamp, _>(now)
            .bind::<BigInt, _>(limit)
            .bind::<Bool, _>(live)
            .load(pg)?,
        Db::Sqlite(sqlite) => diesel::sql_query(TAKE_SQLITE)
            .bind::<Timestamp, _>(lease)
            .bind::<Timestamp, _>(now)
            .bind::<BigInt, _>(limit)
            .bind::<Bool, _>(live)
            .load(sqlite)?,
    };
    let ids: Vec<i64> = taken.into_iter().map(|it| it.id).collect();
    let found: Vec<Payment> = payments::table
        .filter(payments::id.eq_any(ids))
        .order(payments::id)
        .select(Payment::as_select())
        .load(db)?;
    found.into_iter().map(|payment| with_booking(db, payment)).collect()
}

fn with_booking(db: &mut Db, payment: Payment) -> QueryResult<DuePayment> {
    let (reference, token, email, event_name): (String, String, Option<String>, String) = bookings::table
        .inner_join(events::table)
        .filter(bookings::id.eq(payment.booking_id))
        .select((bookings::reference, bookings::token, bookings::buyer_email, events::name))
        .first(db)?;
    let (hold, lines) = (hold_times(db, payment.booking_id)?, lines(db, payment.id)?);
    Ok(DuePayment { payment, hold, reference, token, email, event_name, lines })
}

/// Fixes the body of a payment's request, in the transaction that takes it: from now on its key has this body.
///
/// # Errors
/// What the database said.
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

/// Shows the page to the buyer, whose time begins now. Before that, and in the same transaction, the tickets are held
/// for as long as the page can be paid on. Whether that was in time: a booking that has ended meanwhile has no page.
///
/// # Errors
/// What the database said.
pub fn opened(db: &mut Db, payment: &Payment, page: &OpenedPage) -> QueryResult<bool> {
    let now = clock(db)?;
    let Some(hold) = lock_hold(db, payment.booking_id)?.filter(|hold| hold.end() > now) else {
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
        (now + PAY_TIME, Some(now + PAY_TIME + most))
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
    let own = payments::table
        .find(payment.id)
        .filter(payments::state.eq(PaymentState::Wanted))
        .filter(payments::due_at.eq(payment.due_at));
    let opened = diesel::update(own)
        .set((
            payments::state.eq(PaymentState::Open),
            payments::session_id.eq(&page.session_id),
            payments::session_url.eq(&page.url),
            payments::session_ends_at.eq(page.ends_at),
            payments::intent_id.eq(&page.intent_id),
            payments::opened_at.eq(now),
            payments::due_at.eq(pay_until),
            payments::attempts.eq(0),
            payments::last_error.eq(None::<String>),
        ))
        .execute(db)?;
    // Another server has it now: what this one has written of the hold goes with it.
    if opened == 1 { Ok(true) } else { Err(diesel::result::Error::RollbackTransaction) }
}

/// The provider has closed the page unpaid, or there was none: the tickets go back on sale, by the sweeper that ends
/// all holds.
///
/// # Errors
/// What the database said.
pub fn expired(db: &mut Db, payment: &Payment) -> QueryResult<()> {
    let now = clock(db)?;
    if lock_hold(db, payment.booking_id)?.is_some() {
        diesel::update(holds::table.find(payment.booking_id))
            .set((holds::held_until.eq(now), holds::pay_until.eq(now)))
            .execute(db)?;
    }
    end(db, payment, now)
}

/// Ends an attempt. It must still be alive: otherwise somebody has settled it, and nothing of this is true.
fn end(db: &mut Db, payment: &Payment, now: NaiveDateTime) -> QueryResult<()> {
    let own = payments::table.find(payment.id).filter(payments::state.eq_any(ALIVE));
    let ended = diesel::update(own)
        .set((payments::state.eq(PaymentState::Expired), payments::ended_at.eq(now)))
        .execute(db)?;
    if ended == 1 { Ok(()) } else { Err(diesel::result::Error::RollbackTransaction) }
}

/// The bank said no. The page stays open, and so does the hold.
///
/// # Errors
/// What the database said.
pub fn declined(db: &mut Db, payment: &Payment, code: &str, due_at: NaiveDateTime) -> QueryResult<()> {
    let own = payments::table.find(payment.id).filter(payments::due_at.eq(payment.due_at));
    diesel::update(own)
        .set((payments::declined.eq(code), payments::due_at.eq(due_at), payments::attempts.eq(0)))
        .execute(db)?;
    Ok(())
}

/// To be asked again at that time.
///
/// # Errors
/// What the database said.
pub fn put_off(db: &mut Db, payment: &Payment, due_at: NaiveDateTime, why: Option<&str>) -> QueryResult<()> {
    let own = payments::table.find(payment.id).filter(payments::due_at.eq(payment.due_at));
    diesel::update(own).set((payments::due_at.eq(due_at), payments::last_error.eq(why))).execute(db)?;
    Ok(())
}

/// Taken and given back without a question.
///
/// # Errors
/// What the database said.
pub fn give_back(db: &mut Db, payment: &Payment, now: NaiveDateTime) -> QueryResult<()> {
    let own = payments::table.find(payment.id).filter(payments::due_at.eq(payment.due_at));
    diesel::update(own)
        .set((payments::due_at.eq(now), payments::attempts.eq(payments::attempts - 1)))
        .execute(db)?;
    Ok(())
}

/// The provider will never make this page. The tickets stay held for as long as the buyer was told, so that they may
/// try again. `retry`: it was the key or the time that was wrong, so another attempt takes its place at once.
///
/// # Errors
/// What the database said.
pub fn failed(db: &mut Db, payment: &Payment, why: &str, retry: bool) -> QueryResult<()> {
    let now = clock(db)?;
    let is_held = lock_hold(db, payment.booking_id)?.is_some();
    let own = payments::table
        .find(payment.id)
        .filter(payments::state.eq(PaymentState::Wanted))
        .filter(payments::due_at.eq(payment.due_at));
    let failed = diesel::update(own)
        .set((
            payments::state.eq(PaymentState::Failed),
            payments::ended_at.eq(now),
            payments::last_error.eq(why),
        ))
        .execute(db)?;
    if failed == 0 || !retry || !is_held {
        return Ok(());
    }
    let id: i64 = diesel::insert_into(payments::table)
        .values((
            payments::booking_id.eq(payment.booking_id),
            payments::provider.eq(STRIPE),
            payments::live.eq(payment.live),
            payments::currency.eq(&payment.currency),
            payments::amount_minor.eq(payment.amount_minor),
            payments::refund_fee_minor.eq(payment.refund_fee_minor),
            payments::idempotency_key.eq(new_token()),
            payments::wanted_at.eq(payment.wanted_at),
            payments::due_at.eq(now),
        ))
        .returning(payments::id)
        .get_result(db)?;
    super::insert_lines(db, id, payment.booking_id)
}

/// What was paid is not what was asked for, or not in this mode. Nothing happens by itself any more: people look. The
/// tickets stay held until the page's own end.
///
/// # Errors
/// What the database said.
pub fn to_review(db: &mut Db, payment: &Payment, why: &str) -> QueryResult<()> {
    let now = clock(db)?;
    let own = payments::table.find(payment.id).filter(payments::state.eq_any(ALIVE));
    diesel::update(own)
        .set((
            payments::state.eq(PaymentState::Review),
            payments::ended_at.eq(now),
            payments::last_error.eq(why),
        ))
        .execute(db)?;
    Ok(())
}

/// What a booking is now.
pub(super) fn booking_status(db: &mut Db, booking_id: i64) -> QueryResult<Option<BookingStatus>> {
    bookings::table.find(booking_id).select(bookings::status).first(db).optional()
}
