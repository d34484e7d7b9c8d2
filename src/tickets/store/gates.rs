//! The SQL of gates that are opened by a link.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::audit::{self, Action, Actor};
use crate::db::{Db, on_either};
use crate::events::Event;
use crate::schema::{events, gates};
use crate::tickets::gate::is_same_name;
use crate::tickets::gate_link::GateLink;

/// How many links are listed.
const LISTED: i64 = 100;

/// The gate of a link's token, and its concert.
pub fn find(db: &mut Db, token_hash: &str) -> QueryResult<Option<(GateLink, Event)>> {
    gates::table
        .inner_join(events::table)
        .filter(gates::token_hash.eq(token_hash))
        .select((GateLink::as_select(), Event::as_select()))
        .first(db)
        .optional()
}

/// All links, the newest first.
pub fn list(db: &mut Db) -> QueryResult<Vec<(GateLink, Event)>> {
    gates::table
        .inner_join(events::table)
        .order(gates::id.desc())
        .limit(LISTED)
        .select((GateLink::as_select(), Event::as_select()))
        .load(db)
}

/// Makes a gate. `None`: its concert has an open gate with that name.
pub fn create(
    db: &mut Db,
    event: &Event,
    name: &str,
    token_hash: &str,
    actor: &Actor,
    now: NaiveDateTime,
) -> QueryResult<Option<GateLink>> {
    if same_name(db, event.id, name)?.is_some() {
        return Ok(None);
    }
    let gate = diesel::insert_into(gates::table).values((
        gates::event_id.eq(event.id),
        gates::name.eq(name),
        gates::token_hash.eq(token_hash),
        gates::created_at.eq(now),
    ));
    on_either!(db, connection => gate.execute(connection)?);
    audit::store::record(db, actor, Action::GateOpened, &format!("{name}, {}", event.name), 1)?;
    gates::table.filter(gates::token_hash.eq(token_hash)).select(GateLink::as_select()).first(db).optional()
}

/// How an open gate of a concert spells a name that reads the same.
pub fn same_name(db: &mut Db, event_id: i64, name: &str) -> QueryResult<Option<String>> {
    let open = gates::table.filter(gates::event_id.eq(event_id)).filter(gates::revoked_at.is_null());
    let names: Vec<String> = open.order(gates::id).select(gates::name).load(db)?;
    Ok(names.into_iter().find(|open| is_same_name(open, name)))
}

/// Revokes a link. Says whether it was open.
pub fn revoke(db: &mut Db, id: i64, actor: &Actor, now: NaiveDateTime) -> QueryResult<bool> {
    let open = gates::table.filter(gates::id.eq(id)).filter(gates::revoked_at.is_null());
    if diesel::update(open).set(gates::revoked_at.eq(now)).execute(db)? == 0 {
        return Ok(false);
    }
    let (name, event): (String, String) = gates::table
        .inner_join(events::table)
        .filter(gates::id.eq(id))
        .select((gates::name, events::name))
        .first(db)?;
    audit::store::record(db, actor, Action::GateClosed, &format!("{name}, {event}"), 1)?;
    Ok(true)
}
