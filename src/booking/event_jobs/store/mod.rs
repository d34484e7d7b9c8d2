//! The SQL of jobs on all bookings of a concert.
//!
//! How a booking ends does not belong here: see `booking::release`.

pub mod messages;

use chrono::{NaiveDateTime, TimeDelta};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::audit::{Action, Actor};
use crate::booking::event_jobs::{EventJob, EventJobKind, HolderNotice};
use crate::booking::release::ReleaseOutcome;
use crate::booking::release::store::Releaser;
use crate::booking::store::{PERSON, find_by_id};
use crate::booking::{Booking, BookingStatus};
use crate::db::{Db, clock};
use crate::events::Stock;
use crate::events::editing::store::lock;
use crate::outbox::{self, MailKind, NewMail};
use crate::payment::RefundSource;
use crate::payment::store::give_up;
use crate::payment::store::returns::release_and_refund;
use crate::schema::{bookings, event_jobs, used_tickets};

/// How long a server has for one part of a job. A part takes some hundredths of a second.
const LEASE: TimeDelta = TimeDelta::seconds(10);
/// Bookings of one transaction.
const AT_ONCE: i64 = 50;

/// The result of one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobProgress {
    /// There is more to do. What is left of the ticket types that have got tickets back.
    Going {
        stock: Vec<Stock>,
    },
    Finished,
    /// Another server does it now.
    Lost,
}

/// How many people hold tickets of a concert.
pub fn holders(db: &mut Db, event_id: i64) -> QueryResult<i64> {
    bookings::table
        .filter(bookings::event_id.eq(event_id))
        .filter(bookings::status.eq(BookingStatus::Confirmed))
        .select(sql::<BigInt>(&format!("COUNT(DISTINCT {PERSON})")))
        .get_result(db)
}

/// Queues a job inside the transaction that it follows from.
pub fn start(
    db: &mut Db,
    event_id: i64,
    kind: EventJobKind,
    notice: Option<&HolderNotice>,
    message: &str,
    actor: &Actor,
) -> QueryResult<()> {
    let now = clock(db)?;
    let total: i64 = open_bookings(event_id, kind, None).count().get_result(db)?;
    let payload = notice.map(serde_json::to_string).transpose();
    let payload = payload.map_err(|e| diesel::result::Error::SerializationError(Box::new(e)))?;
    diesel::insert_into(event_jobs::table)
        .values((
            event_jobs::event_id.eq(event_id),
            event_jobs::kind.eq(kind),
            event_jobs::message.eq(message),
            event_jobs::payload.eq(payload.unwrap_or_else(|| "{}".into())),
            event_jobs::actor.eq(&actor.name),
            event_jobs::total.eq(total),
            event_jobs::leased_until.eq(now),
            event_jobs::created_at.eq(now),
        ))
        .execute(db)?;
    Ok(())
}

type OpenBookings = bookings::BoxedQuery<'static, <Db as diesel::Connection>::Backend>;

/// The bookings that a job has to do.
fn open_bookings(event_id: i64, kind: EventJobKind, ticket_type_id: Option<i64>) -> OpenBookings {
    let of_event = bookings::table.filter(bookings::event_id.eq(event_id)).into_boxed();
    match kind {
        EventJobKind::Message => messages::addressed(event_id, ticket_type_id),
        EventJobKind::Cancellation => {
            of_event.filter(bookings::status.eq_any([BookingStatus::Held, BookingStatus::Confirmed]))
        }
        EventJobKind::Notice => of_event
            .filter(bookings::status.eq(BookingStatus::Confirmed))
            .filter(bookings::buyer_email.is_not_null()),
    }
}

/// The jobs of a concert, the newest first.
pub fn latest(db: &mut Db, event_id: i64, at_most: i64) -> QueryResult<Vec<EventJob>> {
    event_jobs::table
        .filter(event_jobs::event_id.eq(event_id))
        .order(event_jobs::id.desc())
        .limit(at_most)
        .select(EventJob::as_select())
        .load(db)
}

/// Whether there is a job that no server is working on.
pub fn is_any_due(db: &mut Db) -> QueryResult<bool> {
    Ok(due(db)?.is_some())
}

fn due(db: &mut Db) -> QueryResult<Option<EventJob>> {
    let now = clock(db)?;
    event_jobs::table
        .filter(event_jobs::finished_at.is_null())
        .filter(event_jobs::leased_until.le(now))
        .order(event_jobs::leased_until)
        .select(EventJob::as_select())
        .first(db)
        .optional()
}

/// Takes a job that no server is working on, for the time of a lease.
pub fn take(db: &mut Db) -> QueryResult<Option<EventJob>> {
    let Some(job) = due(db)? else { return Ok(None) };
    let until = clock(db)? + LEASE;
    Ok(prolong(db, &job, until)?.then_some(EventJob { leased_until: until, ..job }))
}

/// Extends the lease of a job. Returns whether the job was still this server's. On PostgreSQL the row is
/// locked until the transaction ends.
fn prolong(db: &mut Db, job: &EventJob, until: NaiveDateTime) -> QueryResult<bool> {
    let own = event_jobs::table
        .find(job.id)
        .filter(event_jobs::finished_at.is_null())
        .filter(event_jobs::leased_until.eq(job.leased_until));
    Ok(diesel::update(own).set(event_jobs::leased_until.eq(until)).execute(db)? == 1)
}

/// Does one part of a job that this server has taken. Runs inside the caller's write transaction.
pub fn work(db: &mut Db, job: &mut EventJob) -> QueryResult<JobProgress> {
    let now = clock(db)?;
    if !prolong(db, job, now + LEASE)? {
        return Ok(JobProgress::Lost);
    }
    job.leased_until = now + LEASE;
    let ids: Vec<i64> = open_bookings(job.event_id, job.kind, job.ticket_type_id)
        .filter(bookings::id.gt(job.last_booking_id))
        .order(bookings::id)
        .limit(AT_ONCE)
        .select(bookings::id)
        .load(db)?;
    let Some(last) = ids.last().copied() else {
        diesel::update(event_jobs::table.find(job.id)).set(event_jobs::finished_at.eq(now)).execute(db)?;
        return Ok(JobProgress::Finished);
    };
    let mut stock = Vec::new();
    let mut kept = 0;
    match job.kind {
        EventJobKind::Notice => notify(db, &ids, &job.payload)?,
        EventJobKind::Message => messages::notify(db, job, &ids)?,
        EventJobKind::Cancellation => {
            // Bookings have different ticket types. So all of them are locked first, in the order that
            // everybody uses.
            lock(db, job.event_id)?;
            for id in &ids {
                kept += i64::from(!end(db, *id, job, &mut stock)?);
            }
        }
    }
    job.done += i64::try_from(ids.len()).unwrap_or_default();
    job.kept += kept;
    job.last_booking_id = last;
    diesel::update(event_jobs::table.find(job.id))
        .set((
            event_jobs::done.eq(job.done),
            event_jobs::kept.eq(job.kept),
            event_jobs::last_booking_id.eq(last),
        ))
        .execute(db)?;
    Ok(JobProgress::Going { stock })
}

fn notify(db: &mut Db, ids: &[i64], payload: &str) -> QueryResult<()> {
    for id in ids {
        let mail = NewMail {
            kind: MailKind::EventChange,
            booking_id: Some(*id),
            dedupe_key: None,
            recipient: None,
            payload: Some(payload.to_owned()),
        };
        outbox::store::enqueue(db, &mail)?;
    }
    Ok(())
}

/// Ends a booking, except for the tickets that were admitted. Returns `false` if there were any.
fn end(db: &mut Db, id: i64, job: &EventJob, stock: &mut Vec<Stock>) -> QueryResult<bool> {
    let Some(booking) = find_by_id(db, id)? else { return Ok(true) };
    // Somebody may be paying: the page is closed first. If they have paid, the settlement gives the money back.
    if booking.is_held() && give_up(db, id)? {
        return Ok(true);
    }
    let actor = Actor { name: job.actor.clone(), client_address: String::new() };
    let by = Releaser { actor: &actor, action: Action::BookingCanceled, note: Some(&job.message) };
    let (released, is_whole) =
        match release_and_refund(db, &booking, None, Some(by), RefundSource::Organizer)? {
            ReleaseOutcome::Admitted { .. } => {
                let seats = free_seats(db, &booking)?;
                if seats.is_empty() {
                    return Ok(false);
                }
                let released =
                    release_and_refund(db, &booking, Some(&seats), Some(by), RefundSource::Organizer)?;
                (released, false)
            }
            released => (released, true),
        };
    if let ReleaseOutcome::Released { stock: left } = released {
        stock.extend(left);
    }
    Ok(is_whole)
}

/// The seats that were neither admitted nor given back.
fn free_seats(db: &mut Db, booking: &Booking) -> QueryResult<Vec<i32>> {
    let used: Vec<i32> = used_tickets::table
        .filter(used_tickets::booking_id.eq(booking.id))
        .select(used_tickets::seat)
        .load(db)?;
    Ok((1..=booking.quantity()).filter(|seat| !used.contains(seat)).collect())
}
