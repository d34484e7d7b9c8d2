//! The board: every concert's tiers and what is left of them, as it is shown, kept in memory.
//!
//! Fifty thousand browsers ask for the same few numbers again and again. They are read from here: no
//! lock, no database, and the fragment with its compressed forms is made once per change, by the first
//! who asks for it. The desk publishes right after its commit; a refresher reads once a second what other
//! servers have sold. The board never goes back in time: a tier's older version is dropped, wherever it
//! comes from.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::web::Bytes;
use arc_swap::ArcSwap;
use askama::Template;

use super::{Event, Stock, TicketType, store};
use crate::db::Database;
use crate::error::Error;
use crate::{assets, page};

/// Quality of the compression that is done while somebody waits: most of the gain for little of the work.
const BROTLI_QUALITY: i32 = 4;
const GZIP_LEVEL: u32 = 5;

/// All concerts as they are shown now.
#[derive(Default)]
pub struct Board {
    snapshot: ArcSwap<Snapshot>,
}

#[derive(Default)]
struct Snapshot {
    /// The next concert first.
    listings: Vec<Arc<Listing>>,
    /// Where a tier is listed.
    by_ticket_type: HashMap<i64, usize>,
}

/// A concert on the board.
pub struct Listing {
    pub event: Event,
    /// In the order in which they are shown.
    pub ticket_types: Vec<TicketType>,
    fragment: OnceLock<Fragment>,
}

/// The availability fragment, ready to be sent.
pub struct Fragment {
    pub etag: String,
    pub identity: Bytes,
    pub gzip: Bytes,
    pub brotli: Bytes,
}

#[derive(Template)]
#[template(path = "events/show.html", block = "availability")]
struct Availability<'a> {
    event: &'a Event,
    ticket_types: &'a [TicketType],
}

impl Board {
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

    /// The concert that a tier belongs to.
    #[must_use]
    pub fn find_by_ticket_type(&self, id: i64) -> Option<Arc<Listing>> {
        let snapshot = self.snapshot.load();
        let index = *snapshot.by_ticket_type.get(&id)?;
        snapshot.listings.get(index).cloned()
    }

    /// Shows what is left of some tiers, as a commit has just left it.
    pub fn publish(&self, stock: &[Stock]) {
        self.snapshot.rcu(|old| {
            let newer = |tier: &TicketType| {
                stock.iter().find(|it| it.ticket_type_id == tier.id && it.version > tier.version)
            };
            let listings = old.listings.iter().map(|listing| {
                if !listing.ticket_types.iter().any(|tier| newer(tier).is_some()) {
                    return Arc::clone(listing);
                }
                let mut ticket_types = listing.ticket_types.clone();
                for tier in &mut ticket_types {
                    if let Some(stock) = newer(tier) {
                        (tier.available, tier.version) = (stock.available, stock.version);
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

    /// As [`Board::refresh`], from the primary, for the start of the program.
    ///
    /// # Errors
    /// What the database said.
    pub fn refresh_here(&self, db: &Database) -> Result<(), Error> {
        self.show(db.read_here(store::list_with_ticket_types)?);
        Ok(())
    }

    fn show(&self, read: Vec<(Event, Vec<TicketType>)>) {
        self.snapshot.rcu(|old| {
            let listings = read.iter().map(|(event, ticket_types)| {
                let shown = old.listings.iter().find(|listing| listing.event.id == event.id);
                listing_of(event, ticket_types, shown)
            });
            Snapshot::new(listings.collect())
        });
    }
}

/// The concert as it was read, except that a tier shown in a newer version stays; the very same listing
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
            by_ticket_type.extend(listing.ticket_types.iter().map(|tier| (tier.id, index)));
        }
        Self { listings, by_ticket_type }
    }
}

impl Listing {
    fn new(event: Event, ticket_types: Vec<TicketType>) -> Self {
        Self { event, ticket_types, fragment: OnceLock::new() }
    }

    /// The tier of that id.
    #[must_use]
    pub fn ticket_type(&self, id: i64) -> Option<&TicketType> {
        self.ticket_types.iter().find(|tier| tier.id == id)
    }

    /// The availability fragment of this state.
    ///
    /// # Errors
    /// When the template does not render.
    pub fn fragment(&self) -> Result<&Fragment, Error> {
        if let Some(fragment) = self.fragment.get() {
            return Ok(fragment);
        }
        let fragment = self.render()?;
        Ok(self.fragment.get_or_init(|| fragment))
    }

    fn render(&self) -> Result<Fragment, Error> {
        let html = page::html(&Availability { event: &self.event, ticket_types: &self.ticket_types })?;
        let compressed = |e: std::io::Error| Error::Internal(format!("compression: {e}"));
        Ok(Fragment {
            etag: self.etag(),
            gzip: gzip(html.as_bytes()).map_err(compressed)?.into(),
            brotli: brotli(html.as_bytes()).map_err(compressed)?.into(),
            identity: html.into(),
        })
    }

    /// Made of the tiers' versions, so that every server gives the same state the same tag, and of the
    /// stylesheet's hash, which changes with a release that may draw it differently. Weak, because the
    /// encodings of one state share it.
    fn etag(&self) -> String {
        let versions = self.ticket_types.iter().map(|tier| format!("{}.{}", tier.id, tier.version));
        let release = assets::url("css/app.css");
        let release = release.rsplit('.').nth(1).unwrap_or_default();
        format!("W/\"{}-{release}\"", versions.collect::<Vec<_>>().join("-"))
    }
}

fn gzip(content: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL));
    encoder.write_all(content)?;
    encoder.finish()
}

fn brotli(mut content: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut compressed = Vec::new();
    let params = brotli::enc::BrotliEncoderParams { quality: BROTLI_QUALITY, ..Default::default() };
    brotli::BrotliCompress(&mut content, &mut compressed, &params)?;
    Ok(compressed)
}

/// Keeps the board fresh for as long as the program runs.
pub async fn keep_fresh(board: Arc<Board>, db: Database, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut was_well = true;
    loop {
        ticks.tick().await;
        let refreshed = board.refresh(&db).await;
        match &refreshed {
            Err(error) if was_well => {
                log::warn!("the board shows what it knows until the database is back: {error}")
            }
            Ok(()) if !was_well => log::info!("the board is fresh again"),
            _ => {}
        }
        was_well = refreshed.is_ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::tests::{event, tier};

    fn board(available: i32, version: i64) -> Board {
        let board = Board::default();
        board.show(vec![(event(), vec![TicketType { version, ..tier(available) }])]);
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
        board.show(vec![(event(), vec![TicketType { version: 10, ..tier(50) }])]);
        assert_eq!(left(&board), 48, "a lagging read");
        board.show(vec![(event(), vec![TicketType { version: 13, ..tier(100) }])]);
        assert_eq!(left(&board), 100, "a reseed");
    }

    #[test]
    fn a_fragment_is_made_once_per_change() {
        let board = board(50, 10);
        let before = board.listings()[0].clone();
        board.show(vec![(event(), vec![TicketType { version: 10, ..tier(50) }])]);
        let same = board.listings()[0].clone();
        assert!(Arc::ptr_eq(&before, &same), "nothing changed");
        assert!(std::ptr::eq(before.fragment().expect("html"), same.fragment().expect("html")));

        board.publish(&[Stock { ticket_type_id: 1, available: 49, version: 11 }]);
        let after = board.listings()[0].clone();
        assert_ne!(before.fragment().expect("html").etag, after.fragment().expect("html").etag);
        assert!(
            String::from_utf8_lossy(&after.fragment().expect("html").identity)
                .contains("<strong>49</strong>")
        );
    }
}
