//! The rooms that are switched on, in memory: handlers look a room up without a lock and without the
//! database.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use arc_swap::ArcSwap;
use chrono::NaiveDateTime;
use parking_lot::Mutex;

use super::line::QueueLine;
use super::open_room::OpenRoom;
use super::pace::Supply;
use super::pass::{Pass, PassError, Passes};
use super::place_token::PlaceLinks;
use super::refusals::Refusals;
use super::{RoomPhase, store};
use crate::db::Database;
use crate::error::Error;
use crate::events::board::Listing;
use crate::guard::cookies::Cookies;
use crate::guard::secret::Secrets;
use crate::heartbeat::Heartbeat;

/// When the database has not answered for this long, pages say that the line stands still.
const STANDS_STILL_AFTER: Duration = Duration::from_secs(10);

/// What the metrics show of all rooms that are switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RoomTotals {
    pub rooms: i64,
    /// In lobbies and lines, and not served.
    pub people_waiting: i64,
    /// Good and not used.
    pub passes_out: i64,
}

/// The rooms that are switched on, by concert.
pub struct Rooms {
    rooms: ArcSwap<HashMap<i64, Arc<OpenRoom>>>,
    passes: Passes,
    place_links: PlaceLinks,
    /// People who have come to this server and are not in the database yet: their concerts, and when they came (UTC).
    arrivals: Mutex<Vec<(i64, NaiveDateTime)>>,
    /// Since when nobody has waited in a room, by concert, while this server was calm.
    quiet: Mutex<HashMap<i64, Instant>>,
    pub(super) refusals: Refusals,
    /// Beats after each answer of the database.
    read: Heartbeat,
}

impl Rooms {
    #[must_use]
    pub fn new(secrets: &Secrets) -> Self {
        Self {
            rooms: ArcSwap::default(),
            passes: Passes::new(secrets),
            place_links: PlaceLinks::new(secrets),
            arrivals: Mutex::default(),
            quiet: Mutex::default(),
            refusals: Refusals::default(),
            read: Heartbeat::default(),
        }
    }

    #[must_use]
    pub fn passes(&self) -> &Passes {
        &self.passes
    }

    #[must_use]
    pub fn place_links(&self) -> &PlaceLinks {
        &self.place_links
    }

    /// Reads the rooms from the database, so that none is open to everybody in the program's first second.
    pub fn open_blocking(db: &Database, secrets: &Secrets) -> Result<Self, Error> {
        let rooms = Self::new(secrets);
        let found = db.read_primary_blocking(store::rooms)?;
        // Until the first move nothing is known of the stock: nobody gets a pass, and nobody is told that all is sold.
        let supply = Supply { held: 1, ..Supply::default() };
        rooms.show(found.into_iter().map(|room| OpenRoom::new(room, QueueLine::default(), supply)));
        Ok(rooms)
    }

    /// The room of a concert; `None`: it has none, or it is switched off.
    #[must_use]
    pub fn find(&self, event_id: i64) -> Option<Arc<OpenRoom>> {
        self.rooms.load().get(&event_id).cloned()
    }

    /// Whether no concert has a room.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rooms.load().is_empty()
    }

    /// Whether bookings of a concert need a pass.
    #[must_use]
    pub fn needs_pass(&self, event_id: i64) -> bool {
        self.rooms.load().get(&event_id).is_some_and(|open| open.room.needs_pass())
    }

    /// Whether an order of that concert may go to the desk with this request key: with a pass, or if it needs
    /// none. Costs one look into the table, and one HMAC if a pass is needed.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, event_id: i64, request_key: &str, now: NaiveDateTime) -> Result<(), PassError> {
        match self.rooms.load().get(&event_id) {
            Some(open) if open.room.needs_pass() => {
                self.passes.check(&open.room, request_key, now).map(|_: Pass| ())
            }
            _ => Ok(()),
        }
    }

    /// The valid pass that a browser keeps for a concert.
    #[must_use]
    pub fn pass_of(
        &self,
        cookies: &Cookies,
        request: &HttpRequest,
        event_id: i64,
        now: NaiveDateTime,
    ) -> Option<Pass> {
        Pass::of_request(cookies, &self.passes, request, &self.find(event_id)?.room, now)
    }

    /// Whether the database has not answered for so long that pages say that the line stands still.
    #[must_use]
    pub fn have_stopped(&self) -> bool {
        self.read.age() > STANDS_STILL_AFTER
    }

    /// How long ago the lines were last read and moved on.
    #[must_use]
    pub fn silence(&self) -> Duration {
        self.read.age()
    }

    /// All rooms together, as of the last second.
    #[must_use]
    pub fn totals(&self) -> RoomTotals {
        let mut totals = RoomTotals::default();
        for open in self.rooms.load().values() {
            let served = open.line.before(open.room.served());
            totals.rooms += 1;
            totals.people_waiting += (open.line.len() - served).max(0);
            totals.passes_out += open.supply.passes_out;
        }
        totals
    }

    /// Counts an arrival. It reaches the database within a second.
    pub fn note_arrival(&self, open: &OpenRoom, arrived_at: NaiveDateTime) {
        self.arrivals.lock().push((open.room.event_id, arrived_at));
    }

    /// The arrivals that are to be written.
    pub(super) fn take_arrivals(&self) -> Vec<(i64, NaiveDateTime)> {
        std::mem::take(&mut *self.arrivals.lock())
    }

    /// Keeps arrivals that could not be written for the next second.
    pub(super) fn put_back(&self, arrivals: Vec<(i64, NaiveDateTime)>) {
        self.arrivals.lock().extend(arrivals);
    }

    /// Replaces the rooms with those just read from the database.
    pub(super) fn show(&self, rooms: impl IntoIterator<Item = OpenRoom>) {
        let rooms = rooms.into_iter().map(|open| (open.room.event_id, Arc::new(open)));
        self.rooms.store(Arc::new(rooms.collect()));
        self.read.beat();
    }

    /// The concerts in whose rooms nobody has waited for this long, without stress in between.
    pub(super) fn quiet_since(&self, under_stress: bool, wait: Duration) -> HashSet<i64> {
        let mut quiet = self.quiet.lock();
        let rooms = self.rooms.load();
        let is_quiet =
            |open: &OpenRoom| !under_stress && open.room.opened_at.is_some() && open.line_is_empty();
        quiet.retain(|id, _| rooms.get(id).is_some_and(|open| is_quiet(open)));
        for (id, _) in rooms.iter().filter(|(_, open)| is_quiet(open)) {
            quiet.entry(*id).or_insert_with(Instant::now);
        }
        quiet.iter().filter(|(_, since)| since.elapsed() >= wait).map(|(id, _)| *id).collect()
    }

    /// All rooms as of the last second.
    pub(super) fn all(&self) -> Arc<HashMap<i64, Arc<OpenRoom>>> {
        self.rooms.load_full()
    }
}

/// What a concert has left, and what its bookings hold.
#[must_use]
pub fn supply_of(listing: &Listing) -> Supply {
    let types = || listing.ticket_types.iter().filter(|it| listing.sale_state(it.id).may_sell());
    let held = types().filter_map(|it| listing.held(it.id));
    Supply {
        left: types().map(|it| i64::from(it.available)).sum(),
        held: held.map(|it| i64::from(it.quantity)).sum(),
        passes_out: 0,
        promised: 0,
        is_closed: !types().any(|it| listing.sale_state(it.id).is_on_sale()),
    }
}

/// When the sale of a concert starts: with its first ticket type. `None`: no start was set for a ticket type,
/// so it is on sale from publication on, or there is no ticket type.
#[must_use]
pub fn sale_start(listing: &Listing) -> Option<NaiveDateTime> {
    let starts = listing.ticket_types.iter().map(|it| listing.event.sales_window(it).0);
    starts.min().flatten()
}

/// The phase of a room at the time `now` (UTC).
#[must_use]
pub fn phase(open: &OpenRoom, listing: &Listing, now: NaiveDateTime) -> RoomPhase {
    open.room.phase(sale_start(listing), now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::draw::Position;
    use crate::queue::tests::{at, drawn, room};
    use crate::queue::{QueuePlace, Room, RoomMode};

    fn open(room: Room) -> OpenRoom {
        OpenRoom::new(room, QueueLine::default(), Supply::default())
    }

    #[test]
    fn a_concert_with_a_room_needs_its_own_pass() {
        let rooms = Rooms::new(&"a secret".into());
        assert_eq!(rooms.check(1, "an ordinary key", at(0)), Ok(()), "no room");
        rooms.show([open(room()), open(Room { event_id: 2, mode: RoomMode::UnderStress, ..room() })]);
        let pass = rooms.passes().pass(&room(), "0123456789abcdef0123", at(0));
        assert_eq!(rooms.check(1, "an ordinary key", at(0)), Err(PassError::Missing));
        assert_eq!(rooms.check(1, pass.as_str(), at(0)), Ok(()));
        assert_eq!(rooms.check(1, pass.as_str(), at(600)), Err(PassError::Expired));
        assert_eq!(rooms.check(2, "an ordinary key", at(0)), Ok(()), "there is no stress");
        assert_eq!(rooms.check(3, "an ordinary key", at(0)), Ok(()));
    }

    #[test]
    fn arrivals_are_kept_until_they_are_written() {
        let rooms = Rooms::new(&"a secret".into());
        let line = open(drawn(at(0), Position::default()));
        rooms.note_arrival(&line, at(3));
        rooms.note_arrival(&line, at(3));
        let taken = rooms.take_arrivals();
        assert_eq!(taken, [(1, at(3)), (1, at(3))]);
        assert!(rooms.take_arrivals().is_empty());
        rooms.note_arrival(&line, at(4));
        rooms.put_back(taken);
        assert_eq!(rooms.take_arrivals(), [(1, at(4)), (1, at(3)), (1, at(3))]);
    }

    #[test]
    fn no_more_passes_are_issued_in_a_second_than_there_are() {
        let open = OpenRoom::new(room(), QueueLine::default(), Supply { left: 2, ..Supply::default() });
        let taken = (0..10).filter(|_| open.take_pass()).count();
        assert_eq!(taken, 3, "one and a half times what is left");
    }

    #[test]
    fn a_room_is_quiet_after_a_while_without_stress_and_without_people() {
        let rooms = Rooms::new(&"a secret".into());
        let served = drawn(at(0), Position::start_of(9));
        let crowded = Room { event_id: 2, ..drawn(at(0), Position::default()) };
        let waiting = OpenRoom::new(crowded, QueueLine::new([(0, 5)]), Supply::default());
        rooms.show([open(served), waiting, open(Room { event_id: 3, ..room() })]);
        let hour = Duration::from_secs(3600);
        assert!(rooms.quiet_since(false, hour).is_empty(), "not for long enough");
        assert_eq!(rooms.quiet_since(false, Duration::ZERO), HashSet::from([1]), "not 2, where people wait");
        assert!(rooms.quiet_since(true, Duration::ZERO).is_empty(), "stress");
    }

    #[test]
    fn two_servers_see_the_same_position() {
        let place = QueuePlace::generate(at(-60));
        assert_eq!(open(room()).position(&place), None, "not drawn");
        let one = open(drawn(at(0), Position::default()));
        let other = OpenRoom::new(one.room.clone(), QueueLine::new([(0, 99)]), Supply::default());
        let position = one.position(&place);
        assert!(position.is_some() && position == other.position(&place));
        assert_eq!(position.map(Position::slot), Some(0));
    }
}
