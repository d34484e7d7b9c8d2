//! The SQL of slugs: which ones are free, and which ones a concert had.

use diesel::prelude::*;

use crate::db::Db;
use crate::events::Event;
use crate::events::editing::{EventFacts, local_time, slug};
use crate::schema::{events, former_slugs};

/// After this many concerts of one name somebody has to choose the address by hand.
const TRIES: usize = 1_000;

/// The key of the advisory lock for choosing a slug: two concerts of one name that are created at the same
/// time get different slugs.
const SLUG_LOCK: i64 = 5_114_711_001;

/// Waits until nobody else chooses a slug. SQLite's write transactions are exclusive anyway.
pub(super) fn lock_slugs(db: &mut Db) -> QueryResult<()> {
    if let Db::Postgres(pg) = db {
        diesel::sql_query(format!("SELECT pg_advisory_xact_lock({SLUG_LOCK})")).execute(pg)?;
    }
    Ok(())
}

/// The concert that had that slug.
pub(super) fn find_by_former(db: &mut Db, slug: &str) -> QueryResult<Event> {
    events::table
        .inner_join(former_slugs::table)
        .filter(former_slugs::slug.eq(slug))
        .select(Event::as_select())
        .first(db)
}

/// The slug that was asked for, or the first free one that is made from the name. `None`: it is taken.
pub(super) fn free(db: &mut Db, facts: &EventFacts, own: Option<&Event>) -> QueryResult<Option<String>> {
    let own_id = own.map(|own| own.id);
    if let Some(wanted) = &facts.slug {
        return Ok((!is_taken(db, wanted, own_id)?).then(|| wanted.clone()));
    }
    let base = match slug::of_name(&facts.name) {
        empty if empty.is_empty() => {
            format!("concert-{}", local_time::date_of(facts.starts_at, facts.time_zone))
        }
        base => base,
    };
    for candidate in slug::candidates(&base).take(TRIES) {
        if !is_taken(db, &candidate, own_id)? {
            return Ok(Some(candidate));
        }
    }
    Ok(None)
}

/// Whether another concert has this slug, or had it: old links lead there.
fn is_taken(db: &mut Db, slug: &str, own: Option<i64>) -> QueryResult<bool> {
    let own = own.unwrap_or_default();
    let of_another = events::table.filter(events::slug.eq(slug)).filter(events::id.ne(own));
    if of_another.select(events::id).first::<i64>(db).optional()?.is_some() {
        return Ok(true);
    }
    let was_of_another =
        former_slugs::table.filter(former_slugs::slug.eq(slug)).filter(former_slugs::event_id.ne(own));
    Ok(was_of_another.select(former_slugs::event_id).first::<i64>(db).optional()?.is_some())
}

/// Keeps the slug that a concert had, when it has another one now.
pub(super) fn remember(db: &mut Db, before: &Event, slug: &str) -> QueryResult<()> {
    if before.slug == slug {
        return Ok(());
    }
    diesel::delete(former_slugs::table.find(slug)).execute(db)?;
    let former = (former_slugs::slug.eq(&before.slug), former_slugs::event_id.eq(before.id));
    diesel::insert_into(former_slugs::table).values(former).execute(db)?;
    Ok(())
}
