//! The SQL of which picture a concert has.

use diesel::prelude::*;

use super::lock_to_change;
use crate::audit::{self, Action, Actor};
use crate::db::Db;
use crate::events::Event;
use crate::events::editing::{ChangeRefusal, changes};
use crate::events::pictures::drawing::Picture;
use crate::events::pictures::store;
use crate::events::store::next_facts_version;
use crate::schema::events;

/// What becomes of a concert's picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PictureChange {
    Keep,
    Remove,
    Replace(Picture),
}

/// Changes the picture of a concert. The caller's transaction holds the lock for choosing a slug: see
/// [`store::delete_unused`].
///
/// # Errors
/// `NotFound`, or a database error.
pub fn apply(db: &mut Db, event_id: i64, change: &PictureChange) -> QueryResult<()> {
    let image = match change {
        PictureChange::Keep => return Ok(()),
        PictureChange::Remove => None,
        PictureChange::Replace(picture) => {
            store::keep(db, picture)?;
            Some(picture.name.to_string())
        }
    };
    let before: Option<String> = events::table.find(event_id).select(events::image).first(db)?;
    if before == image {
        return Ok(());
    }
    diesel::update(events::table.find(event_id))
        .set((events::image.eq(&image), events::facts_version.eq(next_facts_version())))
        .execute(db)?;
    before.map_or(Ok(()), |before| store::delete_unused(db, &before))
}

/// Changes the picture of a concert and nothing else. `wanted_version`: the version of the facts that the
/// change is based on.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn set(
    db: &mut Db,
    event_id: i64,
    wanted_version: Option<i64>,
    change: &PictureChange,
    actor: &Actor,
) -> QueryResult<Result<Event, ChangeRefusal>> {
    let before = match lock_to_change(db, event_id, wanted_version)? {
        Ok(before) => before,
        Err(refusal) => return Ok(Err(refusal)),
    };
    apply(db, event_id, change)?;
    let now: Event = events::table.find(event_id).select(Event::as_select()).first(db)?;
    let details = changes::of_event(&before, &now);
    audit::store::record_change(db, actor, Action::EventChanged, &now.name, 1, &details)?;
    Ok(Ok(now))
}

/// The picture of the concert that is copied, as it is now: it may have been removed since the form was opened.
pub(super) fn image_of(db: &mut Db, copied: Option<&Event>) -> QueryResult<Option<String>> {
    match copied {
        Some(copied) => events::table.find(copied.id).select(events::image).first(db),
        None => Ok(None),
    }
}
