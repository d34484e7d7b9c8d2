//! The SQL of the organizer's list of concerts.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use crate::db::Db;
use crate::events::store::{IS_NOT_REHEARSAL, by_event};
use crate::events::{Event, EventState, TicketType};
use crate::schema::{events, ticket_types};

/// Which concerts are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventView {
    /// Published or canceled, and not over yet.
    Upcoming,
    Drafts,
    Past,
    Archived,
}

impl EventView {
    pub const ALL: [Self; 4] = [Self::Upcoming, Self::Drafts, Self::Past, Self::Archived];

    /// Its name in URLs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Upcoming => "upcoming",
            Self::Drafts => "drafts",
            Self::Past => "past",
            Self::Archived => "archived",
        }
    }

    /// Its name on pages.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Upcoming => "Upcoming",
            Self::Drafts => "Drafts",
            Self::Past => "Past",
            Self::Archived => "Archived",
        }
    }

    /// In which list a concert is.
    fn of(state: EventState, ends_at: NaiveDateTime, now: NaiveDateTime) -> Self {
        match state {
            EventState::Draft => Self::Drafts,
            EventState::Archived => Self::Archived,
            EventState::Published | EventState::Canceled if ends_at > now => Self::Upcoming,
            EventState::Published | EventState::Canceled => Self::Past,
        }
    }
}

/// A concert in short, as a search compares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventName {
    pub id: i64,
    pub name: String,
    pub view: EventView,
}

/// All concerts in short: first the upcoming ones, the next one first; then all others, the latest one first.
/// `now`: UTC.
pub fn names(db: &mut Db, now: NaiveDateTime) -> QueryResult<Vec<EventName>> {
    let rows: Vec<(i64, String, EventState, NaiveDateTime)> = events::table
        .filter(sql::<Bool>(IS_NOT_REHEARSAL))
        .order((events::starts_at, events::id))
        .select((events::id, events::name, events::state, events::ends_at))
        .load(db)?;
    let name = |(id, name, state, ends_at)| EventName { id, name, view: EventView::of(state, ends_at, now) };
    let all: Vec<EventName> = rows.into_iter().map(name).collect();
    let (mut sorted, others): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|it| it.view == EventView::Upcoming);
    sorted.extend(others.into_iter().rev());
    Ok(sorted)
}

/// A concert in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedEvent {
    pub event: Event,
    /// Tickets that are sold or held.
    pub taken: i64,
    pub capacity: i64,
}

/// The concerts of these ids, in that order.
pub fn page(db: &mut Db, ids: &[i64]) -> QueryResult<Vec<ListedEvent>> {
    let found: Vec<Event> =
        events::table.filter(events::id.eq_any(ids)).select(Event::as_select()).load(db)?;
    let sums: Vec<(i64, i64, i64)> = ticket_types::table
        .filter(ticket_types::event_id.eq_any(ids))
        .group_by(ticket_types::event_id)
        .select((
            ticket_types::event_id,
            sql::<BigInt>("CAST(SUM(ticket_types.capacity - ticket_types.available) AS BIGINT)"),
            sql::<BigInt>("CAST(SUM(ticket_types.capacity) AS BIGINT)"),
        ))
        .load(db)?;
    let sums: HashMap<i64, (i64, i64)> =
        sums.into_iter().map(|(id, taken, capacity)| (id, (taken, capacity))).collect();
    let mut found: HashMap<i64, Event> = found.into_iter().map(|event| (event.id, event)).collect();
    let listed = |id: &i64| {
        let event = found.remove(id)?;
        let (taken, capacity) = sums.get(id).copied().unwrap_or_default();
        Some(ListedEvent { event, taken, capacity })
    };
    Ok(ids.iter().filter_map(listed).collect())
}

/// Concerts in any state with all their ticket types, by start, the earliest first. `after`: the start (UTC) and the id
/// of the last one of the page before.
pub fn after(
    db: &mut Db,
    after: Option<(NaiveDateTime, i64)>,
    limit: usize,
) -> QueryResult<Vec<(Event, Vec<TicketType>)>> {
    let (starts_at, id) = after.unwrap_or((NaiveDateTime::default(), 0));
    let is_later = events::starts_at.gt(starts_at).or(events::starts_at.eq(starts_at).and(events::id.gt(id)));
    let found: Vec<Event> = events::table
        .filter(sql::<Bool>(IS_NOT_REHEARSAL))
        .filter(is_later)
        .order((events::starts_at, events::id))
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(Event::as_select())
        .load(db)?;
    let ids: Vec<i64> = found.iter().map(|event| event.id).collect();
    let ticket_types: Vec<TicketType> = ticket_types::table
        .filter(ticket_types::event_id.eq_any(ids))
        .order((ticket_types::position, ticket_types::id))
        .select(TicketType::as_select())
        .load(db)?;
    let mut by_event = by_event(ticket_types);
    let whole = |event: Event| {
        let ticket_types = by_event.remove(&event.id).unwrap_or_default();
        (event, ticket_types)
    };
    Ok(found.into_iter().map(whole).collect())
}
