//! The SQL of the inbox: what the provider tells, each event once, and what it wakes.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamp};

use super::ask_soon;
use super::due::take_due;
use crate::db::Db;
use crate::payment::stripe::amount::of_stripe;
use crate::payment::{Payment, RefundSource, RefundState, STRIPE};
use crate::schema::{payment_events, payments, refunds};

/// What the provider tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    pub event_id: String,
    /// "checkout.session.completed"
    pub kind: String,
    pub object_id: String,
    pub intent_id: Option<String>,
    pub payment_id: Option<i64>,
    /// How much of a charge has gone back, in the provider's units.
    pub returned: Option<i64>,
    pub live: bool,
    /// UTC.
    pub happened_at: NaiveDateTime,
}

/// An event that waits.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = payment_events)]
pub struct WaitingEvent {
    pub event_id: String,
    pub kind: String,
    pub object_id: String,
    pub intent_id: Option<String>,
    pub payment_id: Option<i64>,
    pub returned: Option<i64>,
    pub live: bool,
    /// How often it was taken.
    pub attempts: i32,
}

impl WaitingEvent {
    /// Whether it may say that a page was paid on.
    #[must_use]
    pub fn may_be_paid(&self) -> bool {
        matches!(
            self.kind.as_str(),
            "checkout.session.completed" | "checkout.session.async_payment_succeeded"
        )
    }

    #[must_use]
    pub fn is_dispute(&self) -> bool {
        self.kind.starts_with("charge.dispute.")
    }
}

const RECEIVE_POSTGRES: &str = "
    INSERT INTO payment_events (provider, event_id, kind, object_id, intent_id, payment_id, live, happened_at,
                                received_at, due_at, returned)
    VALUES ('stripe', $1, $2, $3, $4, $5, $6, $7, $8, $8, $9) ON CONFLICT (provider, event_id) DO NOTHING";
const RECEIVE_SQLITE: &str = "
    INSERT INTO payment_events (provider, event_id, kind, object_id, intent_id, payment_id, live, happened_at,
                                received_at, due_at, returned)
    VALUES ('stripe', ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9) ON CONFLICT (provider, event_id) DO NOTHING";

/// Keeps an event, if it is not there already; whether it was new.
pub fn receive(db: &mut Db, event: &NewEvent, now: NaiveDateTime) -> QueryResult<bool> {
    macro_rules! insert {
        ($query:expr, $connection:expr) => {
            diesel::sql_query($query)
                .bind::<Text, _>(&event.event_id)
                .bind::<Text, _>(&event.kind)
                .bind::<Text, _>(&event.object_id)
                .bind::<Nullable<Text>, _>(&event.intent_id)
                .bind::<Nullable<BigInt>, _>(event.payment_id)
                .bind::<Bool, _>(event.live)
                .bind::<Timestamp, _>(event.happened_at)
                .bind::<Timestamp, _>(now)
                .bind::<Nullable<BigInt>, _>(event.returned)
                .execute($connection)?
        };
    }
    let received = match db {
        Db::Postgres(pg) => insert!(RECEIVE_POSTGRES, pg),
        Db::Sqlite(sqlite) => insert!(RECEIVE_SQLITE, sqlite),
    };
    Ok(received == 1)
}

const TAKE_POSTGRES: &str = "
    UPDATE payment_events SET due_at = $1, attempts = attempts + 1
    WHERE provider = 'stripe' AND event_id = ANY (ARRAY (
        SELECT event_id FROM payment_events WHERE handled_at IS NULL AND live = $4 AND due_at <= $2
        ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
    )) RETURNING event_id";
const TAKE_SQLITE: &str = "
    UPDATE payment_events SET due_at = ?1, attempts = attempts + 1
    WHERE rowid IN (SELECT rowid FROM payment_events WHERE handled_at IS NULL AND live = ?4 AND due_at <= ?2
                    ORDER BY due_at LIMIT ?3)
    RETURNING event_id";

#[derive(QueryableByName)]
struct EventId {
    #[diesel(sql_type = Text)]
    event_id: String,
}

/// Whether an event waits. `live`: with a key of one mode nothing of the other can be asked, so its events wait for a
/// server with the other key.
pub fn is_any_due(db: &mut Db, live: bool, now: NaiveDateTime) -> QueryResult<bool> {
    let due = payment_events::table
        .filter(payment_events::handled_at.is_null())
        .filter(payment_events::live.eq(live))
        .filter(payment_events::due_at.le(now))
        .order(payment_events::due_at);
    Ok(due.select(payment_events::event_id).first::<String>(db).optional()?.is_some())
}

/// Takes events that wait. They are due again when the lease ends.
pub fn take(
    db: &mut Db,
    limit: i64,
    live: bool,
    times: (NaiveDateTime, NaiveDateTime),
) -> QueryResult<Vec<WaitingEvent>> {
    let taken: Vec<EventId> = take_due(db, [TAKE_POSTGRES, TAKE_SQLITE], limit, live, times)?;
    let ids: Vec<String> = taken.into_iter().map(|it| it.event_id).collect();
    payment_events::table
        .filter(payment_events::provider.eq(STRIPE))
        .filter(payment_events::event_id.eq_any(ids))
        .select(WaitingEvent::as_select())
        .load(db)
}

/// The payment that an event is about. `None`: it is none of ours.
pub fn payment_of(db: &mut Db, event: &WaitingEvent) -> QueryResult<Option<Payment>> {
    let by_session = payments::table.filter(payments::session_id.eq(&event.object_id));
    if let Some(found) = by_session.select(Payment::as_select()).first(db).optional()? {
        return Ok(Some(found));
    }
    if let Some(intent_id) = &event.intent_id {
        let by_intent = payments::table.filter(payments::intent_id.eq(intent_id));
        if let Some(found) = by_intent.select(Payment::as_select()).first(db).optional()? {
            return Ok(Some(found));
        }
    }
    // Stripe is only asked about this payment. So it does no harm if the number is that of another site's
    // payment.
    let Some(id) = event.payment_id else { return Ok(None) };
    payments::table
        .find(id)
        .filter(payments::live.eq(event.live))
        .select(Payment::as_select())
        .first(db)
        .optional()
}

/// Makes the payment of an event about a page due now. Then the event is handled. `now`: the time of the
/// transaction, so that the same transaction can take the payment.
pub fn wake(db: &mut Db, event: &WaitingEvent, payment: &Payment, now: NaiveDateTime) -> QueryResult<()> {
    ask_soon(db, payment.booking_id, now)?;
    handled(db, &event.event_id, now)
}

/// Whether everything that went back, according to an event about a charge, is known already.
pub fn is_known(db: &mut Db, event: &WaitingEvent, payment: &Payment) -> QueryResult<bool> {
    let Some(returned) = event.returned.and_then(|it| of_stripe(it, &payment.currency)) else {
        return Ok(false);
    };
    let amounts: Vec<i64> = refunds::table
        .filter(refunds::payment_id.eq(payment.id))
        .filter(refunds::source.ne(RefundSource::Dispute))
        .filter(refunds::state.eq_any([RefundState::Pending, RefundState::Done]))
        .select(refunds::amount_minor)
        .load(db)?;
    Ok(amounts.iter().sum::<i64>() >= returned)
}

/// The most events that one statement forgets.
const FORGOTTEN_AT_ONCE: i64 = 1_000;

/// Forgets events that were handled and came before that time; how many. There may be more.
pub fn forget(db: &mut Db, before: NaiveDateTime) -> QueryResult<usize> {
    let old: Vec<String> = payment_events::table
        .filter(payment_events::received_at.lt(before))
        .filter(payment_events::handled_at.is_not_null())
        .limit(FORGOTTEN_AT_ONCE)
        .select(payment_events::event_id)
        .load(db)?;
    let own = payment_events::table.filter(payment_events::event_id.eq_any(old));
    diesel::delete(own.filter(payment_events::handled_at.is_not_null())).execute(db)
}

/// Postpones an event to that time.
pub fn put_off(db: &mut Db, event_id: &str, due_at: NaiveDateTime) -> QueryResult<()> {
    diesel::update(payment_events::table.find((STRIPE, event_id)))
        .set(payment_events::due_at.eq(due_at))
        .execute(db)?;
    Ok(())
}

/// Nothing is left to be done about an event.
pub fn handled(db: &mut Db, event_id: &str, now: NaiveDateTime) -> QueryResult<()> {
    diesel::update(payment_events::table.find((STRIPE, event_id)))
        .set(payment_events::handled_at.eq(now))
        .execute(db)?;
    Ok(())
}
