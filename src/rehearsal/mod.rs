//! A rehearsal of a sale: simulated buyers come to a copy of a concert, on the running site and through the same pages
//! as everybody, and their experience is measured. It shows before the sale whether the site can carry it.
//!
//! The copy has its own stock and its own waiting room. It is on no list, its name says what it is, nothing is mailed,
//! and nothing is paid. It is deleted at the end. If the server is killed meanwhile, another server deletes it, or the
//! same one after its restart.
//!
//! One server runs it: [`runner`]. The page of the owner and the [`command`] only ask for it, and show how far it is.
//!
//! The owner's page does not belong here: see `admin::events::rehearsal`.

mod buyer;
pub mod command;
mod http;
pub mod report;
pub mod runner;
mod sale;
pub mod store;
mod tally;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use self::report::RehearsalReport;
use crate::events::Event;
use crate::schema::rehearsals;

/// The most buyers that one rehearsal has.
pub const BUYERS_MAX: i32 = 100_000;
/// The longest rehearsal.
pub const MINUTES_MAX: i32 = 30;

/// A rehearsal that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = rehearsals)]
pub struct Rehearsal {
    pub id: i64,
    /// The concert that is rehearsed.
    pub concert_id: i64,
    /// Its copy, while there is one.
    pub event_id: Option<i64>,
    pub buyers: i32,
    pub minutes: i32,
    /// `Some` from the request to the end.
    pub(crate) slot: Option<i32>,
    /// UTC.
    pub asked_at: NaiveDateTime,
    /// UTC. `None`: no server has begun it.
    pub started_at: Option<NaiveDateTime>,
    /// Whether somebody has asked it to stop.
    pub stopped: bool,
    /// How far it is, in words.
    pub progress: String,
    /// Why it did not come to an end.
    pub failure: Option<String>,
    pub(crate) report: Option<String>,
}

impl Rehearsal {
    /// Whether it waits for a server, or runs.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.slot.is_some()
    }

    /// What was measured, when it has come to its end.
    #[must_use]
    pub fn report(&self) -> Option<RehearsalReport> {
        serde_json::from_str(self.report.as_ref()?).ok()
    }
}

/// Whether a concert can be rehearsed at that time (UTC).
///
/// # Errors
/// Why not.
pub fn may_rehearse(event: &Event, now: NaiveDateTime) -> Result<(), &'static str> {
    if event.state.is_closed() || event.starts_at <= now {
        return Err("Only a concert that is still to come can be rehearsed.");
    }
    if event.is_rehearsal() {
        return Err("This is the copy of a rehearsal.");
    }
    Ok(())
}

/// Checks the numbers of buyers and of minutes.
///
/// # Errors
/// A sentence for each wrong number: first for the buyers, then for the minutes.
pub fn check(buyers: Option<i32>, minutes: Option<i32>) -> Result<(i32, i32), [Option<String>; 2]> {
    let within = |number: Option<i32>, most| number.filter(|number| (1..=most).contains(number));
    match (within(buyers, BUYERS_MAX), within(minutes, MINUTES_MAX)) {
        (Some(buyers), Some(minutes)) => Ok((buyers, minutes)),
        (buyers, minutes) => Err([
            buyers.is_none().then(|| format!("Enter a number from 1 to {BUYERS_MAX}.")),
            minutes.is_none().then(|| format!("Enter a number from 1 to {MINUTES_MAX}.")),
        ]),
    }
}
