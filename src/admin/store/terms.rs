//! The SQL of a concert's ticket rules.

use diesel::prelude::*;

use crate::admin::terms::TicketRules;
use crate::audit::{self, Action, Actor};
use crate::db::Db;
use crate::events;
use crate::events::store::next_facts_version;
use crate::schema::{events as events_table, ticket_types};

/// Sets a concert's ticket rules, inside the caller's transaction. Existing bookings stay as they are.
///
/// # Errors
/// `NotFound`, or what the database said.
pub fn replace(db: &mut Db, slug: &str, rules: &TicketRules, actor: &Actor) -> QueryResult<()> {
    let event = events::store::find_by_slug(db, slug)?;
    super::lock_ticket_types(db, slug)?;
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
    audit::store::record(db, actor, Action::TermsChanged, &event.name, rules.max_per_person.len())
}
