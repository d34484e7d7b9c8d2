//! The SQL of what an organizer does to a whole concert: publish, pause, archive.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::lock;
use crate::audit::{self, Action, Actor};
use crate::db::Db;
use crate::events::editing::postponement::Postponement;
use crate::events::editing::publication::{missing, prices};
use crate::events::editing::{ChangeRefusal, changes, local_time};
use crate::events::store::{self as events_store, next_facts_version};
use crate::events::{Event, EventState};
use crate::schema::{bookings, event_jobs, events, ticket_types};

/// How publishing ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicationOutcome {
    /// Also when it was published before.
    Published(Event),
    /// Something is missing, as [`missing`] lists it.
    Missing(Event),
    /// It is canceled or archived.
    Closed(Event),
}

/// How taking a concert back to a draft ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WithdrawalOutcome {
    /// It is a draft.
    Withdrawn(Event),
    /// There are bookings: their holders need the page.
    Booked(Event),
    Closed(Event),
}

/// How archiving ended, or taking a concert out of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArchiveOutcome {
    Done(Event),
    /// It is still to come, or a job on its bookings is not finished: they are being canceled, or their buyers mailed.
    TooEarly(Event),
}

/// Publishes a draft, if nothing is missing. `now`: UTC. `payment_fault`: why the chosen way of payment does
/// not work.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn publish(
    db: &mut Db,
    event_id: i64,
    now: NaiveDateTime,
    payment_fault: impl FnOnce(&Event, &[i64]) -> Option<&'static str>,
    actor: &Actor,
) -> QueryResult<PublicationOutcome> {
    let event = lock(db, event_id)?;
    match event.state {
        EventState::Published => return Ok(PublicationOutcome::Published(event)),
        EventState::Canceled | EventState::Archived => return Ok(PublicationOutcome::Closed(event)),
        EventState::Draft => {}
    }
    let ticket_types = events_store::ticket_types(db, event_id)?;
    let fault = payment_fault(&event, &prices(&ticket_types));
    if !missing(&event, &ticket_types, now, fault).is_empty() {
        return Ok(PublicationOutcome::Missing(event));
    }
    set_state(db, &event, EventState::Published)?;
    audit::store::record(db, actor, Action::EventPublished, &event.name, 1)?;
    Ok(PublicationOutcome::Published(Event { state: EventState::Published, ..event }))
}

/// Makes a draft of a published concert that has no bookings.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn withdraw(db: &mut Db, event_id: i64, actor: &Actor) -> QueryResult<WithdrawalOutcome> {
    let event = lock(db, event_id)?;
    match event.state {
        EventState::Draft => return Ok(WithdrawalOutcome::Withdrawn(event)),
        EventState::Canceled | EventState::Archived => return Ok(WithdrawalOutcome::Closed(event)),
        EventState::Published => {}
    }
    // Canceled bookings count: their holders still open their pages, and follow the link to the concert.
    if is_booked(db, event_id)? {
        return Ok(WithdrawalOutcome::Booked(event));
    }
    set_state(db, &event, EventState::Draft)?;
    audit::store::record(db, actor, Action::EventWithdrawn, &event.name, 1)?;
    Ok(WithdrawalOutcome::Withdrawn(Event { state: EventState::Draft, ..event }))
}

/// Whether a concert has a booking, also a canceled one: then its page stays.
pub fn is_booked(db: &mut Db, event_id: i64) -> QueryResult<bool> {
    let booked = bookings::table.filter(bookings::event_id.eq(event_id)).select(bookings::id).limit(1);
    Ok(booked.first::<i64>(db).optional()?.is_some())
}

/// Pauses all sales of a concert, or resumes them. Every booking either commits before this or finds the
/// concert paused. `None`: it is canceled or archived.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn pause(db: &mut Db, event_id: i64, paused: bool, actor: &Actor) -> QueryResult<Option<Event>> {
    let event = lock(db, event_id)?;
    if event.state.is_closed() {
        return Ok(None);
    }
    if event.paused != paused {
        diesel::update(events::table.find(event_id))
            .set((events::paused.eq(paused), events::facts_version.eq(next_facts_version())))
            .execute(db)?;
        let action = if paused { Action::SalePaused } else { Action::SaleResumed };
        audit::store::record(db, actor, action, &event.name, 1)?;
    }
    Ok(Some(Event { paused, ..event }))
}

/// Gives a published concert another date. The first one stays visible. `shown_version`: that of the facts that were
/// shown.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn postpone(
    db: &mut Db,
    event_id: i64,
    shown_version: i64,
    to: &Postponement,
    actor: &Actor,
) -> QueryResult<Result<Event, ChangeRefusal>> {
    let event = lock(db, event_id)?;
    if event.state != EventState::Published {
        return Ok(Err(ChangeRefusal::Closed));
    }
    if event.facts_version != shown_version {
        return Ok(Err(ChangeRefusal::ChangedMeanwhile));
    }
    // Sales that were to end at the old start or later now end at the new start.
    let sales_end_at = event.sales_end_at.filter(|at| *at < event.starts_at);
    diesel::update(events::table.find(event_id))
        .set((
            events::starts_at.eq(to.starts_at),
            events::doors_at.eq(to.doors_at),
            events::ends_at.eq(to.ends_at),
            events::sales_end_at.eq(sales_end_at),
            events::postponed_from.eq(event.postponed_from.unwrap_or(event.starts_at)),
            events::returns_until.eq(to.returns_until),
            events::facts_version.eq(next_facts_version()),
        ))
        .execute(db)?;
    move_sales(db, &event, to.starts_at)?;
    let now: Event = events::table.find(event_id).select(Event::as_select()).first(db)?;
    let details = changes::of_event(&event, &now);
    audit::store::record_change(db, actor, Action::EventPostponed, &event.name, 1, &details)?;
    Ok(Ok(now))
}

/// Sales of a ticket type that were to end at the old start or later now end with the concert's. Sales that were also
/// to begin then, such as those at the entrance, move with the concert. `before`: the concert with its old date.
fn move_sales(db: &mut Db, before: &Event, starts_at: NaiveDateTime) -> QueryResult<()> {
    let zone = before.clock().0;
    let moved = |at: NaiveDateTime| local_time::moved(at, before.starts_at, starts_at, zone);
    for it in events_store::ticket_types(db, before.id)? {
        let Some(end) = it.sales_end_at.filter(|end| *end >= before.starts_at) else { continue };
        let sales = match it.sales_start_at.filter(|start| *start >= before.starts_at) {
            Some(start) => (Some(moved(start)), Some(moved(end))),
            None => (it.sales_start_at, None),
        };
        diesel::update(ticket_types::table.find(it.id))
            .set((
                ticket_types::sales_start_at.eq(sales.0),
                ticket_types::sales_end_at.eq(sales.1),
                ticket_types::facts_version.eq(next_facts_version()),
            ))
            .execute(db)?;
    }
    Ok(())
}

/// Cancels a published concert: nothing of it is sold from the commit on. Returns whether this call canceled
/// it. `shown_version`: that of the facts that were shown.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn cancel(
    db: &mut Db,
    event_id: i64,
    shown_version: Option<i64>,
    actor: &Actor,
) -> QueryResult<Result<bool, ChangeRefusal>> {
    let event = lock(db, event_id)?;
    if event.state != EventState::Published {
        return Ok(Ok(false));
    }
    if shown_version.is_some_and(|shown| shown != event.facts_version) {
        return Ok(Err(ChangeRefusal::ChangedMeanwhile));
    }
    set_state(db, &event, EventState::Canceled)?;
    audit::store::record(db, actor, Action::EventCanceled, &event.name, 1)?;
    Ok(Ok(true))
}

/// Puts a concert that is over, canceled or a draft into the archive. `now`: UTC.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn archive(db: &mut Db, event_id: i64, now: NaiveDateTime, actor: &Actor) -> QueryResult<ArchiveOutcome> {
    let event = lock(db, event_id)?;
    if event.state == EventState::Archived {
        return Ok(ArchiveOutcome::Done(event));
    }
    let job = event_jobs::table
        .filter(event_jobs::event_id.eq(event_id))
        .filter(event_jobs::finished_at.is_null())
        .select(event_jobs::id);
    let is_at_work = job.first::<i64>(db).optional()?.is_some();
    let is_to_come = event.state == EventState::Published && !event.is_over(now);
    if is_at_work || is_to_come {
        return Ok(ArchiveOutcome::TooEarly(event));
    }
    diesel::update(events::table.find(event_id))
        .set((
            events::state.eq(EventState::Archived),
            events::archived_from.eq(Some(event.state.as_str())),
            events::facts_version.eq(next_facts_version()),
        ))
        .execute(db)?;
    audit::store::record(db, actor, Action::EventArchived, &event.name, 1)?;
    Ok(ArchiveOutcome::Done(event))
}

/// Takes a concert out of the archive. It gets its previous state back.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn restore(db: &mut Db, event_id: i64, actor: &Actor) -> QueryResult<Event> {
    let event = lock(db, event_id)?;
    if event.state == EventState::Archived {
        let state = event.archived_from.unwrap_or(EventState::Published);
        diesel::update(events::table.find(event_id))
            .set((
                events::state.eq(state),
                events::archived_from.eq(None::<String>),
                events::facts_version.eq(next_facts_version()),
            ))
            .execute(db)?;
        audit::store::record(db, actor, Action::EventRestored, &event.name, 1)?;
    }
    Ok(event)
}

fn set_state(db: &mut Db, event: &Event, state: EventState) -> QueryResult<()> {
    diesel::update(events::table.find(event.id))
        .set((events::state.eq(state), events::facts_version.eq(next_facts_version())))
        .execute(db)?;
    Ok(())
}
