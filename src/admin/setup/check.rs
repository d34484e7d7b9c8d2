//! What a check of the setup page is made of, and what it reads of the database.

use chrono::{NaiveDateTime, Utc};

use crate::admin::store::payments::{self, WebhookFacts};
use crate::admin::store::setup;
use crate::db::{Db, clock};
use crate::events::{Event, store as events_store};
use crate::outbox::{self, UnsentCounts};
use crate::venue_clock::VenueClock;

/// One thing that production needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupCheck {
    pub title: &'static str,
    pub state: SetupState,
    /// What was found, in a sentence.
    pub found: String,
    /// What to do about it; empty where nothing has to be done.
    pub fix: &'static str,
    /// The page where it is done, where there is one: its words and its address.
    pub page: Option<(&'static str, &'static str)>,
}

impl SetupCheck {
    /// What was found, split into words and code in turn: backticks enclose code.
    pub fn found_parts(&self) -> impl Iterator<Item = (bool, &str)> {
        parts(&self.found)
    }

    /// What to do about it, split likewise.
    pub fn fix_parts(&self) -> impl Iterator<Item = (bool, &'static str)> {
        parts(self.fix)
    }
}

fn parts(text: &str) -> impl Iterator<Item = (bool, &str)> {
    text.split('`').enumerate().map(|(number, part)| (number % 2 == 1, part))
}

/// In the order in which a page shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SetupState {
    /// Do not sell to the public like this.
    Wrong,
    /// Sales work, and something is worth a look.
    Look,
    Right,
}

impl SetupState {
    pub fn label(self) -> &'static str {
        match self {
            Self::Wrong => "To fix",
            Self::Look => "To review",
            Self::Right => "OK",
        }
    }
}

/// What the database says.
pub struct DatabaseFacts {
    pub unsent: UnsentCounts,
    pub last_sent: Option<NaiveDateTime>,
    pub events: Vec<Event>,
    pub webhook: WebhookFacts,
    /// The venue's clock, on which times are shown.
    pub venue_clock: VenueClock,
    /// UTC.
    pub last_backup: Option<NaiveDateTime>,
    pub now: NaiveDateTime,
    /// How many seconds the database's clock is ahead of this server's.
    pub clock_ahead: i64,
}

impl DatabaseFacts {
    pub fn read(db: &mut Db) -> diesel::QueryResult<Self> {
        let now = clock(db)?;
        Ok(Self {
            clock_ahead: (now - Utc::now().naive_utc()).num_seconds(),
            last_backup: setup::last_backup(db)?,
            now,
            unsent: outbox::store::waiting(db)?,
            last_sent: outbox::store::last_sent(db)?,
            events: events_store::list(db)?,
            webhook: payments::webhook(db)?,
            venue_clock: events_store::clock(db)?,
        })
    }
}

/// A check with what was found, and what to do about it.
pub fn check(
    title: &'static str,
    state: SetupState,
    found: impl Into<String>,
    fix: &'static str,
) -> SetupCheck {
    SetupCheck { title, state, found: found.into(), fix, page: None }
}

/// The same with the page where it is done.
pub fn on_page(check: SetupCheck, words: &'static str, address: &'static str) -> SetupCheck {
    SetupCheck { page: Some((words, address)), ..check }
}
