//! Moves the lines on once a second. The first server in each second does it; the others read the result.

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
use crate::events::pace::PollSeconds;
use crate::guard::secret::Secrets;
use crate::start_error::StartError;

const MOVE_EVERY: Duration = Duration::from_secs(1);
const FORGET_EVERY: Duration = Duration::from_secs(3600);
/// A room that stress has opened closes when this server has seen no stress and nobody waiting for this long.
const CLOSES_AFTER: Duration = Duration::from_secs(600);
/// Each move reads the counts of the lobby and of this many latest slots. Older ones are read at the first
/// move and after the database was away: a server writes its arrivals within a second, or within a second of
/// the database's return.
const RECENT_SLOTS: i64 = 120;
/// All counts are read again after this many moves, because a server that was cut off from the database for
/// longer writes into old slots.
const READS_ALL_EVERY: u64 = 60;
/// A draw that is later than this counts as drawn now if nobody has come. Somebody may have come while the
/// database was away.
const DRAWS_WITHIN: TimeDelta = TimeDelta::minutes(1);
/// For this long after the draw nobody is served ahead of time: more people may come in a second than servers
/// have written.
const JUST_DRAWN: TimeDelta = TimeDelta::seconds(5);

/// What the move needs to know of a concert.
#[derive(Debug, Clone, Copy)]
struct SaleNow {
    starts_at: Option<NaiveDateTime>,
    supply: Supply,
}

/// What this server brings to a move.
struct MoveInput {
    arrivals: Vec<(i64, NaiveDateTime)>,
    /// The rooms as of this server's last move.
    known: Arc<HashMap<i64, Arc<OpenRoom>>>,
    /// Whether their lines are complete.
    knows_lines: bool,
    sales: HashMap<i64, SaleNow>,
    under_stress: bool,
    /// Whether the load was high in the last second.
    is_load_high: bool,
    /// Concerts in whose rooms nobody has waited, without stress, for long enough.
    quiet: HashSet<i64>,
    /// Concerts where people who are served get no pass right now.
    refused: HashSet<i64>,
    /// How often browsers poll.
    poll: PollSeconds,
}

/// Reads the waiting rooms, and keeps their lines moving.
pub fn open_rooms(db: &Database, board: &Arc<Board>, secrets: &Secrets) -> Result<Arc<Rooms>, StartError> {
    let rooms = Arc::new(Rooms::open_blocking(db, secrets)?);
    actix_web::rt::spawn(keep_moving(Arc::clone(&rooms), Arc::clone(board), db.clone()));
    Ok(rooms)
}

/// Moves the lines on as long as the program runs.
async fn keep_moving(rooms: Arc<Rooms>, board: Arc<Board>, db: Database) {
    let mut ticks = interval(MOVE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut was_well = true;
    let (mut knows_lines, mut moves) = (false, 0_u64);
    let mut forgot_at: Option<Instant> = None;
    loop {
        ticks.tick().await;
        if forgot_at.is_none_or(|at| at.elapsed() >= FORGET_EVERY) {
            forgot_at = Some(Instant::now());
            // An error does no harm: the next attempt, an hour later, deletes the same rows.
            drop(db.write(store::forget_ended).await);
        }
        let moved = move_once(&rooms, &board, &db, knows_lines).await;
        moves += 1;
        knows_lines = moved.is_ok() && !moves.is_multiple_of(READS_ALL_EVERY);
        match &moved {
            Err(error) if was_well => {
                log::warn!("the lines of waiting rooms have stopped until the database is back: {error}")
            }
            Ok(()) if !was_well => log::info!("the lines of waiting rooms move again"),
            _ => {}
        }
        was_well = moved.is_ok();
    }
}

/// One move of all lines, with this server's arrivals.
///
/// # Errors
/// Database errors; the arrivals are kept for the next move.
async fn move_once(rooms: &Rooms, board: &Board, db: &Database, knows_lines: bool) -> Result<(), Error> {
    let arrivals = rooms.take_arrivals();
    // While no room is switched on, a move is one small read.
    if arrivals.is_empty() {
        let found = db.read_primary(store::rooms).await?;
        if found.is_empty() {
            rooms.show([]);
            return Ok(());
        }
    }
    let input = MoveInput {
        arrivals: arrivals.clone(),
        known: rooms.all(),
        knows_lines,
        sales: sales(board),
        under_stress: board.pace().is_slow,
        is_load_high: board.is_load_high(),
        quiet: rooms.quiet_since(board.pace().is_slow, CLOSES_AFTER),
        refused: rooms.refusals.concerts(),
        poll: board.poll_seconds(),
    };
    match db.write(move |db| move_rooms(db, input)).await {
        Ok(moved) => {
            rooms.show(moved);
            Ok(())
        }
        Err(error) => {
            // If the outcome is unknown, the arrivals may be counted twice, which only makes the line look
            // longer. If they were not counted at all, they would be served all at once.
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
    let mut moved = Vec::new();
    for mut room in store::rooms(db)? {
        if room.mode == RoomMode::UnderStress && input.quiet.contains(&room.event_id) {
            store::close(db, &room)?;
            room = store::find(db, room.event_id)?.ok_or(diesel::NotFound)?;
        }
        if input.refused.contains(&room.event_id) {
            let now = db::clock(db)?;
            store::note_refused(db, room.event_id, now)?;
            room.refused_at = Some(now);
        }
        moved.push(move_room(db, room, &input)?);
    }
    Ok(moved)
}

fn move_room(db: &mut Db, mut room: Room, input: &MoveInput) -> QueryResult<OpenRoom> {
    let now = db::clock(db)?;
    let sale = input.sales.get(&room.event_id).copied();
    // A room that began again has another seed, and a new line.
    let known = input.known.get(&room.event_id).filter(|known| known.room.seed == room.seed);
    let lobby_seen_at = known.and_then(|known| known.lobby_seen_at);
    let event_id = room.event_id;
    let come = || input.arrivals.iter().filter(|(concert, _)| *concert == event_id);
    let draw_time = |sale| draw_time(&room, sale, input.under_stress, lobby_seen_at, now);
    if let Some(mut drawn_at) = sale.and_then(draw_time) {
        let is_late = now - drawn_at > DRAWS_WITHIN;
        if is_late && come().next().is_none() && !store::has_arrivals(db, event_id)? {
            drawn_at = now;
        }
        store::open(db, &room, drawn_at)?;
        room = store::find(db, room.event_id)?.ok_or(diesel::NotFound)?;
    }
    let starts_at = sale.and_then(|sale| sale.starts_at);
    add_arrivals(db, &room, starts_at, come().map(|(_, arrived_at)| *arrived_at))?;
    let present = room.opened_at.map_or(0, |drawn_at| slot_of(now, drawn_at));
    let line = match known.filter(|_| input.knows_lines) {
        Some(known) => known.line.clone().with(store::arrivals(db, room.event_id, present - RECENT_SLOTS)?),
        None => store::line(db, room.event_id)?,
    };
    let passes_out = store::passes::out(db, room.event_id, now)?;
    // A concert that is not published sells nothing.
    let none = Supply { is_closed: true, held: 1, ..Supply::default() };
    let mut supply = Supply { passes_out, ..sale.map_or(none, |sale| sale.supply) };
    if let Some(drawn_at) = room.opened_at.filter(|_| store::is_due(&room, now)) {
        supply.promised = promised(db, &room, &line, now)?;
        let may_run_ahead = !input.under_stress && now - drawn_at >= JUST_DRAWN;
        let moved = next(&room, &line, supply, now, input.is_load_high, may_run_ahead, input.poll);
        if store::advance(db, &room, &moved, now)? {
            room = moved;
        }
    }
    let is_lobby = room.opened_at.is_none() && starts_at.is_some_and(|starts_at| now < starts_at);
    let mut open = OpenRoom::new(room, line, supply);
    open.lobby_seen_at = if is_lobby { Some(now) } else { lobby_seen_at };
    Ok(open)
}

/// Adds arrivals to their slots. In the order of the slots, so that no two servers wait for each other in a circle.
fn add_arrivals(
    db: &mut Db,
    room: &Room,
    starts_at: Option<NaiveDateTime>,
    arrivals: impl Iterator<Item = NaiveDateTime>,
) -> QueryResult<()> {
    let mut slots = BTreeMap::<i64, i64>::new();
    for arrived_at in arrivals {
        *slots.entry(room.slot_of(starts_at, arrived_at)).or_default() += 1;
    }
    for (slot, people) in slots {
        store::add_arrivals(db, room.event_id, slot, people)?;
    }
    Ok(())
}

/// How many people were served just now and have not asked for their passes.
fn promised(db: &mut Db, room: &Room, line: &QueueLine, now: NaiveDateTime) -> QueryResult<i64> {
    let earlier = room.served_earlier();
    let people = line.before(room.served()) - line.before(earlier);
    Ok((people - store::passes::issued_from(db, room.event_id, earlier, now)?).max(0))
}

/// The time of the draw, if the room is to be drawn now. Not before its own concert is on sale, however busy
/// the server is with another one. If the start of the sale is moved into the past, the lobby is drawn now,
/// with everybody who has come to it.
fn draw_time(
    room: &Room,
    sale: SaleNow,
    under_stress: bool,
    lobby_seen_at: Option<NaiveDateTime>,
    now: NaiveDateTime,
) -> Option<NaiveDateTime> {
    if room.opened_at.is_some() {
        return None;
    }
    let is_on_sale = !sale.supply.is_closed || sale.supply.is_sold_out();
    match room.mode {
        RoomMode::Off => None,
        RoomMode::UnderStress => (under_stress && is_on_sale).then_some(now),
        RoomMode::Always => match sale.starts_at {
            Some(starts_at) if now < starts_at => None,
            Some(starts_at) if lobby_seen_at > Some(starts_at) => Some(now),
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
        let time = |starts, now| draw_time(&room(), sale(starts), false, None, now);
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
        assert_eq!(draw_time(&room(), closed(), false, None, at(5)), None, "a paused sale keeps its lobby");
        let drawn = drawn(at(0), Position::default());
        assert_eq!(draw_time(&drawn, sale(None), true, None, at(5)), None, "once");
    }

    #[test]
    fn a_start_that_is_put_into_the_past_draws_everybody_who_has_come() {
        let time = |seen, now| draw_time(&room(), sale(Some(at(10))), false, Some(seen), now);
        assert_eq!(time(at(9), at(11)), Some(at(10)), "the start as it was");
        assert_eq!(time(at(30), at(31)), Some(at(31)), "a second ago it was still to come");
    }

    #[test]
    fn a_room_for_stress_opens_with_the_stress_of_its_own_sale() {
        let room = Room { mode: RoomMode::UnderStress, ..room() };
        assert_eq!(draw_time(&room, sale(None), false, None, at(5)), None);
        assert_eq!(draw_time(&room, sale(Some(at(0))), true, None, at(5)), Some(at(5)));
        assert_eq!(draw_time(&room, closed(), true, None, at(5)), None, "another concert's rush");
        let off = Room { mode: RoomMode::Off, ..room };
        assert_eq!(draw_time(&off, sale(None), true, None, at(5)), None);
    }
}
