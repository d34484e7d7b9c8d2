//! The SQL of the counts at a gate.

use std::collections::HashMap;

use diesel::prelude::*;

use super::ADMITTED;
use crate::db::Db;
use crate::schema::{refusals, ticket_types, used_tickets};
use crate::tickets::attendance::{Attendance, TicketTypeAttendance};

/// How many of a concert's tickets were admitted, and how often somebody was refused.
pub fn attendance(db: &mut Db, event_id: i64) -> QueryResult<Attendance> {
    let admitted = admitted(db, event_id)?;
    let sold: HashMap<i64, i64> = sold(db, event_id)?.into_iter().collect();
    let ticket_types = crate::events::store::ticket_types(db, event_id)?.into_iter().map(|ticket_type| {
        let of = |counts: &HashMap<i64, i64>| counts.get(&ticket_type.id).copied().unwrap_or_default();
        TicketTypeAttendance { admitted: of(&admitted), sold: of(&sold), ticket_type }
    });
    let ticket_types = ticket_types.collect();
    let refused = refusals::table.filter(refusals::event_id.eq(event_id)).count().get_result(db)?;
    Ok(Attendance { ticket_types, refused })
}

/// How many tickets of each ticket type of a concert were admitted.
pub fn admitted(db: &mut Db, event_id: i64) -> QueryResult<HashMap<i64, i64>> {
    let of_event = ticket_types::table.filter(ticket_types::event_id.eq(event_id)).select(ticket_types::id);
    let admitted: Vec<(i64, i64)> = used_tickets::table
        .filter(used_tickets::ticket_type_id.eq_any(of_event))
        .filter(used_tickets::state.eq(ADMITTED))
        .group_by(used_tickets::ticket_type_id)
        .select((used_tickets::ticket_type_id, diesel::dsl::count_star()))
        .load(db)?;
    Ok(admitted.into_iter().collect())
}

/// How many tickets of each ticket type are sold: what is neither available nor held. Counted from what is not sold,
/// because a gate asks every few seconds, and there are few holds and many bookings.
fn sold(db: &mut Db, event_id: i64) -> QueryResult<Vec<(i64, i64)>> {
    let held = crate::events::store::held(db)?;
    let held: HashMap<i64, i64> =
        held.into_iter().map(|held| (held.ticket_type_id, i64::from(held.quantity))).collect();
    let types: Vec<(i64, i32, i32)> = ticket_types::table
        .filter(ticket_types::event_id.eq(event_id))
        .select((ticket_types::id, ticket_types::capacity, ticket_types::available))
        .load(db)?;
    let sold = |(id, capacity, available): (i64, i32, i32)| {
        (id, i64::from(capacity) - i64::from(available) - held.get(&id).copied().unwrap_or_default())
    };
    Ok(types.into_iter().map(sold).collect())
}
