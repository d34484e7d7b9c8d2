//! The SQL that joins mails with the bookings that they are about.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::listing::{MailFilter, MailLine};
use super::messages::holder_message::HolderMail;
use super::{DueMail, suppression};
use crate::booking::buyer::{normalized_email, shown_email};
use crate::booking::event_jobs::message::MessagePayload;
use crate::booking::store::BookingRow;
use crate::booking::{self, PlacedBooking, event_jobs};
use crate::db::Db;
use crate::events::{self, Event};
use crate::outbox::store::Choice;
use crate::outbox::{self, Mail, MailKind};
use crate::schema::{bookings, events as events_table, mails};

/// Mails that were taken from the outbox.
pub struct DueMails {
    pub mails: Vec<DueMail>,
    /// Nothing else is due.
    pub is_all: bool,
}

/// Takes mails that are due, with the bookings that they are about: see [`outbox::store::take`]. Runs inside the
/// caller's transaction.
pub fn take(db: &mut Db, choice: Choice, now: NaiveDateTime, lease: NaiveDateTime) -> QueryResult<DueMails> {
    let outbox::store::TakenMails { mails, is_all } = outbox::store::take(db, choice, now, lease)?;
    let sales = sales_of(db, &mails)?;
    let mut messages = messages_of(db, &mails)?;
    let due = |mail: Mail| {
        let sale = mail.booking_id.and_then(|id| sales.get(&id).cloned());
        let message = messages.remove(&mail.id);
        DueMail { sale, message, mail, is_suppressed: false }
    };
    let mut mails: Vec<DueMail> = mails.into_iter().map(due).collect();
    let suppressed = suppression::store::among(db, mails.iter().map(DueMail::recipient), now)?;
    for due in mails.iter_mut().filter(|_| !suppressed.is_empty()) {
        due.is_suppressed = suppressed.contains(&normalized_email(due.recipient()));
    }
    Ok(DueMails { mails, is_all })
}

/// The newest mails before an id, at most `limit`.
pub fn list(
    db: &mut Db,
    which: MailFilter<'_>,
    before: Option<i64>,
    limit: i64,
) -> QueryResult<Vec<MailLine>> {
    let mut newest = mails::table
        .filter(mails::id.lt(before.unwrap_or(i64::MAX)))
        .order(mails::id.desc())
        .limit(limit)
        .select(Mail::as_select())
        .into_boxed();
    match which {
        MailFilter::All => {}
        MailFilter::In(state) => newest = newest.filter(outbox::store::is_in(state)),
        MailFilter::Of(reference) => {
            let booking = bookings::table.filter(bookings::reference.eq(reference));
            newest = newest.filter(mails::booking_id.eq_any(booking.select(bookings::id.nullable())));
        }
    }
    let mails = newest.load(db)?;
    let clock = events::store::clock(db)?;
    let sales = sales_of(db, &mails)?;
    let line = |mail: Mail| {
        let sale = mail.booking_id.and_then(|id| sales.get(&id).cloned());
        let booking = sale.map(|sale| sale.booking);
        let buyer = booking.as_ref().and_then(|booking| booking.buyer.shown_email());
        MailLine {
            recipient: mail.recipient.as_deref().map(shown_email).or(buyer).unwrap_or_default(),
            booking: booking.map(|booking| (booking.reference, booking.token)),
            clock,
            mail,
        }
    };
    Ok(mails.into_iter().map(line).collect())
}

/// The bookings that mails are about, by id. A query of its own: joined with the mails, SQLite would read every
/// booking while the desk waits.
fn sales_of(db: &mut Db, mails: &[Mail]) -> QueryResult<HashMap<i64, PlacedBooking>> {
    let ids: Vec<i64> = mails.iter().filter_map(|mail| mail.booking_id).collect();
    let rows = bookings::table.filter(bookings::id.eq_any(ids)).select(BookingRow::as_select()).load(db)?;
    Ok(booking::store::place(db, rows)?.into_iter().map(|placed| (placed.booking.id, placed)).collect())
}

/// What the organizer has written, by the ids of the mails that say it.
fn messages_of(db: &mut Db, mails: &[Mail]) -> QueryResult<HashMap<i64, HolderMail>> {
    let payload = |mail: &Mail| {
        let is_message = MailKind::parse(&mail.kind) == Some(MailKind::Message);
        let payload = mail.payload.as_deref().filter(|_| is_message)?;
        Some((mail.id, serde_json::from_str(payload).ok()?))
    };
    let payloads: Vec<(i64, MessagePayload)> = mails.iter().filter_map(payload).collect();
    if payloads.is_empty() {
        return Ok(HashMap::new());
    }
    let jobs = payloads.iter().filter_map(|(_, payload)| match payload {
        MessagePayload::Sent { job } => Some(*job),
        MessagePayload::Test { .. } => None,
    });
    let sent = event_jobs::store::messages::of_jobs(db, &jobs.collect::<Vec<i64>>())?;
    let tested = payloads.iter().filter_map(|(_, payload)| match payload {
        MessagePayload::Test { event, .. } => Some(*event),
        MessagePayload::Sent { .. } => None,
    });
    let ids: Vec<i64> = tested.chain(sent.values().map(|(event_id, _)| *event_id)).collect();
    let concerts: Vec<Event> =
        events_table::table.filter(events_table::id.eq_any(ids)).select(Event::as_select()).load(db)?;
    let written = |(id, payload): (i64, MessagePayload)| {
        let (event_id, message, is_test) = match payload {
            MessagePayload::Sent { job } => {
                let (event_id, message) = sent.get(&job)?;
                (*event_id, message.clone(), false)
            }
            MessagePayload::Test { event, message } => (event, message, true),
        };
        let event = concerts.iter().find(|event| event.id == event_id)?.clone();
        Some((id, HolderMail { message, event, is_test }))
    };
    Ok(payloads.into_iter().filter_map(written).collect())
}
