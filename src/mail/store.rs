//! The SQL that joins mails with the bookings that they are about.

use std::collections::HashMap;

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;

use super::listing::{MailFilter, MailLine};
use super::messages::holder_message::HolderMail;
use super::{DueMail, suppression};
use crate::booking::buyer::{normalized_email, shown_email};
use crate::booking::event_jobs::message::MessagePayload;
use crate::booking::store::BookingRow;
use crate::booking::{self, PlacedBooking, event_jobs};
use crate::db::{Db, clock};
use crate::events::{self, Event};
use crate::outbox::store::Choice;
use crate::outbox::{self, Mail, MailKind, MailState};
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
    let mut mails = due_mails(db, mails)?;
    let suppressed = suppression::store::among(db, mails.iter().map(DueMail::recipient), now)?;
    for due in mails.iter_mut().filter(|_| !suppressed.is_empty()) {
        due.is_suppressed = suppressed.contains(&normalized_email(due.recipient()));
    }
    Ok(DueMails { mails, is_all })
}

fn due_mails(db: &mut Db, mails: Vec<Mail>) -> QueryResult<Vec<DueMail>> {
    let sales = sales_of(db, &mails)?;
    let mut messages = messages_of(db, &mails)?;
    let due = |mail: Mail| {
        let sale = mail.booking_id.and_then(|id| sales.get(&id).cloned());
        let message = messages.remove(&mail.id);
        DueMail { sale, message, mail, is_suppressed: false }
    };
    Ok(mails.into_iter().map(due).collect())
}

/// The most waiting mails that are searched for those to one recipient.
const LOOKED_THROUGH: i64 = 5_000;

/// Takes the other mails that wait for the same recipient because that address had received too many (`why`),
/// the oldest first, at most `limit`. They are due again when the lease ends. `None`: this mail was itself
/// taken that way, for another mail. Runs inside the caller's transaction.
pub fn take_waiting(
    db: &mut Db,
    due: &DueMail,
    why: &str,
    limit: usize,
    lease: TimeDelta,
) -> QueryResult<Option<Vec<DueMail>>> {
    let own = mails::table.find(due.mail.id).filter(mails::due_at.eq(due.mail.due_at));
    let is_ours: i64 = own.filter(outbox::store::is_in(MailState::Queued)).count().get_result(db)?;
    if is_ours == 0 {
        return Ok(None);
    }
    let put_off = mails::table
        .left_join(bookings::table)
        .filter(outbox::store::is_in(MailState::Queued))
        .filter(mails::last_error.eq(why))
        .filter(mails::id.ne(due.mail.id))
        .order(mails::id)
        .limit(LOOKED_THROUGH)
        .select((mails::id, mails::recipient, bookings::buyer_email.nullable()));
    let rows: Vec<(i64, Option<String>, Option<String>)> = put_off.load(db)?;
    let recipient = normalized_email(due.recipient());
    let is_to_it = |(_, own, buyer): &&(i64, Option<String>, Option<String>)| {
        own.as_ref().or(buyer.as_ref()).is_some_and(|address| normalized_email(address) == recipient)
    };
    let ids: Vec<i64> = rows.iter().filter(is_to_it).take(limit).map(|row| row.0).collect();
    let leased_until = clock(db)? + lease;
    diesel::update(mails::table.filter(mails::id.eq_any(&ids)))
        .set(mails::due_at.eq(leased_until))
        .execute(db)?;
    let taken = mails::table.filter(mails::id.eq_any(ids)).order(mails::id).select(Mail::as_select());
    let taken = taken.load(db)?;
    due_mails(db, taken).map(Some)
}

/// The newest mails before an id, at most `limit`.
pub fn list(db: &mut Db, which: MailFilter, before: Option<i64>, limit: i64) -> QueryResult<Vec<MailLine>> {
    let mut newest = mails::table
        .filter(mails::id.lt(before.unwrap_or(i64::MAX)))
        .order(mails::id.desc())
        .limit(limit)
        .select(Mail::as_select())
        .into_boxed();
    match which {
        MailFilter::All => {}
        MailFilter::In(state) => newest = newest.filter(outbox::store::is_in(state)),
        MailFilter::Of(booking_id) => newest = newest.filter(mails::booking_id.eq(booking_id)),
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
