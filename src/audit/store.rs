//! The SQL of the audit log.

use chrono::{NaiveDateTime, TimeDelta, Utc};
use diesel::Connection;
use diesel::prelude::*;

use super::{Action, Actor, AuditCursor, AuditEntry, AuditPage, LOG_TARGET, PAGE_LENGTH};
use crate::db::Db;
use crate::schema::audit_log;

/// One more than is shown tells whether there is another page.
const ONE_MORE: i64 = PAGE_LENGTH as i64 + 1;
/// How many entries the history of one thing reads at most.
const OF_SUBJECTS_MAX: i64 = 200;

type AuditRow = (i64, String, String, String, i64, NaiveDateTime, String, String);

/// Records an action inside the transaction that does it, and says so in the program's log. `affected`: how
/// many things the action has changed. If the transaction fails later, its line stays: the program's log may
/// say too much, but never too little.
pub fn record(db: &mut Db, actor: &Actor, action: Action, subject: &str, affected: usize) -> QueryResult<()> {
    record_change(db, actor, action, subject, affected, "")
}

/// The same with what has changed: "price: 10.00 → 12.00". The details name no buyer, because the log keeps
/// them for good.
pub fn record_change(
    db: &mut Db,
    actor: &Actor,
    action: Action,
    subject: &str,
    affected: usize,
    details: &str,
) -> QueryResult<()> {
    let id: i64 = diesel::insert_into(audit_log::table)
        .values((
            audit_log::actor.eq(&actor.name),
            audit_log::action.eq(action.as_str()),
            audit_log::subject.eq(subject),
            audit_log::affected.eq(i64::try_from(affected).unwrap_or(i64::MAX)),
            audit_log::client_address.eq(&actor.client_address),
            audit_log::created_at.eq(Utc::now().naive_utc()),
            audit_log::details.eq(details),
        ))
        .returning(audit_log::id)
        .get_result(db)?;
    log::info!(target: LOG_TARGET, "entry {id}: {} by {} ({affected})", action.as_str(), actor.name);
    Ok(())
}

/// Says in the program's log what a function of the database has recorded. `affected`: how many, or "all".
pub fn log_recorded(actor: &Actor, action: Action, affected: &str) {
    log::info!(target: LOG_TARGET, "entry: {} by {} ({affected})", action.as_str(), actor.name);
}

/// How many failures of one kind are recorded within an hour. The log can never be pruned, and anybody can
/// fail.
const FAILURES_AN_HOUR: i64 = 60;

/// Records a failed attempt, unless [`FAILURES_AN_HOUR`] of its kind were recorded within the last hour: then
/// the log already shows that there is an attack, and more entries would only fill it.
pub fn record_failure(db: &mut Db, actor: &Actor, action: Action) -> QueryResult<()> {
    let earlier: Option<NaiveDateTime> = audit_log::table
        .filter(audit_log::action.eq(action.as_str()))
        .order(audit_log::id.desc())
        .select(audit_log::created_at)
        .offset(FAILURES_AN_HOUR - 1)
        .first(db)
        .optional()?;
    if earlier.is_some_and(|earlier| Utc::now().naive_utc() - earlier < TimeDelta::hours(1)) {
        return Ok(());
    }
    record(db, actor, action, "", 1)
}

/// A page of the log, the newest entry first. Pages start and end at entries, not at counts, so that new entries
/// move none to another page.
pub fn page(db: &mut Db, action: Option<Action>, cursor: AuditCursor) -> QueryResult<AuditPage> {
    let page = match cursor {
        AuditCursor::Newest => older_than(db, action, i64::MAX)?,
        AuditCursor::Before(id) => older_than(db, action, id)?,
        AuditCursor::After(id) => newer_than(db, action, id)?,
    };
    // The first page replaces a short page at the newest end.
    if !page.has_newer && page.entries.len() < PAGE_LENGTH && cursor != AuditCursor::Newest {
        return older_than(db, action, i64::MAX);
    }
    Ok(page)
}

fn older_than(db: &mut Db, action: Option<Action>, id: i64) -> QueryResult<AuditPage> {
    let query = entries_of(action).filter(audit_log::id.lt(id)).order(audit_log::id.desc());
    let rows: Vec<AuditRow> = query.limit(ONE_MORE).load(db)?;
    let has_older = rows.len() > PAGE_LENGTH;
    let entries: Vec<AuditEntry> = rows.into_iter().take(PAGE_LENGTH).map(entry).collect();
    let newest = entries.first().map_or(id - 1, |entry| entry.id);
    Ok(AuditPage { has_newer: is_any_after(db, action, newest)?, has_older, entries })
}

fn newer_than(db: &mut Db, action: Option<Action>, id: i64) -> QueryResult<AuditPage> {
    let query = entries_of(action).filter(audit_log::id.gt(id)).order(audit_log::id.asc());
    let rows: Vec<AuditRow> = query.limit(ONE_MORE).load(db)?;
    let has_newer = rows.len() > PAGE_LENGTH;
    let mut entries: Vec<AuditEntry> = rows.into_iter().take(PAGE_LENGTH).map(entry).collect();
    entries.reverse();
    let query = entries_of(action).filter(audit_log::id.le(id)).order(audit_log::id.desc());
    let has_older = query.limit(1).load::<AuditRow>(db)?.len() == 1;
    Ok(AuditPage { has_newer, has_older, entries })
}

fn is_any_after(db: &mut Db, action: Option<Action>, id: i64) -> QueryResult<bool> {
    let query = entries_of(action).filter(audit_log::id.gt(id)).order(audit_log::id.asc());
    Ok(query.limit(1).load::<AuditRow>(db)?.len() == 1)
}

type EntriesQuery = audit_log::BoxedQuery<'static, <Db as Connection>::Backend>;

fn entries_of(action: Option<Action>) -> EntriesQuery {
    let entries = audit_log::table.into_boxed();
    match action {
        Some(action) => entries.filter(audit_log::action.eq(action.as_str())),
        None => entries,
    }
}

/// The entries with one of these subjects, the oldest first, at most [`OF_SUBJECTS_MAX`].
pub fn of_subjects(db: &mut Db, subjects: &[String]) -> QueryResult<Vec<AuditEntry>> {
    let entries = audit_log::table.filter(audit_log::subject.eq_any(subjects)).order(audit_log::id);
    let rows: Vec<AuditRow> = entries.limit(OF_SUBJECTS_MAX).load(db)?;
    Ok(rows.into_iter().map(entry).collect())
}

fn entry(row: AuditRow) -> AuditEntry {
    let (id, actor, action, subject, affected, created_at, client_address, details) = row;
    AuditEntry { id, actor, action, subject, affected, created_at, client_address, details }
}
