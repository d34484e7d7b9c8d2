//! The SQL of what operators watch: what waits for the provider, and for how long.

use chrono::{NaiveDateTime, TimeDelta};
use diesel::dsl::{count, min};
use diesel::prelude::*;
use diesel::sql_types::Timestamp;

use crate::db::{Db, clock};
use crate::payment::store::clocks::{self, RECONCILED};
use crate::payment::{PaymentState, RefundSource, RefundState};
use crate::schema::{payment_events, payments, refunds};

/// The provider's silence matters only while people pay: if a page was made within this time.
const RECENT: TimeDelta = TimeDelta::days(3);

/// The newest event that came as a webhook. An event that arrives two minutes after it has happened, or
/// later, counts as found in the list.
const LAST_TOLD_POSTGRES: &str = "SELECT received_at AS at FROM payment_events
     WHERE received_at < happened_at + INTERVAL '2 minutes' ORDER BY received_at DESC LIMIT 1";
const LAST_TOLD_SQLITE: &str = "SELECT received_at AS at FROM payment_events
     WHERE julianday(received_at) < julianday(happened_at, '+2 minutes') ORDER BY received_at DESC LIMIT 1";

/// What waits, for the whole site and in both modes, test and live: a server cannot work on what belongs to
/// the other mode, so that waits too.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PaymentBacklog {
    /// Buyers that wait for their page.
    pub wanted: i64,
    /// Pages that may be paid on.
    pub open: i64,
    /// Payments that people have to look at.
    pub in_review: i64,
    pub refunds_wanted: i64,
    /// Disputes that are not decided.
    pub disputes: i64,
    pub events_waiting: i64,
    pub ages: BacklogAges,
}

/// How long it has waited, in seconds; 0 where nothing waits.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BacklogAges {
    /// Since the first buyer that waits has asked for a page.
    pub wanted: f64,
    /// Since the end of the first page whose result is not known. Its tickets stay held for only two minutes
    /// after that end.
    pub overdue_page: f64,
    /// Since the first refund that waits was asked for.
    pub refund: f64,
    /// Since the first event that waits should have been looked at.
    pub event: f64,
    /// Since the first page that was made after the last webhook.
    pub webhook_silence: f64,
    /// Since the provider's list of events was last read.
    pub reconciled: f64,
}

#[derive(QueryableByName)]
struct At {
    #[diesel(sql_type = Timestamp)]
    at: NaiveDateTime,
}

/// Counts what waits.
pub fn backlog(db: &mut Db) -> QueryResult<PaymentBacklog> {
    let now = clock(db)?;
    let age = |since: Option<NaiveDateTime>| since.map_or(0.0, |at| (now - at).as_seconds_f64().max(0.0));
    let in_state = |state: PaymentState| payments::table.filter(payments::state.eq(state));
    let (wanted, first_wanted): (i64, Option<NaiveDateTime>) =
        in_state(PaymentState::Wanted).select((count(payments::id), min(payments::wanted_at))).first(db)?;
    let (open, first_end): (i64, Option<NaiveDateTime>) = in_state(PaymentState::Open)
        .select((count(payments::id), min(payments::session_ends_at)))
        .first(db)?;
    let (refunds_wanted, first_refund): (i64, Option<NaiveDateTime>) = refunds::table
        .filter(refunds::state.eq(RefundState::Wanted))
        .select((count(refunds::id), min(refunds::wanted_at)))
        .first(db)?;
    let disputes = refunds::table
        .filter(refunds::state.eq(RefundState::Pending))
        .filter(refunds::source.eq(RefundSource::Dispute))
        .count()
        .get_result(db)?;
    let (events_waiting, first_event): (i64, Option<NaiveDateTime>) = payment_events::table
        .filter(payment_events::handled_at.is_null())
        .select((count(payment_events::event_id), min(payment_events::due_at)))
        .first(db)?;
    let (unheard_since, unread_since) = silence(db, now)?;
    Ok(PaymentBacklog {
        wanted,
        open,
        in_review: in_state(PaymentState::Review).count().get_result(db)?,
        refunds_wanted,
        disputes,
        events_waiting,
        ages: BacklogAges {
            wanted: age(first_wanted),
            overdue_page: age(first_end),
            refund: age(first_refund),
            event: age(first_event),
            webhook_silence: age(unheard_since),
            reconciled: age(unread_since),
        },
    })
}

/// Since when webhooks are silent about pages, and since when the provider's list was not read. `None`: nobody pays.
fn silence(db: &mut Db, now: NaiveDateTime) -> QueryResult<(Option<NaiveDateTime>, Option<NaiveDateTime>)> {
    let opened_after = |db: &mut Db, at: NaiveDateTime| -> QueryResult<Option<NaiveDateTime>> {
        payments::table.filter(payments::opened_at.gt(at)).select(min(payments::opened_at)).first(db)
    };
    let Some(first_opened) = opened_after(db, now - RECENT)? else { return Ok((None, None)) };
    let last_told = match db {
        Db::Postgres(pg) => diesel::sql_query(LAST_TOLD_POSTGRES).get_result::<At>(pg),
        Db::Sqlite(sqlite) => diesel::sql_query(LAST_TOLD_SQLITE).get_result::<At>(sqlite),
    };
    let last_told = last_told.optional()?.map(|it| it.at);
    let unheard = match last_told.filter(|at| *at > first_opened) {
        Some(at) => opened_after(db, at)?,
        None => Some(first_opened),
    };
    Ok((unheard, Some(clocks::read(db, RECONCILED)?.unwrap_or(first_opened))))
}
