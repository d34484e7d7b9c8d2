//! The SQL of creating and changing concerts. Everything that writes runs inside the caller's write transaction.
//!
//! What may be typed into a field does not belong here: see `events::editing`.

pub mod acts;
pub mod listing;
pub mod pictures;
mod slugs;
pub mod ticket_types;

use chrono::{NaiveDateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::{ChangeRefusal, EventFacts, local_time, markdown};
use crate::audit::{self, Action, Actor};
use crate::db::Db;
use crate::events::editing::changes;
use crate::events::store::{self as events_store, IS_NOT_REHEARSAL, next_facts_version};
use crate::events::{Event, EventState, PaymentChoice, TicketType};
use crate::money::decimals;
use crate::schema::{events, ticket_types as types_table};

/// Until when buyers may cancel where nothing was set before: a day before the start.
const USUAL_DEADLINE_MINUTES: i32 = 24 * 60;

/// The columns that a form sets.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = events, treat_none_as_null = true, treat_none_as_default_value = false)]
struct EventColumns<'a> {
    slug: &'a str,
    name: &'a str,
    tagline: &'a str,
    description: &'a str,
    description_html: String,
    venue: &'a str,
    address: &'a str,
    city: &'a str,
    starts_at: NaiveDateTime,
    doors_at: Option<NaiveDateTime>,
    ends_at: NaiveDateTime,
    time_zone: &'a str,
    currency: &'a str,
    payment: PaymentChoice,
    refund_fee_minor: Option<i64>,
    sales_start_at: Option<NaiveDateTime>,
    sales_end_at: Option<NaiveDateTime>,
    age_limit: Option<i32>,
    accessibility: &'a str,
    organizer_name: &'a str,
    organizer_contact: &'a str,
    image_alt: &'a str,
    listed: bool,
}

fn columns<'a>(facts: &'a EventFacts, slug: &'a str) -> EventColumns<'a> {
    EventColumns {
        slug,
        name: &facts.name,
        tagline: &facts.tagline,
        description: &facts.description,
        description_html: markdown::to_html(&facts.description),
        venue: &facts.venue,
        address: &facts.address,
        city: &facts.city,
        starts_at: facts.starts_at,
        doors_at: facts.doors_at,
        ends_at: facts.ends_at,
        time_zone: facts.time_zone.name(),
        currency: &facts.currency,
        payment: facts.payment,
        refund_fee_minor: facts.refund_fee_minor,
        sales_start_at: facts.sales_start_at,
        sales_end_at: facts.sales_end_at,
        age_limit: facts.age_limit,
        accessibility: &facts.accessibility,
        organizer_name: &facts.organizer_name,
        organizer_contact: &facts.organizer_contact,
        image_alt: &facts.image_alt,
        listed: facts.listed,
    }
}

/// The concert that has that slug, or had it before.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn find(db: &mut Db, slug: &str) -> QueryResult<Event> {
    match events_store::find_by_slug(db, slug).optional()? {
        Some(event) => Ok(event),
        None => slugs::find_by_former(db, slug),
    }
}

/// The concert and its ticket types.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn find_whole(db: &mut Db, slug: &str) -> QueryResult<(Event, Vec<TicketType>)> {
    let event = find(db, slug)?;
    let ticket_types = events_store::ticket_types(db, event.id)?;
    Ok((event, ticket_types))
}

/// The concert that was added last. A new one is probably like it. A rehearsal's copy has not all of its facts.
pub fn latest(db: &mut Db) -> QueryResult<Option<Event>> {
    let concerts = events::table.filter(sql::<Bool>(IS_NOT_REHEARSAL)).order(events::id.desc());
    concerts.select(Event::as_select()).first(db).optional()
}

/// Locks a concert and its ticket types, in the order that all code keeps: types by their ids, then the
/// concert. While they are locked, no booking of the concert is in the middle of its transaction, and none
/// begins.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn lock(db: &mut Db, event_id: i64) -> QueryResult<Event> {
    if let Db::Postgres(pg) = db {
        types_table::table
            .filter(types_table::event_id.eq(event_id))
            .order(types_table::id)
            .select(types_table::id)
            .for_no_key_update()
            .load::<i64>(pg)?;
        return events::table.find(event_id).for_no_key_update().select(Event::as_select()).first(pg);
    }
    events::table.find(event_id).select(Event::as_select()).first(db)
}

/// Adds a draft. `copied`: the concert whose rules and ticket types it takes over.
pub fn create(
    db: &mut Db,
    facts: &EventFacts,
    copied: Option<&Event>,
    actor: &Actor,
) -> QueryResult<Result<Event, ChangeRefusal>> {
    slugs::lock_slugs(db)?;
    let Some(slug) = slugs::free(db, facts, None)? else { return Ok(Err(ChangeRefusal::SlugTaken)) };
    let like = match copied {
        Some(copied) => Some(copied.clone()),
        None => latest(db)?,
    };
    let deadline = like.map_or(Some(USUAL_DEADLINE_MINUTES), |like| like.cancellation_deadline_minutes);
    let id: i64 = diesel::insert_into(events::table)
        .values((
            columns(facts, &slug),
            events::state.eq(EventState::Draft),
            events::cancellation_deadline_minutes.eq(deadline),
            events::image.eq(pictures::image_of(db, copied)?),
            events::facts_version.eq(Utc::now().timestamp_millis()),
        ))
        .returning(events::id)
        .get_result(db)?;
    let event: Event = events::table.find(id).select(Event::as_select()).first(db)?;
    if let Some(copied) = copied {
        copy_ticket_types(db, copied, &event)?;
    }
    audit::store::record(db, actor, Action::EventCreated, &event.name, 1)?;
    Ok(Ok(event))
}

/// The same ticket types, all of whose tickets are available. Their windows move with the start of the show.
fn copy_ticket_types(db: &mut Db, from: &Event, to: &Event) -> QueryResult<()> {
    let zone = to.clock().0;
    let moved =
        |at: Option<NaiveDateTime>| at.map(|at| local_time::moved(at, from.starts_at, to.starts_at, zone));
    for it in events_store::ticket_types(db, from.id)? {
        diesel::insert_into(types_table::table)
            .values((
                types_table::event_id.eq(to.id),
                types_table::name.eq(&it.name),
                types_table::description.eq(&it.description),
                types_table::price_minor.eq(it.price_minor),
                types_table::capacity.eq(it.capacity),
                types_table::available.eq(it.capacity),
                types_table::max_per_booking.eq(it.max_per_booking),
                types_table::max_per_person.eq(it.max_per_person),
                types_table::position.eq(it.position),
                types_table::icon.eq(&it.icon),
                types_table::accent.eq(it.accent),
                types_table::tax_rate.eq(it.tax_rate),
                types_table::state.eq(it.state),
                types_table::sales_start_at.eq(moved(it.sales_start_at)),
                types_table::sales_end_at.eq(moved(it.sales_end_at)),
                types_table::version.eq(Utc::now().timestamp_millis()),
                types_table::facts_version.eq(Utc::now().timestamp_millis()),
            ))
            .execute(db)?;
    }
    Ok(())
}

/// Changes a concert and its picture. `shown_version`: that of the facts that were shown; `None`: whatever they are
/// now.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn update(
    db: &mut Db,
    event_id: i64,
    shown_version: Option<i64>,
    facts: &EventFacts,
    picture: &pictures::PictureChange,
    actor: &Actor,
) -> QueryResult<Result<Event, ChangeRefusal>> {
    let before = match lock_to_change(db, event_id, shown_version)? {
        Ok(before) => before,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let Some(slug) = slugs::free(db, facts, Some(&before))? else {
        return Ok(Err(ChangeRefusal::SlugTaken));
    };
    if before.currency != facts.currency && !rescale_prices(db, &before, &facts.currency)? {
        return Ok(Err(ChangeRefusal::CurrencyInUse));
    }
    diesel::update(events::table.find(event_id))
        .set((columns(facts, &slug), events::facts_version.eq(next_facts_version())))
        .execute(db)?;
    slugs::remember(db, &before, &slug)?;
    pictures::apply(db, event_id, picture)?;
    let now: Event = events::table.find(event_id).select(Event::as_select()).first(db)?;
    let details = changes::of_event(&before, &now);
    audit::store::record_change(db, actor, Action::EventChanged, &now.name, 1, &details)?;
    Ok(Ok(now))
}

/// Locks a concert whose facts are to be changed, unless it is closed or no longer what was shown.
fn lock_to_change(
    db: &mut Db,
    event_id: i64,
    shown_version: Option<i64>,
) -> QueryResult<Result<Event, ChangeRefusal>> {
    slugs::lock_slugs(db)?;
    let event = lock(db, event_id)?;
    Ok(match shown_version {
        _ if event.state.is_closed() => Err(ChangeRefusal::Closed),
        Some(shown) if shown != event.facts_version => Err(ChangeRefusal::ChangedMeanwhile),
        _ => Ok(event),
    })
}

/// Writes the same prices in another currency. Returns false if that cannot be done. Bookings keep their
/// currency, so there must be none.
fn rescale_prices(db: &mut Db, before: &Event, currency: &str) -> QueryResult<bool> {
    if acts::is_booked(db, before.id)? {
        return Ok(false);
    }
    let (old, new) = (decimals(&before.currency), decimals(currency));
    let scale = 10_i64.pow(u32::try_from(old.abs_diff(new)).unwrap_or_default());
    for it in events_store::ticket_types(db, before.id)? {
        if new < old && it.price_minor % scale != 0 {
            return Ok(false);
        }
        let price = if new < old { it.price_minor / scale } else { it.price_minor.saturating_mul(scale) };
        diesel::update(types_table::table.find(it.id))
            .set((types_table::price_minor.eq(price), types_table::facts_version.eq(next_facts_version())))
            .execute(db)?;
    }
    Ok(true)
}
