//! The board: every event's ticket types and their availability, kept in memory.
//!
//! Fifty thousand browsers poll the same few numbers. They are answered from here, without a lock or the
//! database; the fragment and its compressed forms are made once per change, on the first request. The desk
//! updates the board right after its commit; a [`super::refresher`] reads once a second what other servers
//! have sold. The board never goes back in time: an older version of a ticket type is dropped.
//!
//! No SQL and no request handling here.

mod fragment;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use chrono::{NaiveDateTime, TimeDelta, Utc};

pub use self::fragment::{Fragment, Listing};
use super::pace::{Pace, PollSeconds};
use super::shared_board::publisher::Publisher;
use super::{Concert, Stock, TicketType, store};
use crate::db::Database;
use crate::error::Error;
use crate::heartbeat::Heartbeat;

/// Versions are times, in milliseconds. A read that does not know a version of so long ago does not lag: that version
/// was lost in a fail-over, or is from before a backup was restored.
const LOST_AFTER_MS: i64 = 30_000;

/// All concerts as they are shown now.
#[derive(Default)]
pub struct Board {
    snapshot: ArcSwap<Snapshot>,
    poll: PollSeconds,
    under_stress: AtomicBool,
    /// How far the database's clock is ahead of this machine's, in milliseconds.
    clock_offset: AtomicI64,
    publisher: Publisher,
    /// Beaten whenever all of it was read.
    shown: Heartbeat,
    /// The refresher's.
    pub(super) refresher: Heartbeat,
}

#[derive(Default)]
struct Snapshot {
    /// The next concert first.
    listings: Vec<Arc<Listing>>,
    /// Where a ticket type is listed.
    by_ticket_type: HashMap<i64, usize>,
}

impl Board {
    /// An empty board that asks browsers to poll so often.
    #[must_use]
    pub fn new(poll: PollSeconds) -> Self {
        Self { poll, ..Self::default() }
    }

    /// How old the board may be: when all of it was last read.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.shown.age()
    }

    /// Whether the refresher was seen so lately, or waits for the database.
    #[must_use]
    pub fn is_kept(&self, silence_max: Duration) -> bool {
        self.refresher.is_alive(silence_max)
    }

    /// How often browsers are asked to poll, with and without stress.
    #[must_use]
    pub fn poll_seconds(&self) -> PollSeconds {
        self.poll
    }

    /// How often they are asked to poll now.
    #[must_use]
    pub fn pace(&self) -> Pace {
        self.poll.pace(self.under_stress.load(Ordering::Relaxed))
    }

    /// Asks for the slow pace or for the usual one; whether that is a change.
    pub fn set_stress(&self, under_stress: bool) -> bool {
        self.under_stress.swap(under_stress, Ordering::Relaxed) != under_stress
    }

    /// The time (UTC) by which sales start and end: the database's, as this server knows it.
    #[must_use]
    pub fn now(&self) -> NaiveDateTime {
        Utc::now().naive_utc() + TimeDelta::milliseconds(self.clock_offset.load(Ordering::Relaxed))
    }

    /// Sets the board's clock by the database's.
    ///
    /// # Errors
    /// What the database said.
    pub async fn set_clock(&self, db: &Database) -> Result<(), Error> {
        let asked_at = Utc::now().naive_utc();
        let theirs = db.read_primary(crate::db::clock).await?;
        self.clock_is(theirs, asked_at);
        Ok(())
    }

    /// The database's clock was read between `asked_at` and now, so it is compared with the middle.
    fn clock_is(&self, theirs: NaiveDateTime, asked_at: NaiveDateTime) {
        let ours = asked_at + (Utc::now().naive_utc() - asked_at) / 2;
        self.clock_offset.store((theirs - ours).num_milliseconds(), Ordering::Relaxed);
    }

    /// All public concerts, the next one first.
    #[must_use]
    pub fn listings(&self) -> Vec<Arc<Listing>> {
        self.snapshot.load().listings.clone()
    }

    /// The concert of that slug.
    #[must_use]
    pub fn find_by_slug(&self, slug: &str) -> Option<Arc<Listing>> {
        self.snapshot.load().listings.iter().find(|listing| listing.event.slug == slug).cloned()
    }

    /// The concert that a ticket type belongs to.
    #[must_use]
    pub fn find_by_ticket_type(&self, id: i64) -> Option<Arc<Listing>> {
        let snapshot = self.snapshot.load();
        let index = *snapshot.by_ticket_type.get(&id)?;
        snapshot.listings.get(index).cloned()
    }

    /// Shows what this server's commit has just left of some ticket types, here and on the other servers.
    pub fn announce(&self, stock: &[Stock]) {
        self.publish(stock);
        self.publisher.put(stock);
    }

    /// Has the other servers show everything as it is shown here.
    pub fn announce_everything(&self) {
        self.publisher.put_everything();
    }

    /// What the other servers have not been told yet.
    #[must_use]
    pub fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    /// Shows what is left of some ticket types, as a commit somewhere has left it.
    pub fn publish(&self, stock: &[Stock]) {
        let now = self.now();
        self.snapshot.rcu(|old| {
            let newer = |ticket_type: &TicketType| {
                stock
                    .iter()
                    .find(|it| it.ticket_type_id == ticket_type.id && it.version > ticket_type.version)
            };
            let listings = old.listings.iter().map(|listing| {
                if !listing.ticket_types.iter().any(|ticket_type| newer(ticket_type).is_some()) {
                    return Arc::clone(listing);
                }
                let mut concert = listing.concert.clone();
                for ticket_type in &mut concert.ticket_types {
                    if let Some(stock) = newer(ticket_type) {
                        (ticket_type.available, ticket_type.version) = (stock.available, stock.version);
                    }
                }
                Arc::new(Listing::new(concert, now))
            });
            Snapshot { listings: listings.collect(), by_ticket_type: old.by_ticket_type.clone() }
        });
    }

    /// Lets the sales start and end whose time has come. Returns how long nothing else will.
    pub fn pass_time(&self) -> Option<Duration> {
        let now = self.now();
        let snapshot = self.snapshot.load();
        if snapshot.listings.iter().any(|listing| !listing.is_as_of(now)) {
            self.snapshot.rcu(|old| {
                let listings = old.listings.iter().map(|listing| match listing.is_as_of(now) {
                    true => Arc::clone(listing),
                    false => Arc::new(Listing::new(listing.concert.clone(), now)),
                });
                Snapshot { listings: listings.collect(), by_ticket_type: old.by_ticket_type.clone() }
            });
        }
        let turns = snapshot
            .listings
            .iter()
            .filter_map(|listing| listing.event.next_turn(&listing.ticket_types, now));
        turns.min().map(|turn| (turn - now).to_std().unwrap_or_default())
    }

    /// Reads all concerts, from a replica where there is one, and shows them, but for what is known in a
    /// newer version already.
    ///
    /// # Errors
    /// What the database said; the board stays as it was.
    pub async fn refresh(&self, db: &Database) -> Result<(), Error> {
        let read = db.read(store::public_concerts).await?;
        self.show(read);
        Ok(())
    }

    /// As [`Board::refresh`], from the primary, for who has just changed something there.
    ///
    /// # Errors
    /// What the database said; the board stays as it was.
    pub async fn refresh_from_primary(&self, db: &Database) -> Result<(), Error> {
        self.show(db.read_primary(store::public_concerts).await?);
        Ok(())
    }

    /// As [`Board::refresh`], from the primary, for the start of the program.
    ///
    /// # Errors
    /// What the database said.
    pub fn refresh_blocking(&self, db: &Database) -> Result<(), Error> {
        let asked_at = Utc::now().naive_utc();
        self.clock_is(db.read_primary_blocking(crate::db::clock)?, asked_at);
        self.show(db.read_primary_blocking(store::public_concerts)?);
        Ok(())
    }

    /// All concerts as they are shown now.
    pub(super) fn concerts(&self) -> Vec<Concert> {
        self.snapshot.load().listings.iter().map(|listing| listing.concert.clone()).collect()
    }

    /// Shows these concerts and no others, but for what is known in a newer version already.
    pub(super) fn show(&self, read: Vec<Concert>) {
        let now = self.now();
        self.snapshot.rcu(|old| {
            let shown: HashMap<i64, &Arc<Listing>> =
                old.listings.iter().map(|listing| (listing.event.id, listing)).collect();
            let listings =
                read.iter().map(|concert| listing_of(concert, shown.get(&concert.event.id).copied(), now));
            Snapshot::new(listings.collect())
        });
        self.shown.beat();
    }
}

/// The concert as it was read, except for what is shown in a newer version; the very same listing when nothing has
/// changed, so that its fragment need not be made again. Stock and facts have a version each: a rush raises the
/// version of the stock again and again, and must not keep an old price or limit on the page.
fn listing_of(read: &Concert, shown: Option<&Arc<Listing>>, now: NaiveDateTime) -> Arc<Listing> {
    let Some(shown) = shown else { return Arc::new(Listing::new(read.clone(), now)) };
    let is_newer =
        |known: i64, read: i64| known > read && now.and_utc().timestamp_millis() - known < LOST_AFTER_MS;
    let event = if is_newer(shown.event.facts_version, read.event.facts_version) {
        &shown.event
    } else {
        &read.event
    };
    let newest = |read: &TicketType| {
        let Some(known) = shown.ticket_types.iter().find(|known| known.id == read.id) else {
            return read.clone();
        };
        let facts = if is_newer(known.facts_version, read.facts_version) { known } else { read };
        let stock = if is_newer(known.version, read.version) { known } else { read };
        TicketType { available: stock.available, version: stock.version, ..facts.clone() }
    };
    let ticket_types = read.ticket_types.iter().map(newest).collect();
    let concert = Concert { event: event.clone(), ticket_types, held: read.held.clone() };
    if shown.concert == concert && shown.is_as_of(now) {
        return Arc::clone(shown);
    }
    Arc::new(Listing::new(concert, now))
}

impl Snapshot {
    fn new(listings: Vec<Arc<Listing>>) -> Self {
        let mut by_ticket_type = HashMap::new();
        for (index, listing) in listings.iter().enumerate() {
            by_ticket_type.extend(listing.ticket_types.iter().map(|ticket_type| (ticket_type.id, index)));
        }
        Self { listings, by_ticket_type }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::LazyLock;

    use crate::assets::Encoding;
    use crate::events::sale::SaleState;
    use crate::events::tests::{event, ticket_type};

    /// A version of the last second, for a small number.
    fn recent(version: i64) -> i64 {
        static BASE: LazyLock<i64> = LazyLock::new(|| Utc::now().timestamp_millis() - 1_000);
        *BASE + version
    }

    fn board(available: i32, version: i64) -> Board {
        let board = Board::default();
        board.show(read(available, version));
        board
    }

    fn read(available: i32, version: i64) -> Vec<Concert> {
        let ticket_types = vec![TicketType { version: recent(version), ..ticket_type(available) }];
        vec![Concert { event: event(), ticket_types, held: Vec::new() }]
    }

    fn left(board: &Board) -> i32 {
        board.listings()[0].ticket_types[0].available
    }

    #[test]
    fn the_board_never_goes_back_in_time() {
        let board = board(50, 10);
        board.publish(&[Stock { ticket_type_id: 1, available: 48, version: recent(12) }]);
        assert_eq!(left(&board), 48);
        board.publish(&[Stock { ticket_type_id: 1, available: 49, version: recent(11) }]);
        assert_eq!(left(&board), 48, "an older batch");
        board.show(read(50, 10));
        assert_eq!(left(&board), 48, "a lagging read");
        board.show(read(100, 13));
        assert_eq!(left(&board), 100, "a reseed");
    }

    #[test]
    fn facts_reach_the_board_while_it_sells() {
        let board = board(50, 10);
        board.publish(&[Stock { ticket_type_id: 1, available: 40, version: recent(20) }]);
        let mut concerts = read(45, 15);
        concerts[0].ticket_types[0].max_per_booking = 2;
        concerts[0].ticket_types[0].facts_version = recent(2);
        concerts[0].event.paused = true;
        concerts[0].event.facts_version = recent(2);
        board.show(concerts);
        let shown = board.listings()[0].clone();
        assert_eq!((shown.ticket_types[0].available, shown.ticket_types[0].max_per_booking), (40, 2));
        board.show(read(39, 21));
        let shown = board.listings()[0].clone();
        assert_eq!(
            (shown.ticket_types[0].available, shown.ticket_types[0].max_per_booking),
            (39, 2),
            "a lagging read"
        );
        assert!(shown.event.paused, "a lagging read");
    }

    #[test]
    fn what_was_lost_is_not_shown_for_ever() {
        let board = board(50, 10);
        board.show(read(37, -LOST_AFTER_MS));
        assert_eq!(left(&board), 50, "the newest is of the last second");
        let lost = |version| {
            vec![Concert {
                ticket_types: vec![TicketType { version, ..ticket_type(0) }],
                ..read(0, 0).remove(0)
            }]
        };
        let board = Board::default();
        board.show(lost(recent(-2 * LOST_AFTER_MS)));
        board.show(read(37, -2 * LOST_AFTER_MS - 9));
        assert_eq!(left(&board), 37, "after a fail-over that lost commits");
    }

    #[test]
    fn a_sale_opens_on_the_board_by_itself() {
        let board = Board::default();
        let opens = board.now() + TimeDelta::milliseconds(60);
        let mut concerts = read(5, 1);
        concerts[0].event.sales_start_at = Some(opens);
        board.show(concerts);
        let state = |board: &Board| board.listings()[0].sale_state(1);
        let tag = |board: &Board| board.listings()[0].fragment(board.pace()).expect("html").etag.clone();
        let (closed, wait) = (tag(&board), board.pass_time().expect("it will open"));
        assert!(wait <= Duration::from_millis(60) && state(&board) == SaleState::NotYet(opens));
        std::thread::sleep(wait);
        board.pass_time();
        assert_eq!(state(&board), SaleState::OnSale);
        assert_ne!(closed, tag(&board));
    }

    #[test]
    fn a_fragment_is_made_once_per_change() {
        let board = board(50, 10);
        let before = board.listings()[0].clone();
        board.show(read(50, 10));
        let same = board.listings()[0].clone();
        assert!(Arc::ptr_eq(&before, &same), "nothing changed");
        assert!(std::ptr::eq(
            before.fragment(board.pace()).expect("html"),
            same.fragment(board.pace()).expect("html")
        ));

        board.publish(&[Stock { ticket_type_id: 1, available: 49, version: recent(11) }]);
        let after = board.listings()[0].clone();
        assert_ne!(
            before.fragment(board.pace()).expect("html").etag,
            after.fragment(board.pace()).expect("html").etag
        );
        assert!(
            String::from_utf8_lossy(
                after.fragment(board.pace()).expect("html").body(Encoding::Identity).expect("html")
            )
            .contains("<strong>49</strong>")
        );
    }

    #[test]
    fn a_fragment_asks_for_the_pace_and_is_made_once_for_each() {
        let board = board(50, 10);
        let listing = board.listings()[0].clone();
        let fragment = || listing.fragment(board.pace()).expect("html");
        let usual = fragment();
        assert!(board.set_stress(true) && !board.set_stress(true), "only a change is one");
        let slow = fragment();
        let [usual_tag, slow_tag] = [usual, slow].map(|it| it.etag.to_str().expect("text"));
        assert!(usual_tag.contains("-5s-") && slow_tag.contains("-15s-"), "{usual_tag} {slow_tag}");
        let asks = |fragment: &Fragment, seconds: &str| {
            String::from_utf8_lossy(fragment.body(Encoding::Identity).expect("html"))
                .contains(&format!("data-poll-seconds=\"{seconds}\""))
        };
        assert!(asks(usual, "5") && asks(slow, "15"));
        assert!(std::ptr::eq(slow, fragment()));
        assert!(board.set_stress(false) && std::ptr::eq(usual, fragment()), "and back, without rendering");
    }
}
