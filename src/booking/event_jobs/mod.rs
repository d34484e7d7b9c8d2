//! Jobs on all bookings of a concert: ending them when it is canceled, mailing their buyers when it changes,
//! and sending them a message. That takes longer than one transaction may. A server takes a job for the time
//! of a lease and does some bookings in each transaction, which also notes how far it has come. If the server
//! dies, each booking was done once or not at all, and any server goes on when the lease is over.
//!
//! How a booking ends does not belong here: see [`release`](super::release).

pub mod message;
pub mod store;
pub mod worker;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use self::message::MessageFacts;
use crate::db::text_enum;
use crate::events::Event;
use crate::events::editing::EventFacts;
use crate::schema::event_jobs;

text_enum! {
    /// What is done to each booking.
    EventJobKind {
        /// It ends, and its buyer is mailed.
        Cancellation = "cancellation",
        /// Its buyer is mailed.
        Notice = "notice",
        /// Its buyer is mailed a message of the organizer, once however many bookings they have.
        Message = "message",
    }
}

/// A job, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = event_jobs)]
pub struct EventJob {
    pub id: i64,
    pub event_id: i64,
    pub kind: EventJobKind,
    /// What the organizer writes to the buyers. It may be empty.
    pub message: String,
    /// What the kind needs to know besides, as JSON.
    pub payload: String,
    pub actor: String,
    /// How many bookings there were at the start.
    pub total: i64,
    pub done: i64,
    /// How many of the done ones keep some tickets, because somebody was admitted with them.
    pub kept: i64,
    pub last_booking_id: i64,
    /// UTC.
    pub leased_until: NaiveDateTime,
    /// UTC.
    pub created_at: NaiveDateTime,
    /// UTC.
    pub finished_at: Option<NaiveDateTime>,
    /// Only bookings with this ticket type; `None`: all.
    pub ticket_type_id: Option<i64>,
}

impl EventJob {
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.finished_at.is_some()
    }

    /// Of a message: its subject, and whom it goes to.
    #[must_use]
    pub fn message_facts(&self) -> Option<MessageFacts> {
        if self.kind != EventJobKind::Message {
            return None;
        }
        serde_json::from_str(&self.payload).ok()
    }

    /// What a page says about the job: "Done: 62 bookings canceled, and their buyers emailed."
    #[must_use]
    pub fn words(&self) -> String {
        let (done, total) = (crate::money::grouped(self.done), crate::money::grouped(self.total));
        let bookings = if self.total == 1 { "booking" } else { "bookings" };
        match (self.kind, self.finished_at) {
            (EventJobKind::Message, at) => {
                let facts = self.message_facts();
                let (subject, people) = facts.map(|it| (it.subject, it.people)).unwrap_or_default();
                let (count, noun) =
                    (crate::money::grouped(people), if people == 1 { "person" } else { "people" });
                match at {
                    None => format!("Sending “{subject}” to {count} {noun}: {done} of {total} {bookings}."),
                    Some(_) => format!("“{subject}” was sent to {count} {noun}."),
                }
            }
            (EventJobKind::Cancellation, None) => format!("Canceling bookings: {done} of {total}."),
            (EventJobKind::Notice, None) => format!("Emailing holders: {done} of {total} {bookings}."),
            (EventJobKind::Notice, Some(_)) => {
                format!("Emails about the change were queued for the holders of {done} {bookings}.")
            }
            (EventJobKind::Cancellation, Some(_)) if self.kept == 0 => {
                format!("Done: {done} {bookings} canceled, and their buyers emailed.")
            }
            (EventJobKind::Cancellation, Some(_)) => format!(
                "Done: {done} {bookings}. In {} of them someone had been admitted; only those people’s tickets stay valid.",
                crate::money::grouped(self.kept)
            ),
        }
    }
}

/// What holders are told about a change: the facts before it, and the organizer's message. The new facts are
/// in the concert itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HolderNotice {
    pub is_postponed: bool,
    /// "Saturday, June 19, 2027, 8:00 PM CDT"; `None`: the time has not changed.
    pub was_at: Option<String>,
    /// "The Foundry Hall, 12 Forge Street, Austin"; `None`: the place has not changed.
    pub was_in: Option<String>,
    /// When the doors were to open: "7:00 PM". `None`: that has not changed, has changed along with the time,
    /// or is not known any more.
    pub doors_were: Option<String>,
    pub message: String,
}

impl HolderNotice {
    /// What changes for holders with these facts; `None`: nothing.
    #[must_use]
    pub fn of_change(before: &Event, facts: &EventFacts) -> Option<Self> {
        let zone_moved = before.time_zone != facts.time_zone.name();
        let is_other_time =
            before.starts_at != facts.starts_at || before.ends_at != facts.ends_at || zone_moved;
        let is_other_place =
            (&before.venue, &before.address, &before.city) != (&facts.venue, &facts.address, &facts.city);
        let are_other_doors = before.doors_at != facts.doors_at && facts.doors_at.is_some();
        let notice = Self {
            is_postponed: false,
            was_at: is_other_time.then(|| before.local_time(&before.starts_at)),
            was_in: is_other_place.then(|| before.place()),
            doors_were: (are_other_doors && !is_other_time)
                .then(|| before.doors().unwrap_or_else(|| "not known".into())),
            message: String::new(),
        };
        (is_other_time || is_other_place || are_other_doors).then_some(notice)
    }

    /// What has changed, for a page: "when it takes place and where it takes place".
    #[must_use]
    pub fn words(&self) -> String {
        let parts = [
            self.was_at.as_ref().map(|_| "when it takes place"),
            self.was_in.as_ref().map(|_| "where it takes place"),
            self.doors_were.as_ref().map(|_| "when the doors open"),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" and ")
    }
}
