//! The SQL of a concert's ticket types.

use chrono::{NaiveDateTime, Utc};
use diesel::prelude::*;

use super::lock;
use crate::audit::{self, Action, Actor};
use crate::db::Db;
use crate::events::editing::changes;
use crate::events::editing::ticket_type_fields::TICKET_TYPES_MAX;
use crate::events::editing::{ChangeRefusal, TicketTypeFacts};
use crate::events::store::{self as events_store, next_facts_version, next_version};
use crate::events::{Event, TicketType, TicketTypeState};
use crate::schema::ticket_types;

/// The columns that a form sets, besides the capacity and the state.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = ticket_types, treat_none_as_null = true, treat_none_as_default_value = false)]
struct TicketTypeColumns<'a> {
    name: &'a str,
    description: &'a str,
    price_minor: i64,
    tax_rate: Option<i32>,
    max_per_booking: i32,
    max_per_person: Option<i32>,
    sales_start_at: Option<NaiveDateTime>,
    sales_end_at: Option<NaiveDateTime>,
    icon: Option<&'a str>,
    accent: Option<i32>,
}

fn columns(facts: &TicketTypeFacts) -> TicketTypeColumns<'_> {
    TicketTypeColumns {
        name: &facts.name,
        description: &facts.description,
        price_minor: facts.price_minor,
        tax_rate: facts.tax_rate,
        max_per_booking: facts.max_per_booking,
        max_per_person: facts.max_per_person,
        sales_start_at: facts.sales_start_at,
        sales_end_at: facts.sales_end_at,
        icon: facts.icon.as_deref(),
        accent: facts.accent,
    }
}

/// Adds a ticket type at the end of the list. Returns its id.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn create(
    db: &mut Db,
    event_id: i64,
    facts: &TicketTypeFacts,
    actor: &Actor,
) -> QueryResult<Result<i64, ChangeRefusal>> {
    let event = lock(db, event_id)?;
    let others = events_store::ticket_types(db, event_id)?;
    if let Some(refusal) = refusal(&event, &others, None, facts) {
        return Ok(Err(refusal));
    }
    if others.len() >= TICKET_TYPES_MAX {
        return Ok(Err(ChangeRefusal::TooManyTicketTypes));
    }
    let position = others.iter().map(|it| it.position).max().unwrap_or_default() + 1;
    let now = Utc::now().timestamp_millis();
    let id = diesel::insert_into(ticket_types::table)
        .values((
            columns(facts),
            ticket_types::event_id.eq(event_id),
            ticket_types::capacity.eq(facts.capacity),
            ticket_types::available.eq(facts.capacity),
            ticket_types::position.eq(position),
            ticket_types::state.eq(facts.state(TicketTypeState::OnSale)),
            ticket_types::version.eq(now),
            ticket_types::facts_version.eq(now),
        ))
        .returning(ticket_types::id)
        .get_result(db)?;
    record(db, actor, Action::TicketTypeAdded, &event, &facts.name)?;
    Ok(Ok(id))
}

/// Changes a ticket type. Booked tickets keep their price. One guarded update changes the capacity and the
/// available tickets by the same number, so the capacity never falls below what is sold and held.
/// `shown_version`: that of the facts that were shown.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn update(
    db: &mut Db,
    (event_id, id): (i64, i64),
    shown_version: Option<i64>,
    facts: &TicketTypeFacts,
    actor: &Actor,
) -> QueryResult<Result<(), ChangeRefusal>> {
    let event = lock(db, event_id)?;
    let all = events_store::ticket_types(db, event_id)?;
    let before = all.iter().find(|it| it.id == id).ok_or(diesel::NotFound)?;
    if let Some(refusal) = refusal(&event, &all, Some(id), facts) {
        return Ok(Err(refusal));
    }
    if shown_version.is_some_and(|shown| shown != before.facts_version) {
        return Ok(Err(ChangeRefusal::ChangedMeanwhile));
    }
    let left = (ticket_types::available + facts.capacity) - ticket_types::capacity;
    let changed = diesel::update(ticket_types::table.find(id).filter(left.ge(0)))
        .set((
            columns(facts),
            ticket_types::capacity.eq(facts.capacity),
            ticket_types::available.eq((ticket_types::available + facts.capacity) - ticket_types::capacity),
            ticket_types::state.eq(facts.state(before.state)),
            ticket_types::version.eq(next_version()),
            ticket_types::facts_version.eq(next_facts_version()),
        ))
        .execute(db)?;
    if changed == 0 {
        return Ok(Err(ChangeRefusal::CapacityTooLow { lowest: before.capacity - before.available }));
    }
    let now: TicketType = ticket_types::table.find(id).select(TicketType::as_select()).first(db)?;
    let (subject, details) =
        (format!("{}: {}", event.name, now.name), changes::of_ticket_type(&event, before, &now));
    audit::store::record_change(db, actor, Action::TicketTypeChanged, &subject, 1, &details)?;
    Ok(Ok(()))
}

fn refusal(
    event: &Event,
    all: &[TicketType],
    own: Option<i64>,
    facts: &TicketTypeFacts,
) -> Option<ChangeRefusal> {
    if event.state.is_closed() {
        return Some(ChangeRefusal::Closed);
    }
    let is_taken = all.iter().any(|it| Some(it.id) != own && it.name == facts.name);
    is_taken.then_some(ChangeRefusal::NameTaken)
}

/// Puts a ticket type on sale, pauses or hides it. Returns it as it was before.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn set_state(
    db: &mut Db,
    (event_id, id): (i64, i64),
    state: TicketTypeState,
    actor: &Actor,
) -> QueryResult<Result<TicketType, ChangeRefusal>> {
    let event = lock(db, event_id)?;
    let all = events_store::ticket_types(db, event_id)?;
    let before = all.into_iter().find(|it| it.id == id).ok_or(diesel::NotFound)?;
    if event.state.is_closed() {
        return Ok(Err(ChangeRefusal::Closed));
    }
    if before.state != state {
        diesel::update(ticket_types::table.find(id))
            .set((ticket_types::state.eq(state), ticket_types::facts_version.eq(next_facts_version())))
            .execute(db)?;
        let action = match state {
            TicketTypeState::OnSale => Action::SaleResumed,
            TicketTypeState::Paused => Action::SalePaused,
            TicketTypeState::Hidden => Action::TicketTypeChanged,
        };
        record(db, actor, action, &event, &before.name)?;
    }
    Ok(Ok(before))
}

/// Moves a ticket type to a place in the list, from 1.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn move_to(
    db: &mut Db,
    (event_id, id): (i64, i64),
    place: usize,
    actor: &Actor,
) -> QueryResult<Result<(), ChangeRefusal>> {
    let event = lock(db, event_id)?;
    if event.state.is_closed() {
        return Ok(Err(ChangeRefusal::Closed));
    }
    let mut all = events_store::ticket_types(db, event_id)?;
    let from = all.iter().position(|it| it.id == id).ok_or(diesel::NotFound)?;
    let moved = all.remove(from);
    let name = moved.name.clone();
    all.insert(place.saturating_sub(1).min(all.len()), moved);
    for (it, position) in all.iter().zip(1..) {
        if it.position != position {
            diesel::update(ticket_types::table.find(it.id))
                .set((
                    ticket_types::position.eq(position),
                    ticket_types::facts_version.eq(next_facts_version()),
                ))
                .execute(db)?;
        }
    }
    record(db, actor, Action::TicketTypeChanged, &event, &name)?;
    Ok(Ok(()))
}

fn record(db: &mut Db, actor: &Actor, action: Action, event: &Event, name: &str) -> QueryResult<()> {
    audit::store::record(db, actor, action, &format!("{}: {name}", event.name), 1)
}
