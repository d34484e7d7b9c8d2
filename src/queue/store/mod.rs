//! The SQL of waiting rooms and their lines. That of passes is [`passes`], that of places by email [`registrations`].
//!
//! Who comes first, and how fast a line moves, does not belong here: see `queue::draw` and `queue::pace`.

pub mod passes;
pub mod registrations;

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::audit::{self, Action, Actor};
use crate::db::{self, Db, on_either};
use crate::events::editing::ChangeRefusal;
use crate::queue::draw::DrawSeed;
use crate::queue::line::QueueLine;
use crate::queue::pace::FIRST_PER_SECOND;
use crate::queue::{Flow, Room, RoomMode};
use crate::schema::{events, queue_arrivals, queue_passes, waiting_rooms};

/// A line moves once a second, by whichever server is first. This is a little less than a second, so that two
/// servers whose seconds begin at different times do not both miss one.
const MOVES_EVERY: TimeDelta = TimeDelta::milliseconds(900);

/// How long after a concert its log of passes is kept, to answer questions.
const KEPT_AFTER_THE_END: TimeDelta = TimeDelta::days(7);

/// The settings of a room before the organizer sets any.
const OPENS_MINUTES: i32 = 30;
const MOST_PER_SECOND: i32 = 50;

/// What the organizer sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomSettings {
    pub mode: RoomMode,
    pub opens_minutes: i32,
    pub most_per_second: i32,
    pub message: String,
    pub registration: bool,
}

impl RoomSettings {
    /// The settings of a concert's room; `None`: the organizer has set none yet.
    #[must_use]
    pub fn of(room: Option<&Room>) -> Self {
        Self {
            mode: room.map_or(RoomMode::Off, |room| room.mode),
            opens_minutes: room.map_or(OPENS_MINUTES, |room| room.opens_minutes),
            most_per_second: room.map_or(MOST_PER_SECOND, |room| room.most_per_second),
            message: room.map(|room| room.message.clone()).unwrap_or_default(),
            registration: room.is_some_and(|room| room.registration),
        }
    }

    /// The same for the same settings. A form sends it back to say which settings it has shown.
    #[must_use]
    pub fn digest(&self) -> String {
        let Self { mode, opens_minutes, most_per_second, message, registration } = self;
        let settings =
            format!("{} {opens_minutes} {most_per_second} {registration} {message}", mode.as_str());
        hex::encode(&Sha256::digest(settings)[..16])
    }
}

/// The rooms that are switched on, of concerts that are not over.
pub fn rooms(db: &mut Db) -> QueryResult<Vec<Room>> {
    let now = db::clock(db)?;
    waiting_rooms::table
        .inner_join(events::table)
        .filter(waiting_rooms::mode.ne(RoomMode::Off))
        .filter(events::ends_at.gt(now))
        .order(waiting_rooms::event_id)
        .select(Room::as_select())
        .load(db)
}

/// The room of a concert, on or off.
pub fn find(db: &mut Db, event_id: i64) -> QueryResult<Option<Room>> {
    waiting_rooms::table.find(event_id).select(Room::as_select()).first(db).optional()
}

/// Sets a concert's room. A room that is switched on begins with a new draw: nobody has a place in it. `shown`: the
/// digest of the settings that were shown.
pub fn set(
    db: &mut Db,
    (event_id, slug): (i64, &str),
    shown: Option<&str>,
    settings: &RoomSettings,
    actor: &Actor,
) -> QueryResult<Result<(), ChangeRefusal>> {
    let set = (
        waiting_rooms::mode.eq(settings.mode),
        waiting_rooms::opens_minutes.eq(settings.opens_minutes),
        waiting_rooms::most_per_second.eq(settings.most_per_second),
        waiting_rooms::message.eq(&settings.message),
        waiting_rooms::registration.eq(settings.registration),
    );
    let seed = DrawSeed::generate();
    let unopened = (
        waiting_rooms::event_id.eq(event_id),
        waiting_rooms::flow.eq(Flow::Open),
        waiting_rooms::seed.eq(seed.as_str()),
        waiting_rooms::seed_hash.eq(seed.hash()),
        waiting_rooms::per_second.eq(FIRST_PER_SECOND),
    );
    // Two organizers may save the first settings at once.
    let insertion =
        diesel::insert_into(waiting_rooms::table).values((unopened, set)).on_conflict_do_nothing();
    if on_either!(db, connection => insertion.execute(connection)?) == 0 {
        let before = lock(db, event_id)?;
        if shown.is_some_and(|shown| shown != RoomSettings::of(Some(&before)).digest()) {
            return Ok(Err(ChangeRefusal::ChangedMeanwhile));
        }
        diesel::update(waiting_rooms::table.find(event_id)).set(set).execute(db)?;
        if before.mode == RoomMode::Off && settings.mode != RoomMode::Off {
            begin_again(db, event_id, &before.seed_hash)?;
        }
    }
    audit::store::record(
        db,
        actor,
        Action::WaitingRoomChanged,
        &format!("{slug}: {}", settings.mode.as_str()),
        1,
    )?;
    Ok(Ok(()))
}

/// The room of a concert, which stays as it is until the caller's transaction ends. SQLite's write
/// transactions are exclusive anyway.
fn lock(db: &mut Db, event_id: i64) -> QueryResult<Room> {
    let room = waiting_rooms::table.find(event_id);
    match db {
        Db::Postgres(pg) => room.for_no_key_update().select(Room::as_select()).first(pg),
        Db::Sqlite(sqlite) => room.select(Room::as_select()).first(sqlite),
    }
}

/// Begins a concert's room again, if there is one: for a sale whose bookings are deleted.
pub fn restart(db: &mut Db, slug: &str) -> QueryResult<()> {
    let of_slug = events::table.filter(events::slug.eq(slug)).select(events::id);
    let event_id: Option<i64> = of_slug.first(db).optional()?;
    let Some(event_id) = event_id else { return Ok(()) };
    find(db, event_id)?.map_or(Ok(()), |room| begin_again(db, event_id, &room.seed_hash))
}

/// A new seed, an empty line, and no passes, unless the room has begun again already: another server may have
/// done so since it was read. Passes that are out still work as request keys where no room needs a pass.
fn begin_again(db: &mut Db, event_id: i64, known_seed_hash: &str) -> QueryResult<()> {
    let seed = DrawSeed::generate();
    let unopened = (
        waiting_rooms::seed.eq(seed.as_str()),
        waiting_rooms::seed_hash.eq(seed.hash()),
        waiting_rooms::opened_at.eq(None::<NaiveDateTime>),
        waiting_rooms::served.eq(0),
        waiting_rooms::per_second.eq(FIRST_PER_SECOND),
        waiting_rooms::moved_at.eq(None::<NaiveDateTime>),
        waiting_rooms::flow.eq(Flow::Open),
        waiting_rooms::served_earlier.eq(0),
        waiting_rooms::served_mark.eq(0),
        waiting_rooms::marked_at.eq(None::<NaiveDateTime>),
        waiting_rooms::refused_at.eq(None::<NaiveDateTime>),
    );
    let as_known = waiting_rooms::table.find(event_id).filter(waiting_rooms::seed_hash.eq(known_seed_hash));
    if diesel::update(as_known).set(unopened).execute(db)? == 0 {
        return Ok(());
    }
    diesel::delete(queue_arrivals::table.filter(queue_arrivals::event_id.eq(event_id))).execute(db)?;
    diesel::delete(queue_passes::table.filter(queue_passes::event_id.eq(event_id))).execute(db)?;
    Ok(())
}

/// Lets the line of a concert move, slower, or not at all. Returns whether the concert has a room that is on.
pub fn set_flow(db: &mut Db, (event_id, slug): (i64, &str), flow: Flow, actor: &Actor) -> QueryResult<bool> {
    let set = waiting_rooms::flow.eq(flow);
    let is_on = waiting_rooms::table.find(event_id).filter(waiting_rooms::mode.ne(RoomMode::Off));
    if diesel::update(is_on).set(set).execute(db)? == 0 {
        return Ok(false);
    }
    let target = format!("{slug}: {}", flow.as_str());
    audit::store::record(db, actor, Action::WaitingRoomChanged, &target, 1)?;
    Ok(true)
}

/// Adds people who have come to this server.
pub fn add_arrivals(db: &mut Db, event_id: i64, slot: i64, people: i64) -> QueryResult<()> {
    let key = (queue_arrivals::event_id, queue_arrivals::slot);
    let insertion = diesel::insert_into(queue_arrivals::table)
        .values((
            queue_arrivals::event_id.eq(event_id),
            queue_arrivals::slot.eq(slot),
            queue_arrivals::arrivals.eq(people),
        ))
        .on_conflict(key)
        .do_update()
        .set(queue_arrivals::arrivals.eq(queue_arrivals::arrivals + people));
    on_either!(db, connection => insertion.execute(connection)?);
    Ok(())
}

/// The arrivals of a concert in the lobby and in all slots from `since` on.
pub fn arrivals(db: &mut Db, event_id: i64, since: i64) -> QueryResult<Vec<(i64, i64)>> {
    queue_arrivals::table
        .filter(queue_arrivals::event_id.eq(event_id))
        .filter(queue_arrivals::slot.ge(since).or(queue_arrivals::slot.eq(0)))
        .order(queue_arrivals::slot)
        .select((queue_arrivals::slot, queue_arrivals::arrivals))
        .load(db)
}

/// Opens a room that was drawn then, unless another server has, or it has begun again.
pub fn open(db: &mut Db, room: &Room, drawn_at: NaiveDateTime) -> QueryResult<()> {
    let unopened = waiting_rooms::table
        .find(room.event_id)
        .filter(waiting_rooms::seed_hash.eq(&room.seed_hash))
        .filter(waiting_rooms::opened_at.is_null());
    diesel::update(unopened).set(waiting_rooms::opened_at.eq(drawn_at)).execute(db)?;
    Ok(())
}

/// Moves a line on, unless another server has in this second, or the room has begun again.
pub fn advance(db: &mut Db, room: &Room, moved: &Room, now: NaiveDateTime) -> QueryResult<bool> {
    let unmoved = waiting_rooms::table
        .find(room.event_id)
        .filter(waiting_rooms::seed_hash.eq(&room.seed_hash))
        .filter(waiting_rooms::opened_at.is_not_null())
        .filter(waiting_rooms::served.eq(room.served().number()))
        .filter(waiting_rooms::moved_at.is_null().or(waiting_rooms::moved_at.le(now - MOVES_EVERY)));
    let moved = diesel::update(unmoved)
        .set((
            waiting_rooms::served.eq(moved.served),
            waiting_rooms::per_second.eq(moved.per_second),
            waiting_rooms::moved_at.eq(now),
            waiting_rooms::served_earlier.eq(moved.served_earlier),
            waiting_rooms::served_mark.eq(moved.served_mark),
            waiting_rooms::marked_at.eq(moved.marked_at),
        ))
        .execute(db)?;
    Ok(moved > 0)
}

/// Whether a line is due to be moved.
#[must_use]
pub fn is_due(room: &Room, now: NaiveDateTime) -> bool {
    room.moved_at.is_none_or(|moved_at| moved_at <= now - MOVES_EVERY)
}

/// Deletes the counts and the passes of concerts that ended a week ago. Their rooms stay as they were set.
pub fn forget_ended(db: &mut Db) -> QueryResult<usize> {
    let week_ago = db::clock(db)? - KEPT_AFTER_THE_END;
    let ended = || events::table.filter(events::ends_at.lt(week_ago)).select(events::id);
    let arrivals = queue_arrivals::table.filter(queue_arrivals::event_id.eq_any(ended()));
    let passes = queue_passes::table.filter(queue_passes::event_id.eq_any(ended()));
    Ok(diesel::delete(arrivals).execute(db)? + diesel::delete(passes).execute(db)?)
}

/// Closes a room that stress has opened, unless another server has: the next visitors book without a place,
/// until there is stress again.
pub fn close(db: &mut Db, room: &Room) -> QueryResult<()> {
    begin_again(db, room.event_id, &room.seed_hash)
}

/// Notes that people who are served get no pass right now: nobody else is served until they have one, or are gone.
pub fn note_refused(db: &mut Db, event_id: i64, now: NaiveDateTime) -> QueryResult<()> {
    let room = waiting_rooms::table.find(event_id);
    diesel::update(room).set(waiting_rooms::refused_at.eq(now)).execute(db)?;
    Ok(())
}

/// Whether anybody has come to a room.
pub fn has_arrivals(db: &mut Db, event_id: i64) -> QueryResult<bool> {
    let arrivals = queue_arrivals::table.filter(queue_arrivals::event_id.eq(event_id));
    diesel::select(diesel::dsl::exists(arrivals)).get_result(db)
}

/// A concert's whole line.
pub fn line(db: &mut Db, event_id: i64) -> QueryResult<QueueLine> {
    Ok(QueueLine::new(arrivals(db, event_id, 0)?))
}
