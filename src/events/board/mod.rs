//! The board: every event's ticket types and their availability, kept in memory.
//!
//! Fifty thousand browsers poll the same few numbers. They are answered from here, without a lock or the
//! database; the fragment and its compressed form are made once per change, on the first request. The desk
//! updates the board right after its commit; a [`super::refresher`] reads once a second what other servers
//! have sold. An older version of a ticket type is dropped, unless the newer one was lost: see [`merge`].
//!
//! SQL and handlers do not belong here: see `events::store` and `events::pages`.

mod clock;
mod fragment;
mod merge;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use chrono::NaiveDateTime;
use tokio::sync::Mutex;

use self::clock::DatabaseClock;
pub use self::fragment::{Fragment, Listing};
pub(super) use self::merge::newest_version;
use super::pace::{Pace, PollSeconds};
use super::shared_board::publisher::Publisher;
use super::{Concert, Stock, TicketType, store};
use crate::db::{Database, REPLICA_LAG_MAX};
use crate::error::Error;
use crate::heartbeat::Heartbeat;

/// All concerts as they are shown now.
#[derive(Default)]
pub struct Board {
    snapshot: ArcSwap<Snapshot>,
    poll: PollSeconds,
    under_stress: AtomicBool,
    is_load_high: AtomicBool,
    clock: DatabaseClock,
    publisher: Publisher,
    /// The newest version in the last read of the primary.
    newest_version: AtomicI64,
    /// Reads of the primary run one at a time: one that began before a change must not be shown after it.
    reading: Mutex<()>,
    /// When the last read of the primary ended.
    primary_read_at: parking_lot::Mutex<Option<Instant>>,
    /// Beats after each complete read, from the database or from another server.
    shown: Heartbeat,
    /// The refresher's heartbeat.
    pub(super) refresher: Heartbeat,
}

#[derive(Default)]
struct Snapshot {
    /// By start, the earliest first: past concerts come before the next one.
    listings: Vec<Arc<Listing>>,
    /// The index of the listing of each ticket type.
    by_ticket_type: HashMap<i64, usize>,
}

impl Board {
    /// An empty board with these polling intervals.
    #[must_use]
    pub fn new(poll: PollSeconds) -> Self {
        Self { poll, ..Self::default() }
    }

    /// The time since the last complete read.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.shown.age()
    }

    /// Whether the refresher's heartbeat is recent enough, or it waits for the database.
    #[must_use]
    pub fn is_refreshed(&self, silence_max: Duration) -> bool {
        self.refresher.is_alive(silence_max)
    }

    /// The polling intervals, with and without stress.
    #[must_use]
    pub fn poll_seconds(&self) -> PollSeconds {
        self.poll
    }

    /// The current polling interval.
    #[must_use]
    pub fn pace(&self) -> Pace {
        self.poll.pace(self.under_stress.load(Ordering::Relaxed))
    }

    /// Whether the load was high in the last second. Stress lasts longer: see [`super::pace`].
    #[must_use]
    pub fn is_load_high(&self) -> bool {
        self.is_load_high.load(Ordering::Relaxed)
    }

    /// Notes the load of the last second. Switches between the slow and the usual interval; returns whether that is a
    /// change.
    pub fn set_load(&self, is_high: bool, under_stress: bool) -> bool {
        self.is_load_high.store(is_high, Ordering::Relaxed);
        self.under_stress.swap(under_stress, Ordering::Relaxed) != under_stress
    }

    /// The database's time (UTC), by which sales start and end, as far as this server knows it.
    #[must_use]
    pub fn now(&self) -> NaiveDateTime {
        self.clock.now()
    }

    /// Sets the board's clock by the database's.
    pub async fn set_clock(&self, db: &Database) -> Result<(), Error> {
        self.clock.set(&db.read_primary(clock::read).await?);
        Ok(())
    }

    /// All public concerts by start, the earliest first: past concerts come before the next one.
    #[must_use]
    pub fn listings(&self) -> Vec<Arc<Listing>> {
        self.snapshot.load().listings.clone()
    }

    /// The concert that has that slug, or had it before.
    #[must_use]
    pub fn find_by_slug(&self, slug: &str) -> Option<Arc<Listing>> {
        let snapshot = self.snapshot.load();
        let find = |is_its: fn(&Listing, &str) -> bool| {
            snapshot.listings.iter().find(|listing| is_its(listing, slug)).cloned()
        };
        let has_had =
            |listing: &Listing, slug: &str| listing.former_slugs.iter().any(|former| former == slug);
        find(|listing, slug| listing.event.slug == slug).or_else(|| find(has_had))
    }

    /// The concert that a ticket type belongs to.
    #[must_use]
    pub fn find_by_ticket_type(&self, id: i64) -> Option<Arc<Listing>> {
        let snapshot = self.snapshot.load();
        let index = *snapshot.by_ticket_type.get(&id)?;
        snapshot.listings.get(index).cloned()
    }

    /// The ticket type of that id.
    #[must_use]
    pub fn ticket_type(&self, id: i64) -> Option<TicketType> {
        self.find_by_ticket_type(id)?.ticket_type(id).cloned()
    }

    /// Shows the stock after a commit of this server, here and on the other servers.
    pub fn announce(&self, stock: &[Stock]) {
        self.publish(stock);
        self.publisher.put(stock);
    }

    /// Publishes the whole board to the other servers.
    pub fn announce_everything(&self) {
        self.publisher.put_everything();
    }

    /// Changes that wait to be published.
    #[must_use]
    pub fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    /// Shows the stock of some ticket types after a commit of any server.
    pub fn publish(&self, stock: &[Stock]) {
        let now = self.now();
        let newer = |ticket_type: &TicketType| {
            stock.iter().find(|it| it.ticket_type_id == ticket_type.id && it.version > ticket_type.version)
        };
        self.change(|listing| {
            if !listing.ticket_types.iter().any(|ticket_type| newer(ticket_type).is_some()) {
                return None;
            }
            let mut concert = listing.concert.clone();
            for ticket_type in &mut concert.ticket_types {
                if let Some(stock) = newer(ticket_type) {
                    (ticket_type.available, ticket_type.version) = (stock.available, stock.version);
                }
            }
            Some(Listing::new(concert, now))
        });
    }

    /// Starts and ends sales whose time has come. Returns the time until the next one.
    pub fn open_and_close_sales(&self) -> Option<Duration> {
        let now = self.now();
        let snapshot = self.snapshot.load();
        if snapshot.listings.iter().any(|listing| !listing.is_as_of(now)) {
            self.change(|listing| {
                (!listing.is_as_of(now)).then(|| Listing::new(listing.concert.clone(), now))
            });
        }
        let turns = snapshot
            .listings
            .iter()
            .filter_map(|listing| listing.event.next_sale_change(&listing.ticket_types, now));
        turns.min().map(|turn| (turn - now).to_std().unwrap_or_default())
    }

    /// Replaces the concerts that have changed; `None` leaves a concert as it is.
    fn change(&self, change: impl Fn(&Listing) -> Option<Listing>) {
        self.snapshot.rcu(|old| {
            let listings = old
                .listings
                .iter()
                .map(|listing| change(listing).map_or_else(|| Arc::clone(listing), Arc::new));
            Snapshot { listings: listings.collect(), by_ticket_type: old.by_ticket_type.clone() }
        });
    }

    /// Reads all concerts, from a replica if there is one, and shows what is newer than the board.
    ///
    /// # Errors
    /// Database errors; the board stays as it was.
    pub async fn refresh(&self, db: &Database) -> Result<(), Error> {
        if !db.has_replicas() {
            return self.refresh_from_primary(db).await;
        }
        let begun = Instant::now();
        let read = db.read(store::public_concerts).await?;
        self.show_from_replica(read, begun);
        Ok(())
    }

    /// As [`Board::refresh`], from the primary, which wins over the board: what the board already showed when
    /// the read began, and the primary does not have, is dropped.
    ///
    /// # Errors
    /// Database errors; the board stays as it was.
    pub async fn refresh_from_primary(&self, db: &Database) -> Result<(), Error> {
        let _turn = self.reading.lock().await;
        let before = self.snapshot.load_full();
        let read = db.read_primary(store::public_concerts).await?;
        self.show_from_primary(read, &before);
        Ok(())
    }

    /// As [`Board::refresh`], from the primary, at the program's start.
    pub fn refresh_blocking(&self, db: &Database) -> Result<(), Error> {
        self.clock.set(&db.read_primary_blocking(clock::read)?);
        let before = self.snapshot.load_full();
        self.show_from_primary(db.read_primary_blocking(store::public_concerts)?, &before);
        Ok(())
    }

    /// All concerts as currently shown.
    pub(super) fn concerts(&self) -> Vec<Concert> {
        self.snapshot.load().listings.iter().map(|listing| listing.concert.clone()).collect()
    }

    /// Shows these concerts and no others, except for newer versions on the board.
    pub(super) fn show(&self, read: Vec<Concert>) {
        self.merge(&read, &Snapshot::default());
    }

    /// As [`Board::show`], for a read of a replica that began at `begun`. The replica may lag behind a read
    /// of the primary that ended since, or just before: a concert that was just published must not disappear.
    fn show_from_replica(&self, read: Vec<Concert>, begun: Instant) {
        let primary_read_at = *self.primary_read_at.lock();
        if primary_read_at.is_some_and(|at| begun.saturating_duration_since(at) <= REPLICA_LAG_MAX) {
            self.shown.beat();
        } else {
            self.show(read);
        }
    }

    /// As [`Board::show`], after a read of the primary that began when the board showed `before`.
    fn show_from_primary(&self, read: Vec<Concert>, before: &Snapshot) {
        let newest = read.iter().map(newest_version).max().unwrap_or_default();
        self.newest_version.store(newest, Ordering::Relaxed);
        self.merge(&read, before);
        *self.primary_read_at.lock() = Some(Instant::now());
    }

    fn merge(&self, read: &[Concert], before: &Snapshot) {
        let now = self.now();
        self.snapshot.rcu(|old| {
            let listings = read.iter().map(|concert| {
                let (shown, before) = (old.find(concert.event.id), before.find(concert.event.id));
                merge::listing_of(concert, shown, before, now)
            });
            Snapshot::new(listings.collect())
        });
        self.shown.beat();
    }

    /// Whether the database may have given this version by now, as far as this server knows it.
    pub(super) fn is_possible(&self, version: i64) -> bool {
        let newest = self.newest_version.load(Ordering::Relaxed);
        version <= merge::latest_version(self.now(), newest)
    }
}

impl Snapshot {
    fn find(&self, event_id: i64) -> Option<&Arc<Listing>> {
        self.listings.iter().find(|listing| listing.event.id == event_id)
    }

    fn new(listings: Vec<Arc<Listing>>) -> Self {
        let mut by_ticket_type = HashMap::new();
        for (index, listing) in listings.iter().enumerate() {
            by_ticket_type.extend(listing.ticket_types.iter().map(|ticket_type| (ticket_type.id, index)));
        }
        Self { listings, by_ticket_type }
    }
}

#[cfg(test)]
mod tests;
