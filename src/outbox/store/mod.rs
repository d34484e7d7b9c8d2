//! The SQL of the outbox.

pub mod batches;

use chrono::{NaiveDateTime, Utc};
use diesel::dsl::min;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamp};

use super::{Backlog, Mail, MailState, NewMail, Settlement, UnsentCounts, Verdict};
use crate::db::Db;
use crate::schema::{batched_confirmations, bookings, confirmation_batches, mails};

/// Puts a mail into the outbox, inside the caller's transaction: it is sent once that has committed, and
/// never when it has not. Notify the [wakeup](super::wakeup::Wakeup) after the commit. A booking's confirmation
/// comes from the desk instead, in its own statement.
///
/// # Errors
/// A unique violation when the booking has a mail of that kind already; what the database said.
pub fn enqueue(db: &mut Db, mail: &NewMail) -> QueryResult<()> {
    let now = Utc::now().naive_utc();
    diesel::insert_into(mails::table)
        .values((
            mails::booking_id.eq(mail.booking_id),
            mails::kind.eq(mail.kind.as_str()),
            mails::recipient.eq(mail.recipient.as_deref()),
            mails::payload.eq(mail.payload.as_deref()),
            mails::queued_at.eq(now),
            mails::due_at.eq(now),
        ))
        .execute(db)?;
    Ok(())
}

/// Takes the mails that have waited longest. Two servers never take the same: on PostgreSQL what another is
/// just taking is passed over, on SQLite there is one writer at a time.
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

/// Whether a mail waits whose time has come.
pub fn is_anything_due(db: &mut Db, now: NaiveDateTime) -> QueryResult<bool> {
    // In the order of the queue's index, so that it is what is looked into.
    let due = mails::table
        .filter(mails::state.eq(MailState::Queued.as_str()))
        .filter(mails::due_at.le(now))
        .order(mails::due_at);
    let one: Option<i64> = due.select(mails::id).first(db).optional()?;
    let batches = confirmation_batches::table.filter(confirmation_batches::queued_at.le(now));
    let batch: Option<i64> = batches.select(confirmation_batches::id).first(db).optional()?;
    Ok(one.or(batch).is_some())
}

/// What was taken.
pub struct TakenMails {
    pub mails: Vec<Mail>,
    /// Nothing else is due.
    pub is_all: bool,
}

/// Takes at most so many mails that are due, for as long as the lease; then they are due again. Runs inside
/// the caller's transaction.
pub fn take(db: &mut Db, limit: usize, now: NaiveDateTime, lease: NaiveDateTime) -> QueryResult<TakenMails> {
    let mut ids = take_queued(db, limit, now, lease)?;
    let mut is_swept = false;
    let is_all = loop {
        if ids.len() == limit {
            break false;
        }
        match batches::open(db, now, 1)? {
            None => break true,
            // Whatever has become of bookings, a transaction is short.
            Some(0) if is_swept => break false,
            Some(0) => {
                batches::sweep(db)?;
                is_swept = true;
            }
            Some(_) => ids.append(&mut take_queued(db, limit - ids.len(), now, lease)?),
        }
    };
    let mails = mails::table.filter(mails::id.eq_any(ids)).order(mails::id).select(Mail::as_select());
    Ok(TakenMails { mails: mails.load(db)?, is_all })
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

/// Writes down how attempts have ended, inside the caller's transaction. What was sent is sent, whoever has
/// taken it since; everything else is for whoever has it now to say.
pub fn settle(db: &mut Db, settlements: &[Settlement], now: NaiveDateTime) -> QueryResult<()> {
    let sent: Vec<i64> =
        settlements.iter().filter(|it| it.verdict == Verdict::Sent).map(|it| it.id).collect();
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
    settlements.iter().try_for_each(|settlement| settle_unsent(db, settlement))
}

fn settle_unsent(db: &mut Db, settlement: &Settlement) -> QueryResult<()> {
    let ours = mails::table
        .filter(mails::id.eq(settlement.id))
        .filter(mails::state.eq("queued"))
        .filter(mails::due_at.eq(settlement.lease));
    match &settlement.verdict {
        Verdict::Sent => Ok(0),
        Verdict::Dropped(why) => diesel::update(ours)
            .set((mails::state.eq(MailState::Dropped.as_str()), mails::last_error.eq(why)))
            .execute(db),
        Verdict::Failed(why) => diesel::update(ours)
            .set((mails::state.eq(MailState::Failed.as_str()), mails::last_error.eq(why)))
            .execute(db),
        Verdict::Again(due_at, why) => {
            diesel::update(ours).set((mails::due_at.eq(due_at), mails::last_error.eq(why))).execute(db)
        }
        Verdict::Released => diesel::update(ours)
            .set((mails::due_at.eq(mails::queued_at), mails::attempts.eq(mails::attempts - 1)))
            .execute(db),
    }?;
    Ok(())
}

/// How many batches of confirmations are given up at once; the others are with the next turns.
const GIVEN_UP_AT_ONCE: i64 = 1000;

/// Gives up what was queued before a time and is still waiting, with the reason why nothing can be sent.
pub fn give_up(db: &mut Db, before: NaiveDateTime, now: NaiveDateTime, why: &str) -> QueryResult<usize> {
    batches::open(db, before, GIVEN_UP_AT_ONCE)?;
    let overdue = mails::table
        .filter(mails::state.eq("queued"))
        .filter(mails::due_at.le(now))
        .filter(mails::queued_at.le(before));
    diesel::update(overdue)
        .set((mails::state.eq(MailState::Failed.as_str()), mails::last_error.eq(why)))
        .execute(db)
}

/// What is not sent yet. Counted in the two small indexes, however much was sent.
pub fn waiting(db: &mut Db) -> QueryResult<UnsentCounts> {
    let mut count =
        |state: MailState| mails::table.filter(mails::state.eq(state.as_str())).count().get_result(db);
    let (queued, failed) = (count(MailState::Queued)?, count(MailState::Failed)?);
    let unopened = batched_confirmations::table.count().get_result(db)?;
    Ok(UnsentCounts { queued, failed, unopened })
}

/// The same, and since when the one that has waited longest waits: also one that was tried and is to be tried
/// again.
pub fn backlog(db: &mut Db) -> QueryResult<Backlog> {
    let queued = mails::table.filter(mails::state.eq(MailState::Queued.as_str()));
    let listed: Option<NaiveDateTime> = queued.select(min(mails::queued_at)).get_result(db)?;
    let unopened: Option<NaiveDateTime> =
        confirmation_batches::table.select(min(confirmation_batches::queued_at)).get_result(db)?;
    let oldest = listed.into_iter().chain(unopened).min();
    Ok(Backlog { waiting: waiting(db)?, oldest })
}

/// Queues a mail once more, as a new one; says what it is about, or `None` when it waits already or is none.
pub fn resend(db: &mut Db, id: i64) -> QueryResult<Option<String>> {
    let settled = mails::table.find(id).filter(mails::state.ne("queued"));
    let found: Option<(String, Option<String>)> = mails::table
        .left_join(bookings::table)
        .filter(mails::id.eq(id))
        .select((mails::kind, bookings::reference.nullable()))
        .first(db)
        .optional()?;
    let Some((kind, reference)) = found else { return Ok(None) };
    let queued = diesel::update(settled).set(afresh()).execute(db)?;
    let subject = reference.map_or(kind.clone(), |reference| format!("{kind} of {reference}"));
    Ok((queued > 0).then_some(subject))
}

/// Queues every mail that has failed once more; says how many.
pub fn resend_failed(db: &mut Db) -> QueryResult<usize> {
    diesel::update(mails::table.filter(mails::state.eq("failed"))).set(afresh()).execute(db)
}

/// A mail as if it had been queued just now.
#[derive(AsChangeset)]
#[diesel(table_name = mails, treat_none_as_null = true)]
struct Afresh {
    state: &'static str,
    attempts: i32,
    queued_at: NaiveDateTime,
    due_at: NaiveDateTime,
    sent_at: Option<NaiveDateTime>,
    last_error: Option<String>,
}

fn afresh() -> Afresh {
    let now = Utc::now().naive_utc();
    let state = MailState::Queued.as_str();
    Afresh { state, attempts: 0, queued_at: now, due_at: now, sent_at: None, last_error: None }
}
