//! The SQL of the audit log.

use chrono::Utc;
use diesel::Connection;
use diesel::prelude::*;

use crate::audit::{Action, Actor, AuditCursor, AuditEntry, AuditPage, PAGE_LENGTH};
use crate::db::Db;
use crate::schema::audit_log;

type Columns = (i64, String, String, String, i64, chrono::NaiveDateTime, String);

/// Writes down what was done, inside the transaction that does it. `affected`: how many of what the action
/// is about.
///
/// # Errors
/// What the database said.
pub fn record(db: &mut Db, actor: &Actor, action: Action, subject: &str, affected: usize) -> QueryResult<()> {
    diesel::insert_into(audit_log::table)
        .values((
            audit_log::actor.eq(&actor.name),
            audit_log::action.eq(action.as_str()),
            audit_log::subject.eq(subject),
            audit_log::affected.eq(i64::try_from(affected).unwrap_or(i64::MAX)),
            audit_log::client_address.eq(&actor.client_address),
            audit_log::created_at.eq(Utc::now().naive_utc()),
        ))
        .execute(db)?;
    Ok(())
}

/// A page of the log, the newest entry first. What is added meanwhile moves no entry to another page: pages
/// begin and end at entries, not at counts.
///
/// # Errors
/// What the database said.
pub fn page(db: &mut Db, action: Option<Action>, cursor: AuditCursor) -> QueryResult<AuditPage> {
    let page = match cursor {
        AuditCursor::Newest => older_than(db, action, i64::MAX)?,
        AuditCursor::Before(id) => older_than(db, action, id)?,
        AuditCursor::After(id) => newer_than(db, action, id)?,
    };
    // Whoever has gone back to the newest entries gets a full page of them, and so does who comes from nowhere.
    if !page.has_newer && page.lines.len() < PAGE_LENGTH && cursor != AuditCursor::Newest {
        return older_than(db, action, i64::MAX);
    }
    Ok(page)
}

fn older_than(db: &mut Db, action: Option<Action>, id: i64) -> QueryResult<AuditPage> {
    let query = entries_of(action).filter(audit_log::id.lt(id)).order(audit_log::id.desc());
    let rows: Vec<Columns> = query.limit(ONE_MORE).load(db)?;
    let has_older = rows.len() > PAGE_LENGTH;
    let lines: Vec<AuditEntry> = rows.into_iter().take(PAGE_LENGTH).map(entry).collect();
    let newest = lines.first().map_or(id - 1, |entry| entry.id);
    Ok(AuditPage { has_newer: is_any_after(db, action, newest)?, has_older, lines })
}

fn newer_than(db: &mut Db, action: Option<Action>, id: i64) -> QueryResult<AuditPage> {
    let query = entries_of(action).filter(audit_log::id.gt(id)).order(audit_log::id.asc());
    let rows: Vec<Columns> = query.limit(ONE_MORE).load(db)?;
    let has_newer = rows.len() > PAGE_LENGTH;
    let mut lines: Vec<AuditEntry> = rows.into_iter().take(PAGE_LENGTH).map(entry).collect();
    lines.reverse();
    let query = entries_of(action).filter(audit_log::id.le(id)).order(audit_log::id.desc());
    let has_older = query.limit(1).load::<Columns>(db)?.len() == 1;
    Ok(AuditPage { has_newer, has_older, lines })
}

/// One more than is shown: it says whether there is another page.
const ONE_MORE: i64 = PAGE_LENGTH as i64 + 1;

fn is_any_after(db: &mut Db, action: Option<Action>, id: i64) -> QueryResult<bool> {
    let query = entries_of(action).filter(audit_log::id.gt(id)).order(audit_log::id.asc());
    Ok(query.limit(1).load::<Columns>(db)?.len() == 1)
}

type EntriesQuery = audit_log::BoxedQuery<'static, <Db as Connection>::Backend>;

fn entries_of(action: Option<Action>) -> EntriesQuery {
    let entries = audit_log::table.into_boxed();
    match action {
        Some(action) => entries.filter(audit_log::action.eq(action.as_str())),
        None => entries,
    }
}

fn entry((id, actor, action, subject, affected, created_at, client_address): Columns) -> AuditEntry {
    AuditEntry { id, actor, action, subject, affected, created_at, client_address }
}
