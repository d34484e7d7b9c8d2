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
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;

pub use self::fragment::{Fragment, Listing};
use super::pace::{Pace, PollSeconds};
use super::shared_board::publisher::Publisher;
use super::{Event, Stock, TicketType, store};
use crate::db::Database;
use crate::error::Error;
use crate::heartbeat::Heartbeat;

/// All concerts as they are shown now.
#[derive(Default)]
pub struct Board {
    snapshot: ArcSwap<Snapshot>,
    poll: PollSeconds,
    under_stress: AtomicBool,
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

    /// All concerts, the next one first.
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
                let mut ticket_types = listing.ticket_types.clone();
                for ticket_type in &mut ticket_types {
                    if let Some(stock) = newer(ticket_type) {
                        (ticket_type.available, ticket_type.version) = (stock.available, stock.version);
                    }
                }
                Arc::new(Listing::new(listing.event.clone(), ticket_types))
            });
            Snapshot { listings: listings.collect(), by_ticket_type: old.by_ticket_type.clone() }
        });
    }

    /// Reads all concerts, from a replica where there is one, and shows them, but for what is known in a
    /// newer version already.
    ///
    /// # Errors
    /// What the database said; the board stays as it was.
    pub async fn refresh(&self, db: &Database) -> Result<(), Error> {
        let read = db.read(store::list_with_ticket_types).await?;
        self.show(read);
        Ok(())
    }

    /// As [`Board::refresh`], from the primary, for who has just changed something there.
    ///
    /// # Errors
    /// What the database said; the board stays as it was.
    pub async fn refresh_from_primary(&self, db: &Database) -> Result<(), Error> {
        self.show(db.read_primary(store::list_with_ticket_types).await?);
        Ok(())
    }

    /// As [`Board::refresh`], from the primary, for the start of the program.
    ///
    /// # Errors
    /// What the database said.
    pub fn refresh_blocking(&self, db: &Database) -> Result<(), Error> {
        self.show(db.read_primary_blocking(store::list_with_ticket_types)?);
        Ok(())
    }

    /// All concerts with their ticket types as they are shown now.
    pub(super) fn concerts(&self) -> Vec<(Event, Vec<TicketType>)> {
        let snapshot = self.snapshot.load();
        let concert = |listing: &Arc<Listing>| (listing.event.clone(), listing.ticket_types.clone());
        snapshot.listings.iter().map(concert).collect()
    }

    /// Shows these concerts and no others, but for what is known in a newer version already.
    pub(super) fn show(&self, read: Vec<(Event, Vec<TicketType>)>) {
        self.snapshot.rcu(|old| {
            let listings = read.iter().map(|(event, ticket_types)| {
                let shown = old.listings.iter().find(|listing| listing.event.id == event.id);
                listing_of(event, ticket_types, shown)
            });
            Snapshot::new(listings.collect())
        });
        self.shown.beat();
    }
}

/// The concert as it was read, except that a ticket type shown in a newer version stays; the very same listing
/// when nothing has changed, so that its fragment need not be made again.
fn listing_of(event: &Event, ticket_types: &[TicketType], shown: Option<&Arc<Listing>>) -> Arc<Listing> {
    let Some(shown) = shown else { return Arc::new(Listing::new(event.clone(), ticket_types.to_vec())) };
    let newest = |read: &TicketType| {
        let known =
            shown.ticket_types.iter().find(|known| known.id == read.id && known.version > read.version);
        known.unwrap_or(read).clone()
    };
    let ticket_types: Vec<TicketType> = ticket_types.iter().map(newest).collect();
    if shown.event == *event && shown.ticket_types == ticket_types {
        return Arc::clone(shown);
    }
    Arc::new(Listing::new(event.clone(), ticket_types))
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
    use crate::assets::Encoding;
    use crate::events::tests::{event, ticket_type};

    fn board(available: i32, version: i64) -> Board {
        let board = Board::default();
        board.show(vec![(event(), vec![TicketType { version, ..ticket_type(available) }])]);
        board
    }

    fn left(board: &Board) -> i32 {
        board.listings()[0].ticket_types[0].available
    }

    #[test]
    fn the_board_never_goes_back_in_time() {
        let board = board(50, 10);
        board.publish(&[Stock { ticket_type_id: 1, available: 48, version: 12 }]);
        assert_eq!(left(&board), 48);
        board.publish(&[Stock { ticket_type_id: 1, available: 49, version: 11 }]);
        assert_eq!(left(&board), 48, "an older batch");
        board.show(vec![(event(), vec![TicketType { version: 10, ..ticket_type(50) }])]);
        assert_eq!(left(&board), 48, "a lagging read");
        board.show(vec![(event(), vec![TicketType { version: 13, ..ticket_type(100) }])]);
        assert_eq!(left(&board), 100, "a reseed");
    }

    #[test]
    fn a_fragment_is_made_once_per_change() {
        let board = board(50, 10);
        let before = board.listings()[0].clone();
        board.show(vec![(event(), vec![TicketType { version: 10, ..ticket_type(50) }])]);
        let same = board.listings()[0].clone();
        assert!(Arc::ptr_eq(&before, &same), "nothing changed");
        assert!(std::ptr::eq(
            before.fragment(board.pace()).expect("html"),
            same.fragment(board.pace()).expect("html")
        ));

        board.publish(&[Stock { ticket_type_id: 1, available: 49, version: 11 }]);
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
