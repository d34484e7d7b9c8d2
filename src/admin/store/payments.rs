//! The SQL of the organizer's pages about money.

use std::collections::HashMap;

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;

use crate::db::Db;
use crate::money::Money;
use crate::payment::store::ledger::EntryKind;
use crate::payment::{Payment, PaymentState, Refund, RefundSource, RefundState};
use crate::schema::{bookings, events, ledger, payment_events, payments, refunds};

/// A refund that waits this long, or a payment page that is open this long past its end, needs somebody to
/// look.
pub const SLOW_AFTER: TimeDelta = TimeDelta::hours(1);
/// How many payments that somebody has to look at are shown at once.
const CONCERNS_MAX: i64 = 200;
/// How many refunds are searched for them.
const REFUNDS_MAX: i64 = 1_000;

/// Which payments are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentView {
    /// Those that have brought money, and those that somebody has to review.
    Paid,
    /// Buyers are paying.
    Open,
    /// Nothing was paid.
    Ended,
}

impl PaymentView {
    fn states(self) -> &'static [PaymentState] {
        match self {
            Self::Paid => &[PaymentState::Paid, PaymentState::Review],
            Self::Open => &[PaymentState::Wanted, PaymentState::Open],
            Self::Ended => &[PaymentState::Expired, PaymentState::Failed],
        }
    }
}

/// A payment with its booking, its concert, and what went back of it.
#[derive(Debug, Clone)]
pub struct PaymentRecord {
    pub payment: Payment,
    pub reference: String,
    pub buyer_name: String,
    pub slug: String,
    pub event_name: String,
    /// The newest first.
    pub refunds: Vec<Refund>,
    /// What the provider keeps, for disputes too, by currency.
    pub fees: Vec<Money>,
}

type Row = (Payment, String, String, String, String);

macro_rules! records {
    () => {
        payments::table.inner_join(bookings::table.inner_join(events::table)).select((
            Payment::as_select(),
            bookings::reference,
            bookings::buyer_name,
            events::slug,
            events::name,
        ))
    };
}

/// The payments of a concert before an id, the newest first.
pub fn of_event(
    db: &mut Db,
    event_id: i64,
    view: PaymentView,
    before: Option<i64>,
    limit: i64,
) -> QueryResult<Vec<PaymentRecord>> {
    let rows: Vec<Row> = records!()
        .filter(bookings::event_id.eq(event_id))
        .filter(payments::state.eq_any(view.states()))
        .filter(payments::id.lt(before.unwrap_or(i64::MAX)))
        .order(payments::id.desc())
        .limit(limit)
        .load(db)?;
    with_refunds(db, rows)
}

/// The attempts to pay for a booking, the newest first.
pub fn of_booking(db: &mut Db, booking_id: i64) -> QueryResult<Vec<PaymentRecord>> {
    let rows: Vec<Row> =
        records!().filter(payments::booking_id.eq(booking_id)).order(payments::id.desc()).load(db)?;
    with_refunds(db, rows)
}

/// Payments that somebody may have to look at, of a concert or of all. [`PaymentRecord::concerns`] decides.
pub fn concerning(db: &mut Db, event_id: Option<i64>, now: NaiveDateTime) -> QueryResult<Vec<PaymentRecord>> {
    let slow = now - SLOW_AFTER;
    let is_dispute = refunds::source.eq(RefundSource::Dispute);
    let is_slow = refunds::state.eq(RefundState::Wanted).and(refunds::wanted_at.lt(slow));
    let is_unanswered = refunds::state.eq(RefundState::Pending).and(refunds::last_error.is_not_null());
    let has_failed = refunds::state.eq(RefundState::Failed);
    let ids: Vec<i64> = refunds::table
        .filter(
            (is_dispute.and(refunds::state.eq(RefundState::Pending)))
                .or(refunds::source.ne(RefundSource::Dispute).and(has_failed.or(is_unanswered)))
                .or(is_slow),
        )
        .order(refunds::id.desc())
        .limit(REFUNDS_MAX)
        .select(refunds::payment_id)
        .load(db)?;
    let is_overdue = payments::state.eq(PaymentState::Open).and(payments::session_ends_at.lt(slow));
    let mut rows = records!()
        .filter(payments::state.eq(PaymentState::Review).or(is_overdue).or(payments::id.eq_any(ids)))
        .order(payments::id.desc())
        .limit(CONCERNS_MAX)
        .into_boxed();
    if let Some(event_id) = event_id {
        rows = rows.filter(bookings::event_id.eq(event_id));
    }
    let rows: Vec<Row> = rows.load(db)?;
    with_refunds(db, rows)
}

fn with_refunds(db: &mut Db, rows: Vec<Row>) -> QueryResult<Vec<PaymentRecord>> {
    let ids: Vec<i64> = rows.iter().map(|row| row.0.id).collect();
    let all: Vec<Refund> = refunds::table
        .filter(refunds::payment_id.eq_any(ids))
        .order(refunds::id.desc())
        .select(Refund::as_select())
        .load(db)?;
    let mut fees = fees(db, rows.iter().map(|row| row.0.booking_id))?;
    let record = |(payment, reference, buyer_name, slug, event_name): Row| {
        let refunds = all.iter().filter(|it| it.payment_id == payment.id).cloned().collect();
        let fees = fees.remove(&payment.id).unwrap_or_default();
        PaymentRecord { payment, reference, buyer_name, slug, event_name, refunds, fees }
    };
    Ok(rows.into_iter().map(record).collect())
}

/// What the provider keeps, by payment.
fn fees(db: &mut Db, booking_ids: impl Iterator<Item = i64>) -> QueryResult<HashMap<i64, Vec<Money>>> {
    let entries: Vec<(i64, String, i64)> = ledger::table
        .filter(ledger::booking_id.eq_any(booking_ids.collect::<Vec<_>>()))
        .filter(ledger::kind.eq_any([EntryKind::Fee, EntryKind::FeeReturned]))
        .order(ledger::id)
        .select((ledger::payment_id, ledger::currency, ledger::amount_minor))
        .load(db)?;
    let mut all: HashMap<i64, Vec<Money>> = HashMap::new();
    for (payment, currency, amount_minor) in entries {
        let own = all.entry(payment).or_default();
        match own.iter_mut().find(|it| it.currency == currency) {
            Some(sum) => sum.minor -= amount_minor,
            None => own.push(Money::new(-amount_minor, &currency)),
        }
    }
    Ok(all)
}

/// A concert with payments that were paid: its slug, its name, and how many there are.
pub type PaidConcert = (String, String, i64);

/// The concerts with payments that were paid, the newest payment first.
pub fn concerts(db: &mut Db) -> QueryResult<Vec<PaidConcert>> {
    payments::table
        .inner_join(bookings::table.inner_join(events::table))
        .filter(payments::state.eq(PaymentState::Paid))
        .group_by((events::slug, events::name))
        .order(diesel::dsl::max(payments::id).desc())
        .select((events::slug, events::name, diesel::dsl::count(payments::id)))
        .load(db)
}

/// What is known of the webhook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebhookFacts {
    /// The newest events: when each happened, and when this site learned of it.
    pub newest: Vec<(NaiveDateTime, NaiveDateTime)>,
    /// Events that wait to be handled.
    pub waiting: i64,
    /// When the newest payment page was made.
    pub last_opened: Option<NaiveDateTime>,
}

/// Reads what is known of the webhook.
pub fn webhook(db: &mut Db) -> QueryResult<WebhookFacts> {
    Ok(WebhookFacts {
        newest: payment_events::table
            .order(payment_events::received_at.desc())
            .limit(20)
            .select((payment_events::happened_at, payment_events::received_at))
            .load(db)?,
        waiting: payment_events::table.filter(payment_events::handled_at.is_null()).count().get_result(db)?,
        last_opened: payments::table
            .filter(payments::opened_at.is_not_null())
            .order(payments::id.desc())
            .select(payments::opened_at)
            .first(db)
            .optional()?
            .flatten(),
    })
}
