//! The SQL of what the first run and the setup page remember.

use chrono::{NaiveDateTime, Utc};
use diesel::prelude::*;
use diesel::upsert::excluded;

use crate::db::{Db, on_either};
use crate::schema::{mails, setup_notes};

/// The name of the note about the last backup.
const BACKUP: &str = "backup";
const DONE: &str = "done";
const SKIPPED: &str = "skipped";

/// What is noted about a step.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = setup_notes)]
pub struct SetupNote {
    pub name: String,
    state: String,
    pub mail_key: Option<String>,
    /// UTC.
    pub noted_at: NaiveDateTime,
}

impl SetupNote {
    /// An owner has skipped it.
    #[must_use]
    pub fn is_skipped(&self) -> bool {
        self.state == SKIPPED
    }
}

/// What became of a test mail.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = mails)]
pub struct TestMail {
    pub state: String,
    pub recipient: Option<String>,
    pub last_error: Option<String>,
    pub sent_at: Option<NaiveDateTime>,
}

/// All notes.
pub fn notes(db: &mut Db) -> QueryResult<Vec<SetupNote>> {
    setup_notes::table.order(setup_notes::name).select(SetupNote::as_select()).load(db)
}

/// Notes that a step is done, with the key of its test mail.
pub fn done(db: &mut Db, name: &str, mail_key: Option<&str>) -> QueryResult<()> {
    note(db, name, DONE, mail_key)
}

/// Notes that an owner has skipped a step. The key of its test mail is kept.
pub fn skip(db: &mut Db, name: &str) -> QueryResult<()> {
    let key: Option<Option<String>> =
        setup_notes::table.find(name).select(setup_notes::mail_key).first(db).optional()?;
    note(db, name, SKIPPED, key.flatten().as_deref())
}

/// Notes that a proved backup was made just now. Where it is, is not noted.
pub fn note_backup(db: &mut Db) -> QueryResult<()> {
    note(db, BACKUP, DONE, None)
}

/// When the last proved backup was made (UTC).
pub fn last_backup(db: &mut Db) -> QueryResult<Option<NaiveDateTime>> {
    setup_notes::table.find(BACKUP).select(setup_notes::noted_at).first(db).optional()
}

/// The test mail with that key, for which there is an index.
pub fn test_mail(db: &mut Db, key: &str) -> QueryResult<Option<TestMail>> {
    mails::table.filter(mails::dedupe_key.eq(key)).select(TestMail::as_select()).first(db).optional()
}

fn note(db: &mut Db, name: &str, state: &str, mail_key: Option<&str>) -> QueryResult<()> {
    let row = (
        setup_notes::name.eq(name),
        setup_notes::state.eq(state),
        setup_notes::mail_key.eq(mail_key),
        setup_notes::noted_at.eq(Utc::now().naive_utc()),
    );
    let excluded = (
        setup_notes::state.eq(excluded(setup_notes::state)),
        setup_notes::mail_key.eq(excluded(setup_notes::mail_key)),
        setup_notes::noted_at.eq(excluded(setup_notes::noted_at)),
    );
    on_either!(db, connection => diesel::insert_into(setup_notes::table)
        .values(row)
        .on_conflict(setup_notes::name)
        .do_update()
        .set(excluded)
        .execute(connection))?;
    Ok(())
}
