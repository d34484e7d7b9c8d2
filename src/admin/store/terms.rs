//! The SQL of a concert's ticket rules.

use diesel::prelude::*;

use crate::admin::terms::{TicketRules, version_of};
use crate::audit::{self, Action, Actor};
use crate::db::Db;
use crate::events::editing::ChangeRefusal;
use crate::events::editing::changes::{of_event, of_ticket_type};
use crate::events::editing::store::lock;
use crate::events::store::next_facts_version;
use crate::events::{self, Event, TicketType};
use crate::schema::{events as events_table, ticket_types};

/// Sets a concert's ticket rules, inside the caller's transaction. Existing bookings stay as they are.
/// `shown_version`: the versions of the facts that the form was shown with, as [`version_of`] writes them.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn replace(
    db: &mut Db,
    event_id: i64,
    shown_version: Option<&str>,
    rules: &TicketRules,
    actor: &Actor,
) -> QueryResult<Result<(), ChangeRefusal>> {
    let event = lock(db, event_id)?;
    let before = events::store::ticket_types(db, event_id)?;
    if shown_version.is_some_and(|shown| shown != version_of(&event, &before)) {
        return Ok(Err(ChangeRefusal::ChangedMeanwhile));
    }
    diesel::update(events_table::table.find(event.id))
        .set((
            events_table::cancellation_deadline_minutes.eq(rules.cancellation_deadline_minutes),
            events_table::organizer_name.eq(&rules.organizer_name),
            events_table::organizer_contact.eq(&rules.organizer_contact),
            events_table::facts_version.eq(next_facts_version()),
        ))
        .execute(db)?;
    for (id, max_per_person) in &rules.max_per_person {
        let ticket_type = ticket_types::table.find(id).filter(ticket_types::event_id.eq(event.id));
        diesel::update(ticket_type)
            .set((
                ticket_types::max_per_person.eq(max_per_person),
                ticket_types::facts_version.eq(next_facts_version()),
            ))
            .execute(db)?;
    }
    let details = changes(db, &event, &before)?;
    let count = rules.max_per_person.len();
    audit::store::record_change(db, actor, Action::TermsChanged, &event.name, count, &details)?;
    Ok(Ok(()))
}

/// What is different now, a line for each: "cancellation deadline: 24 h before the start → none".
fn changes(db: &mut Db, event: &Event, before: &[TicketType]) -> QueryResult<String> {
    let now: Event = events_table::table.find(event.id).select(Event::as_select()).first(db)?;
    let of_type = |(before, now): (&TicketType, &TicketType)| {
        let changes = of_ticket_type(event, before, now);
        (!changes.is_empty()).then(|| format!("{}: {changes}", now.name))
    };
    let types = events::store::ticket_types(db, event.id)?;
    let mut lines = vec![of_event(event, &now)];
    lines.extend(before.iter().zip(&types).filter_map(of_type));
    Ok(lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n"))
}
