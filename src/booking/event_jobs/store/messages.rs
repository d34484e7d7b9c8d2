//! The SQL of messages to holders: whom they reach, and the job that queues their mails.

use std::collections::HashMap;

use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use sha2::{Digest as _, Sha256};

use super::OpenBookings;
use crate::audit::{self, Action, Actor};
use crate::booking::BookingStatus;
use crate::booking::buyer::normalized_email;
use crate::booking::event_jobs::message::{HolderMessage, MessageFacts, MessagePayload};
use crate::booking::event_jobs::{EventJob, EventJobKind};
use crate::booking::store::PERSON;
use crate::db::{Db, clock};
use crate::events::Event;
use crate::outbox::{self, MailKind, NewMail};
use crate::schema::{booking_lines, bookings, event_jobs, events};

/// How many of the latest messages are searched for the form key of a new one.
const COMPARED: i64 = 50;

/// Whom a message goes to, and which form sends it.
#[derive(Debug, Clone)]
pub struct NewMessage {
    pub event_id: i64,
    pub message: HolderMessage,
    pub ticket_type_id: Option<i64>,
    pub form_key: String,
}

/// How sending ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageOutcome {
    /// To so many people.
    Started(i64),
    /// The same form was sent before.
    SentBefore,
    /// There is nobody who could read it.
    Nobody,
}

/// How many people a message reaches: each counts once, however many bookings they have.
pub fn people(db: &mut Db, event_id: i64, ticket_type_id: Option<i64>) -> QueryResult<i64> {
    addressed(event_id, ticket_type_id)
        .select(sql::<BigInt>(&format!("COUNT(DISTINCT {PERSON})")))
        .get_result(db)
}

/// The bookings whose buyers a message reaches.
pub(super) fn addressed(event_id: i64, ticket_type_id: Option<i64>) -> OpenBookings {
    let confirmed = bookings::table
        .filter(bookings::event_id.eq(event_id))
        .filter(bookings::status.eq(BookingStatus::Confirmed))
        .filter(bookings::buyer_email.is_not_null())
        .into_boxed();
    match ticket_type_id {
        Some(id) => confirmed.filter(exists(
            booking_lines::table
                .filter(booking_lines::booking_id.eq(bookings::id))
                .filter(booking_lines::ticket_type_id.eq(id))
                .filter(booking_lines::quantity.gt(booking_lines::returned)),
        )),
        None => confirmed,
    }
}

/// Queues the job that mails a message, with its entry in the audit log. Runs inside the caller's write transaction.
pub fn send(db: &mut Db, new: &NewMessage, actor: &Actor) -> QueryResult<MessageOutcome> {
    let event = lock_event(db, new.event_id)?;
    let earlier = latest(db, new.event_id, COMPARED)?;
    if earlier.iter().filter_map(EventJob::message_facts).any(|facts| facts.form_key == new.form_key) {
        return Ok(MessageOutcome::SentBefore);
    }
    let people = people(db, new.event_id, new.ticket_type_id)?;
    if people == 0 {
        return Ok(MessageOutcome::Nobody);
    }
    let total: i64 = addressed(new.event_id, new.ticket_type_id).count().get_result(db)?;
    let (now, message) = (clock(db)?, &new.message);
    let facts = MessageFacts {
        subject: message.subject.clone(),
        ticket_type: message.ticket_type.clone(),
        people,
        form_key: new.form_key.clone(),
    };
    diesel::insert_into(event_jobs::table)
        .values((
            event_jobs::event_id.eq(new.event_id),
            event_jobs::kind.eq(EventJobKind::Message),
            event_jobs::message.eq(&message.text),
            event_jobs::payload.eq(json(&facts)?),
            event_jobs::actor.eq(&actor.name),
            event_jobs::total.eq(total),
            event_jobs::ticket_type_id.eq(new.ticket_type_id),
            event_jobs::leased_until.eq(now),
            event_jobs::created_at.eq(now),
        ))
        .execute(db)?;
    let details =
        format!("“{}” to {}", message.subject, HolderMessage::audience(message.ticket_type.as_deref()));
    let affected = usize::try_from(people).unwrap_or_default();
    audit::store::record_change(db, actor, Action::HoldersMailed, &event.name, affected, &details)?;
    Ok(MessageOutcome::Started(people))
}

/// Queues a mail with the message to one address, for the organizer to look at.
pub fn send_test(db: &mut Db, event_id: i64, message: &HolderMessage, to: &str) -> QueryResult<()> {
    let payload = MessagePayload::Test { event: event_id, message: message.clone() };
    let mail = NewMail {
        kind: MailKind::Message,
        booking_id: None,
        dedupe_key: None,
        recipient: Some(to.to_owned()),
        payload: Some(json(&payload)?),
    };
    outbox::store::enqueue(db, &mail)
}

/// The last messages about a concert, the newest first.
pub fn latest(db: &mut Db, event_id: i64, at_most: i64) -> QueryResult<Vec<EventJob>> {
    event_jobs::table
        .filter(event_jobs::event_id.eq(event_id))
        .filter(event_jobs::kind.eq(EventJobKind::Message))
        .order(event_jobs::id.desc())
        .limit(at_most)
        .select(EventJob::as_select())
        .load(db)
}

/// Queues the mails of some bookings. Each person gets one mail, however many bookings they have: a mail that
/// was queued for another of their bookings counts.
pub(super) fn notify(db: &mut Db, job: &EventJob, ids: &[i64]) -> QueryResult<()> {
    let buyers: Vec<(i64, Option<String>)> = bookings::table
        .filter(bookings::id.eq_any(ids))
        .order(bookings::id)
        .select((bookings::id, bookings::buyer_email))
        .load(db)?;
    let payload = json(&MessagePayload::Sent { job: job.id })?;
    for (booking_id, email) in buyers {
        let Some(email) = email else { continue };
        let person = Sha256::digest(normalized_email(&email));
        let person = hex::encode(&person[..16]);
        let mail = NewMail {
            kind: MailKind::Message,
            booking_id: Some(booking_id),
            dedupe_key: Some(format!("message {} {person}", job.id)),
            recipient: None,
            payload: Some(payload.clone()),
        };
        outbox::store::enqueue_once(db, &mail)?;
    }
    Ok(())
}

/// The messages of these jobs, each with its concert's id, by the jobs' ids.
pub fn of_jobs(db: &mut Db, ids: &[i64]) -> QueryResult<HashMap<i64, (i64, HolderMessage)>> {
    let jobs: Vec<EventJob> =
        event_jobs::table.filter(event_jobs::id.eq_any(ids)).select(EventJob::as_select()).load(db)?;
    let message = |job: EventJob| {
        let MessageFacts { subject, ticket_type, .. } = job.message_facts()?;
        Some((job.id, (job.event_id, HolderMessage { subject, ticket_type, text: job.message })))
    };
    Ok(jobs.into_iter().filter_map(message).collect())
}

/// Two forms that are sent at once wait for each other here; the sale waits for neither.
fn lock_event(db: &mut Db, id: i64) -> QueryResult<Event> {
    if let Db::Postgres(pg) = db {
        events::table.find(id).select(events::id).for_no_key_update().first::<i64>(pg)?;
    }
    events::table.find(id).select(Event::as_select()).first(db)
}

fn json(value: &impl serde::Serialize) -> QueryResult<String> {
    serde_json::to_string(value).map_err(|e| diesel::result::Error::SerializationError(Box::new(e)))
}
