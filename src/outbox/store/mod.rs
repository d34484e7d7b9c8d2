//! The SQL of the outbox.
//!
//! Mails together with their bookings do not belong here: see `mail::store`.

pub mod batches;
mod queueing;

use chrono::{NaiveDateTime, Utc};
use diesel::dsl::{min, sql};
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Timestamp};

pub use self::queueing::{enqueue, enqueue_once};
use super::{AttemptOutcome, AttemptResult, Backlog, Mail, MailKind, MailState, UnsentCounts};
use crate::db::Db;
use crate::schema::{batched_confirmations, bookings, confirmation_batches, mails};

/// Takes the mails that were due first. Two servers never take the same mail: PostgreSQL skips rows that
/// another server has locked, SQLite has one writer at a time.
const TAKE_POSTGRES: &str = "
    UPDATE mails SET due_at = $1, attempts = attempts + 1
    WHERE id = ANY (ARRAY (
        SELECT id FROM mails WHERE state = 'queued' AND due_at <= $2 ORDER BY due_at LIMIT $3
        FOR UPDATE SKIP LOCKED
    )) RETURNING id";
const TAKE_SQLITE: &str = "
    UPDATE mails SET due_at = ?, attempts = attempts + 1
    WHERE id IN (SELECT id FROM mails WHERE state = 'queued' AND due_at <= ? ORDER BY due_at LIMIT ?)
    RETURNING id";

#[derive(QueryableByName)]
struct MailId {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Whether a mail is due.
pub fn is_anything_due(db: &mut Db, now: NaiveDateTime) -> QueryResult<bool> {
    // Ordered as the queue's index, so that the index is used.
    let due = mails::table
        .filter(mails::state.eq(MailState::Queued.as_str()))
        .filter(mails::due_at.le(now))
        .order(mails::due_at);
    let one: Option<i64> = due.select(mails::id).first(db).optional()?;
    let batches = confirmation_batches::table.filter(confirmation_batches::queued_at.le(now));
    let batch: Option<i64> = batches.select(confirmation_batches::id).first(db).optional()?;
    Ok(one.or(batch).is_some())
}

/// Mails that were taken.
pub struct TakenMails {
    pub mails: Vec<Mail>,
    /// Nothing else is due.
    pub is_all: bool,
}

/// Which mails are taken.
#[derive(Debug, Clone, Copy)]
pub enum Choice {
    /// At most so many, those that are due first.
    Oldest(usize),
    /// One that shows whether the mail server takes mails again: a mail that was not tried yet, from either end of the
    /// queue, because one that was refused may be refused for its recipient.
    Probe { newest: bool },
}

/// Before a probe, this many confirmations are taken out of their batches, so that the probe can be any of
/// them.
const LISTED_FOR_PROBE: usize = 100;

/// Takes mails that are due. They are due again when the lease ends. Runs inside the caller's transaction.
pub fn take(
    db: &mut Db,
    choice: Choice,
    now: NaiveDateTime,
    lease: NaiveDateTime,
) -> QueryResult<TakenMails> {
    let (mut ids, limit) = match choice {
        Choice::Oldest(limit) => (take_queued(db, limit, now, lease)?, limit),
        Choice::Probe { newest } => (take_untried(db, newest, now, lease)?, 1),
    };
    if ids.is_empty() && matches!(choice, Choice::Probe { .. }) {
        ids = take_queued(db, limit, now, lease)?;
    }
    let mut has_swept = false;
    let is_all = loop {
        if ids.len() == limit {
            break false;
        }
        match batches::list(db, now, 1)? {
            None => break true,
            // Once is enough: the transaction stays short.
            Some(0) if has_swept => break false,
            Some(0) => {
                batches::sweep(db)?;
                has_swept = true;
            }
            Some(_) => ids.append(&mut take_queued(db, limit - ids.len(), now, lease)?),
        }
    };
    let mails = mails::table.filter(mails::id.eq_any(ids)).order(mails::id).select(Mail::as_select());
    Ok(TakenMails { mails: mails.load(db)?, is_all })
}

fn take_untried(
    db: &mut Db,
    newest: bool,
    now: NaiveDateTime,
    lease: NaiveDateTime,
) -> QueryResult<Vec<i64>> {
    let mut listed = 0;
    while listed < LISTED_FOR_PROBE
        && let Some(more @ 1..) = batches::list(db, now, 1)?
    {
        listed += more;
    }
    let due = || {
        let queued = mails::table.filter(mails::state.eq(MailState::Queued.as_str()));
        queued.filter(mails::due_at.le(now)).filter(mails::attempts.eq(0))
    };
    let id: Option<i64> = match newest {
        true => due().order(mails::due_at.desc()).select(mails::id).first(db),
        false => due().order(mails::due_at).select(mails::id).first(db),
    }
    .optional()?;
    let Some(id) = id else { return Ok(Vec::new()) };
    let taken = diesel::update(due().filter(mails::id.eq(id)))
        .set((mails::due_at.eq(lease), mails::attempts.eq(mails::attempts + 1)))
        .execute(db)?;
    // None: another server was faster.
    Ok(if taken == 0 { Vec::new() } else { vec![id] })
}

fn take_queued(db: &mut Db, limit: usize, now: NaiveDateTime, lease: NaiveDateTime) -> QueryResult<Vec<i64>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let taken: Vec<MailId> = match db {
        Db::Postgres(pg) => diesel::sql_query(TAKE_POSTGRES)
            .bind::<Timestamp, _>(lease)
            .bind::<Timestamp, _>(now)
            .bind::<BigInt, _>(limit)
            .load(pg)?,
        Db::Sqlite(sqlite) => diesel::sql_query(TAKE_SQLITE)
            .bind::<Timestamp, _>(lease)
            .bind::<Timestamp, _>(now)
            .bind::<BigInt, _>(limit)
            .load(sqlite)?,
    };
    Ok(taken.into_iter().map(|taken| taken.id).collect())
}

/// Saves the results of attempts, inside the caller's transaction. A sent mail is sent, even when another sender has
/// taken it since. Any other result counts only while the lease is the attempt's own.
pub fn save_results(db: &mut Db, results: &[AttemptResult], now: NaiveDateTime) -> QueryResult<()> {
    let sent: Vec<i64> =
        results.iter().filter(|it| it.outcome == AttemptOutcome::Sent).map(|it| it.id).collect();
    if !sent.is_empty() {
        let queued = mails::table.filter(mails::id.eq_any(sent)).filter(mails::state.eq("queued"));
        diesel::update(queued)
            .set((
                mails::state.eq(MailState::Sent.as_str()),
                mails::sent_at.eq(now),
                mails::last_error.eq(None::<String>),
            ))
            .execute(db)?;
    }
    results.iter().try_for_each(|result| save_unsent(db, result))
}

fn save_unsent(db: &mut Db, result: &AttemptResult) -> QueryResult<()> {
    let ours = mails::table
        .filter(mails::id.eq(result.id))
        .filter(mails::state.eq("queued"))
        .filter(mails::due_at.eq(result.lease));
    match &result.outcome {
        AttemptOutcome::Sent => Ok(0),
        AttemptOutcome::Dropped(why) => diesel::update(ours)
            .set((mails::state.eq(MailState::Dropped.as_str()), mails::last_error.eq(why)))
            .execute(db),
        AttemptOutcome::Failed(why) => diesel::update(ours)
            .set((mails::state.eq(MailState::Failed.as_str()), mails::last_error.eq(why)))
            .execute(db),
        AttemptOutcome::Again(due_at, why) => {
            diesel::update(ours).set((mails::due_at.eq(due_at), mails::last_error.eq(why))).execute(db)
        }
        AttemptOutcome::Released => diesel::update(ours)
            .set((mails::due_at.eq(mails::queued_at), mails::attempts.eq(mails::attempts - 1)))
            .execute(db),
    }?;
    Ok(())
}

/// Most batches of confirmations that are given up in one transaction.
const GIVEN_UP_AT_ONCE: i64 = 1000;

/// Marks mails that were queued before a time and still wait as failed. `why`: what keeps mails from being sent.
pub fn give_up(db: &mut Db, before: NaiveDateTime, now: NaiveDateTime, why: &str) -> QueryResult<usize> {
    batches::list(db, before, GIVEN_UP_AT_ONCE)?;
    let overdue = mails::table
        .filter(is_in(MailState::Queued))
        .filter(mails::due_at.le(now))
        .filter(mails::queued_at.le(before));
    diesel::update(overdue)
        .set((mails::state.eq(MailState::Failed.as_str()), mails::last_error.eq(why)))
        .execute(db)
}

/// Whether a mail is in that state, written out: an index on the mails of one state is not used for a bound value, and
/// there are as many mails as bookings.
pub fn is_in(state: MailState) -> SqlLiteral<Bool> {
    sql(&format!("mails.state = '{}'", state.as_str()))
}

/// Counts unsent mails, in two indexes that hold only these.
pub fn waiting(db: &mut Db) -> QueryResult<UnsentCounts> {
    let mut count = |state: MailState| mails::table.filter(is_in(state)).count().get_result(db);
    let (queued, failed) = (count(MailState::Queued)?, count(MailState::Failed)?);
    let unlisted = batched_confirmations::table.count().get_result(db)?;
    Ok(UnsentCounts { queued, failed, unlisted })
}

/// The same, and since when the oldest one waits.
pub fn backlog(db: &mut Db) -> QueryResult<Backlog> {
    let queued = mails::table.filter(is_in(MailState::Queued));
    let listed: Option<NaiveDateTime> = queued.select(min(mails::queued_at)).get_result(db)?;
    let unlisted: Option<NaiveDateTime> =
        confirmation_batches::table.select(min(confirmation_batches::queued_at)).get_result(db)?;
    let oldest = listed.into_iter().chain(unlisted).min();
    Ok(Backlog { waiting: waiting(db)?, oldest })
}

/// When the newest mail that was sent went out (UTC). By its id: there is no index of times.
pub fn last_sent(db: &mut Db) -> QueryResult<Option<NaiveDateTime>> {
    let sent = mails::table.filter(mails::sent_at.is_not_null()).order(mails::id.desc());
    sent.select(mails::sent_at).first(db).optional().map(Option::flatten)
}

/// Queues a mail again, as if it were new. Returns its kind and what it is about. `None`: it is queued
/// already, is gone, or is an invitation that was sent.
pub fn resend(db: &mut Db, id: i64) -> QueryResult<Option<String>> {
    let not_queued = mails::table.find(id).filter(mails::state.ne("queued"));
    let found: Option<(String, Option<String>)> = mails::table
        .left_join(bookings::table)
        .filter(mails::id.eq(id))
        .select((mails::kind, bookings::reference.nullable()))
        .first(db)
        .optional()?;
    let Some((kind, reference)) = found else { return Ok(None) };
    // An invitation that was sent may have been withdrawn since. The team's page makes a new one.
    let not_queued =
        not_queued.filter(mails::kind.ne(MailKind::Invitation.as_str()).or(mails::state.eq("failed")));
    follow_buyer(db, Some(id))?;
    let queued = diesel::update(not_queued).set(requeued()).execute(db)?;
    let subject = reference.map_or(kind.clone(), |reference| format!("{kind} of {reference}"));
    Ok((queued > 0).then_some(subject))
}

/// Queues all failed mails again. Returns how many there were.
pub fn resend_failed(db: &mut Db) -> QueryResult<usize> {
    follow_buyer(db, None)?;
    diesel::update(mails::table.filter(mails::state.eq("failed"))).set(requeued()).execute(db)
}

/// A mail about a booking that is sent again goes to the address that the buyer has today. The exception is
/// the notice to a booking's old address.
fn follow_buyer(db: &mut Db, id: Option<i64>) -> QueryResult<()> {
    let mut of_bookings = diesel::update(mails::table)
        .filter(mails::booking_id.is_not_null())
        .filter(mails::kind.ne(MailKind::AddressChange.as_str()))
        .filter(mails::state.ne(MailState::Queued.as_str()))
        .set(mails::recipient.eq(None::<String>))
        .into_boxed();
    of_bookings = match id {
        Some(id) => of_bookings.filter(mails::id.eq(id)),
        None => of_bookings.filter(mails::state.eq(MailState::Failed.as_str())),
    };
    of_bookings.execute(db)?;
    Ok(())
}

/// The values of a mail that was queued just now.
#[derive(AsChangeset)]
#[diesel(table_name = mails, treat_none_as_null = true)]
struct Requeued {
    state: &'static str,
    attempts: i32,
    queued_at: NaiveDateTime,
    due_at: NaiveDateTime,
    sent_at: Option<NaiveDateTime>,
    last_error: Option<String>,
}

fn requeued() -> Requeued {
    let now = Utc::now().naive_utc();
    let state = MailState::Queued.as_str();
    Requeued { state, attempts: 0, queued_at: now, due_at: now, sent_at: None, last_error: None }
}
