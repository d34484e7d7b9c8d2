//! Moves the lines on: once a second, by the server that is first. The others see what it did in their own second.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{NaiveDateTime, TimeDelta};
use diesel::QueryResult;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::draw::slot_of;
use super::line::QueueLine;
use super::open_room::OpenRoom;
use super::pace::Supply;
use super::rooms::{Rooms, sale_start, supply_of};
use super::step::next;
use super::{LATE_OPENING, Room, RoomMode, store};
use crate::db::{self, Database, Db};
use crate::error::Error;
use crate::events::board::{Board, Listing};
use crate::guard::secret::Secrets;
use crate::start_error::StartError;

const MOVE_EVERY: Duration = Duration::from_secs(1);
const FORGET_EVERY: Duration = Duration::from_secs(3600);
/// A room that stress has opened closes when this server has seen no stress and nobody waiting for so long.
const CLOSES_AFTER: Duration = Duration::from_secs(600);
/// Counts of older slots are read once, at the first move and after the database was away: a server writes its
/// arrivals within a second, or within a second of the database's return.
const RECENT_SLOTS: i64 = 120;
/// All counts are read again after so many moves: a server that was cut off for longer writes old slots.
const READS_ALL_EVERY: u64 = 60;
/// A draw that is later finds nobody in a lobby, unless somebody has come while the database was away.
const DRAWS_WITHIN: TimeDelta = TimeDelta::minutes(1);
/// So long after the draw nobody is served ahead of time: more people may come in a second than servers have written.
const JUST_DRAWN: TimeDelta = TimeDelta::seconds(5);

/// What the move needs to know of a concert.
#[derive(Debug, Clone, Copy)]
struct SaleNow {
    starts_at: Option<NaiveDateTime>,
    supply: Supply,
}

/// What this server brings to a move.
struct MoveInput {
    /// In the order of their keys, so that no two servers wait for each other in a circle.
    arrivals: BTreeMap<(i64, i64), i64>,
    /// The lines as this server knows them, with the seeds that they belong to.
    lines: HashMap<i64, (String, QueueLine)>,
    sales: HashMap<i64, SaleNow>,
    under_stress: bool,
    /// Concerts in whose rooms nobody has waited, without stress, for long enough.
    quiet: HashSet<i64>,
    /// Concerts where people who are served get no pass right now.
    refused: HashSet<i64>,
}

/// Reads the waiting rooms, and keeps their lines moving.
///
/// # Errors
/// What the database said.
pub fn open_rooms(db: &Database, board: &Arc<Board>, secrets: &Secrets) -> Result<Arc<Rooms>, StartError> {
    let rooms = Arc::new(Rooms::open_blocking(db, secrets)?);
    actix_web::rt::spawn(keep_moving(Arc::clone(&rooms), Arc::clone(board), db.clone()));
    Ok(rooms)
}

/// Moves the lines on as long as the program runs.
pub async fn keep_moving(rooms: Arc<Rooms>, board: Arc<Board>, db: Database) {
    let mut ticks = interval(MOVE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut was_well = true;
    let (mut knows_lines, mut moves) = (false, 0_u64);
    let mut forgot_at: Option<Instant> = None;
    loop {
        ticks.tick().await;
        if forgot_at.is_none_or(|at| at.elapsed() >= FORGET_EVERY) {
            forgot_at = Some(Instant::now());
            // While the database is away there is nothing to delete; an hour later there is as much.
            drop(db.write(store::forget_ended).await);
        }
        let moved = move_once(&rooms, &board, &db, knows_lines).await;
        moves += 1;
        knows_lines = moved.is_ok() && !moves.is_multiple_of(READS_ALL_EVERY);
        match &moved {
            Err(error) if was_well => {
                log::warn!("waiting rooms stand still until the database is back: {error}")
            }
            Ok(()) if !was_well => log::info!("waiting rooms move on"),
            _ => {}
        }
        was_well = moved.is_ok();
    }
}

/// One move of all lines, with this server's arrivals.
///
/// # Errors
/// What the database said; the arrivals are kept for the next move.
pub async fn move_once(rooms: &Rooms, board: &Board, db: &Database, knows_lines: bool) -> Result<(), Error> {
    let arrivals = rooms.take_arrivals();
    // Without a room this is all: one small read.
    if arrivals.is_empty() {
        let found = db.read_primary(store::rooms).await?;
        if found.is_empty() {
            rooms.show([]);
            return Ok(());
        }
    }
    let lines = if knows_lines { rooms.lines() } else { HashMap::new() };
    let input = MoveInput {
        arrivals: arrivals.iter().map(|(key, people)| (*key, *people)).collect(),
        lines,
        sales: sales(board),
        under_stress: board.pace().is_slow,
        quiet: rooms.quiet_since(board.pace().is_slow, CLOSES_AFTER),
        refused: rooms.refusals.concerts(),
    };
    match db.write(move |db| move_rooms(db, input)).await {
        Ok(moved) => {
            rooms.show(moved);
            Ok(())
        }
        Err(error) => {
            // Where the outcome is unknown they may be counted twice, which only makes the line look longer. If they
            // were not counted at all, they would be served all at once.
            rooms.put_back(arrivals);
            Err(error)
        }
    }
}

fn sales(board: &Board) -> HashMap<i64, SaleNow> {
    let sale = |listing: &Listing| SaleNow { starts_at: sale_start(listing), supply: supply_of(listing) };
    board.listings().iter().map(|listing| (listing.event.id, sale(listing.as_ref()))).collect()
}

fn move_rooms(db: &mut Db, input: MoveInput) -> QueryResult<Vec<OpenRoom>> {
    let rooms = store::rooms(db)?;
    // Who has come to a room that was switched off meanwhile is in no line.
    let is_on = |event_id: i64| rooms.iter().any(|room| room.event_id == event_id);
    for ((event_id, slot), people) in input.arrivals.iter().filter(|((event_id, _), _)| is_on(*event_id)) {
        store::add_arrivals(db, *event_id, *slot, *people)?;
    }
    let mut moved = Vec::new();
    for mut room in rooms {
        if room.mode == RoomMode::UnderStress && input.quiet.contains(&room.event_id) {
            store::close(db, &room)?;
            room = store::find(db, room.event_id)?.ok_or(diesel::NotFound)?;
        }
        let sale = input.sales.get(&room.event_id).copied();
        // A room that began again has another seed, and a new line.
        let known = input.lines.get(&room.event_id).filter(|(seed, _)| *seed == room.seed);
        let known = known.map(|(_, line)| line.clone());
        if input.refused.contains(&room.event_id) {
            let now = db::clock(db)?;
            store::note_refused(db, room.event_id, now)?;
            room.refused_at = Some(now);
        }
        moved.push(move_room(db, room, known, sale, input.under_stress)?);
    }
    Ok(moved)
}

fn move_room(
    db: &mut Db,
    mut room: Room,
    known: Option<QueueLine>,
    sale: Option<SaleNow>,
    under_stress: bool,
) -> QueryResult<OpenRoom> {
    let now = db::clock(db)?;
    if let Some(mut drawn_at) = sale.and_then(|sale| draw_time(&room, sale, under_stress, now)) {
        if now - drawn_at > DRAWS_WITHIN && !store::has_arrivals(db, room.event_id)? {
            drawn_at = now;
        }
        store::open(db, &room, drawn_at)?;
        room = store::find(db, room.event_id)?.ok_or(diesel::NotFound)?;
    }
    let present = room.opened_at.map_or(0, |drawn_at| slot_of(now, drawn_at));
    let line = match known {
        Some(line) => line.with(store::arrivals(db, room.event_id, present - RECENT_SLOTS)?),
        None => store::line(db, room.event_id)?,
    };
    let passes_out = store::passes::out(db, room.event_id, now)?;
    // Of a concert that is not published nothing is sold.
    let none = Supply { is_closed: true, held: 1, ..Supply::default() };
    let mut supply = Supply { passes_out, ..sale.map_or(none, |sale| sale.supply) };
    if let Some(drawn_at) = room.opened_at.filter(|_| store::is_due(&room, now)) {
        supply.promised = promised(db, &room, &line, now)?;
        let may_run_ahead = !under_stress && now - drawn_at >= JUST_DRAWN;
        let moved = next(&room, &line, supply, now, under_stress, may_run_ahead);
        if store::advance(db, &room, &moved, now)? {
            room = moved;
        }
    }
    Ok(OpenRoom::new(room, line, supply))
}

/// How many people were served just now and have not asked for their passes.
fn promised(db: &mut Db, room: &Room, line: &QueueLine, now: NaiveDateTime) -> QueryResult<i64> {
    let earlier = room.served_earlier();
    let people = line.before(room.served()) - line.before(earlier);
    Ok((people - store::passes::issued_from(db, room.event_id, earlier, now)?).max(0))
}

/// When a room is drawn, if it is time for that: not before its own concert is on sale, however busy the server is with
/// another one.
fn draw_time(room: &Room, sale: SaleNow, under_stress: bool, now: NaiveDateTime) -> Option<NaiveDateTime> {
    if room.opened_at.is_some() {
        return None;
    }
    let is_on_sale = !sale.supply.is_closed || sale.supply.is_sold_out();
    match room.mode {
        RoomMode::Off => None,
        RoomMode::UnderStress => (under_stress && is_on_sale).then_some(now),
        RoomMode::Always => match sale.starts_at {
            Some(starts_at) if now < starts_at => None,
            Some(starts_at) if now - starts_at < LATE_OPENING => Some(starts_at),
            Some(_) => Some(now),
            None => is_on_sale.then_some(now),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::draw::Position;
    use crate::queue::tests::{at, drawn, room};

    fn sale(starts_at: Option<NaiveDateTime>) -> SaleNow {
        SaleNow { starts_at, supply: Supply { left: 9, ..Supply::default() } }
    }

    /// Not on sale yet, and nothing says when.
    fn closed() -> SaleNow {
        SaleNow { starts_at: None, supply: Supply { left: 9, is_closed: true, ..Supply::default() } }
    }

    #[test]
    fn a_lobby_is_drawn_at_the_start_of_the_sale() {
        let time = |starts, now| draw_time(&room(), sale(starts), false, now);
        assert_eq!(time(Some(at(10)), at(9)), None);
        assert_eq!(time(Some(at(10)), at(10)), Some(at(10)));
        assert_eq!(
            time(Some(at(10)), at(12)),
            Some(at(10)),
            "a server that is late draws for the same second"
        );
        assert_eq!(time(Some(at(10)), at(1000)), Some(at(10)), "people may have come meanwhile");
        assert_eq!(time(Some(at(10)), at(99_999)), Some(at(99_999)));
        assert_eq!(time(None, at(5)), Some(at(5)));
        assert_eq!(draw_time(&room(), closed(), false, at(5)), None, "a paused sale keeps its lobby");
        assert_eq!(draw_time(&drawn(at(0), Position::default()), sale(None), true, at(5)), None, "once");
    }

    #[test]
    fn a_room_for_stress_opens_with_the_stress_of_its_own_sale() {
        let room = Room { mode: RoomMode::UnderStress, ..room() };
        assert_eq!(draw_time(&room, sale(None), false, at(5)), None);
        assert_eq!(draw_time(&room, sale(Some(at(0))), true, at(5)), Some(at(5)));
        assert_eq!(draw_time(&room, closed(), true, at(5)), None, "another concert's rush");
        let off = Room { mode: RoomMode::Off, ..room };
        assert_eq!(draw_time(&off, sale(None), true, at(5)), None);
    }
}
