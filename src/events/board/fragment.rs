//! A concert on the board, and its availability fragment: the part of the concert's page that browsers poll.

use std::io::Write as _;
use std::ops::Deref;
use std::sync::OnceLock;

use actix_web::http::header::HeaderValue;
use actix_web::web::Bytes;
use askama::Template;
use chrono::NaiveDateTime;

use crate::error::Error;
use crate::events::pace::Pace;
use crate::events::sale::SaleState;
use crate::events::{Concert, EventState, HeldTickets, TicketType};
use crate::money::Money;
use crate::{assets, page};

/// A request waits for the compression, so this level gives most of the gain at little cost.
const GZIP_LEVEL: u32 = 5;

/// A concert on the board, as of a time.
pub struct Listing {
    pub(super) concert: Concert,
    /// One for each ticket type.
    sale_states: Vec<SaleState>,
    is_over: bool,
    is_preview: bool,
    /// One for each polling interval, so that switching renders nothing again.
    fragments: [OnceLock<Fragment>; 2],
}

impl Deref for Listing {
    type Target = Concert;

    fn deref(&self) -> &Concert {
        &self.concert
    }
}

impl Listing {
    /// `now`: UTC.
    #[must_use]
    pub fn new(concert: Concert, now: NaiveDateTime) -> Self {
        let sale_states = sale_states(&concert, now);
        let is_over = concert.event.is_over(now);
        Self { concert, sale_states, is_over, is_preview: false, fragments: Default::default() }
    }

    /// A concert as buyers would see it if it were published. Its page does not poll, and nothing can be booked there.
    #[must_use]
    pub fn preview(mut concert: Concert, now: NaiveDateTime) -> Self {
        if concert.event.state == EventState::Draft {
            concert.event.state = EventState::Published;
        }
        Self { is_preview: true, ..Self::new(concert, now) }
    }

    /// Whether only the organizer sees it.
    #[must_use]
    pub fn is_preview(&self) -> bool {
        self.is_preview
    }

    /// Whether its sale states, and whether it is over, are the same at that time (UTC).
    pub(super) fn is_as_of(&self, now: NaiveDateTime) -> bool {
        self.is_over == self.event.is_over(now) && self.sale_states == sale_states(&self.concert, now)
    }

    /// The ticket type of that id.
    #[must_use]
    pub fn ticket_type(&self, id: i64) -> Option<&TicketType> {
        self.ticket_types.iter().find(|ticket_type| ticket_type.id == id)
    }

    /// Whether the ticket type of that id is on sale.
    #[must_use]
    pub fn sale_state(&self, id: i64) -> SaleState {
        let index = self.ticket_types.iter().position(|ticket_type| ticket_type.id == id);
        index.and_then(|index| self.sale_states.get(index).copied()).unwrap_or(SaleState::Hidden)
    }

    /// Whether the show is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether any ticket type is on sale, and otherwise the state closest to that.
    #[must_use]
    pub fn overall_state(&self) -> SaleState {
        let nearest = |state: &&SaleState| match state {
            SaleState::OnSale => (0, None),
            SaleState::NotYet(opens) => (1, Some(*opens)),
            SaleState::Paused => (2, None),
            SaleState::Canceled => (3, None),
            SaleState::Ended => (4, None),
            SaleState::Hidden => (5, None),
        };
        self.sale_states.iter().min_by_key(nearest).copied().unwrap_or(SaleState::Hidden)
    }

    /// The ticket types that can be booked now.
    pub fn bookable(&self) -> impl Iterator<Item = &TicketType> {
        self.ticket_types.iter().filter(|it| !it.is_sold_out() && self.sale_state(it.id).is_on_sale())
    }

    /// Whether nothing is sold any more, whatever is left: sales have ended, or the concert is canceled. Then it has no
    /// waiting room.
    #[must_use]
    pub fn sales_have_ended(&self) -> bool {
        !self.ticket_types.iter().any(|it| self.sale_state(it.id).may_sell())
    }

    /// Whether no ticket type can be booked now: those on sale are sold out, or none is on sale.
    #[must_use]
    pub fn is_sold_out(&self) -> bool {
        self.bookable().next().is_none()
    }

    /// Why nothing can be booked, if the reason is the same for all ticket types.
    #[must_use]
    pub fn closed(&self) -> Option<SaleState> {
        let first = self.sale_states.first().copied().filter(|state| !state.is_on_sale())?;
        self.sale_states.iter().all(|state| *state == first).then_some(first)
    }

    /// Whether all ticket types are on sale and sold out.
    #[must_use]
    pub fn is_all_sold_out(&self) -> bool {
        !self.sale_states.is_empty()
            && self.sale_states.iter().all(|state| state.is_on_sale())
            && self.is_sold_out()
    }

    /// The price of the cheapest ticket that can be booked now.
    #[must_use]
    pub fn lowest_price(&self) -> Option<Money> {
        let cheapest = self.bookable().min_by_key(|it| it.price_minor)?;
        Some(cheapest.price(&self.event))
    }

    /// How many tickets of that type are held, and until when at the latest (UTC).
    #[must_use]
    pub fn held(&self, id: i64) -> Option<&HeldTickets> {
        self.concert.held.iter().find(|held| held.ticket_type_id == id)
    }

    /// The availability fragment of this state, with that polling interval.
    ///
    /// # Errors
    /// When the template does not render.
    pub fn fragment(&self, pace: Pace) -> Result<&Fragment, Error> {
        let cell = &self.fragments[usize::from(pace.is_slow)];
        if let Some(fragment) = cell.get() {
            return Ok(fragment);
        }
        let fragment = Fragment::render(self, pace)?;
        Ok(cell.get_or_init(|| fragment))
    }
}

/// The availability fragment of one state: rendered once, and compressed once. Only as gzip: brotli
/// would save a tenth of 2 KB, and its tables are a megabyte of the binary.
pub struct Fragment {
    pub etag: HeaderValue,
    pub html: Bytes,
    gzip: OnceLock<Bytes>,
}

#[derive(Template)]
#[template(path = "events/availability.html")]
struct Availability<'a> {
    listing: &'a Listing,
    pace: Pace,
}

impl Fragment {
    pub(super) fn render(listing: &Listing, pace: Pace) -> Result<Self, Error> {
        let html = page::html(&Availability { listing, pace })?;
        Ok(Self { etag: etag(listing, pace)?, html: html.into(), gzip: OnceLock::new() })
    }

    /// The same compressed. Several threads may do the work at the same time; none waits for another.
    ///
    /// # Errors
    /// When it cannot be compressed.
    pub fn gzip(&self) -> Result<&Bytes, Error> {
        if let Some(bytes) = self.gzip.get() {
            return Ok(bytes);
        }
        let bytes = gzip(&self.html).map_err(|e| Error::Internal(format!("compression: {e}")))?;
        Ok(self.gzip.get_or_init(|| bytes.into()))
    }
}

/// Contains the versions, the polling interval and the effects of time and holds, so that every server gives the same
/// state the same tag; and the stylesheet's hash, which changes with a release that may render it differently. Weak,
/// because the encodings of one state share it.
fn etag(listing: &Listing, pace: Pace) -> Result<HeaderValue, Error> {
    let mut versions = format!("{}", listing.event.facts_version);
    for (ticket_type, state) in listing.ticket_types.iter().zip(&listing.sale_states) {
        let TicketType { id, version, facts_version, .. } = ticket_type;
        let state = match state {
            SaleState::OnSale => 'o',
            SaleState::NotYet(_) => 'n',
            SaleState::Ended => 'e',
            SaleState::Paused => 'p',
            SaleState::Canceled => 'c',
            SaleState::Hidden => 'h',
        };
        versions += &format!("-{id}.{version}.{facts_version}{state}");
        if let Some(held) = listing.held(*id) {
            versions += &format!("{}.{}", held.quantity, held.until.and_utc().timestamp());
        }
    }
    let over = if listing.is_over { "over-" } else { "" };
    let release = assets::url("css/app.css");
    let release = release.rsplit('.').nth(1).unwrap_or_default();
    let tag = format!("W/\"{versions}-{over}{}s-{release}\"", pace.seconds);
    HeaderValue::try_from(tag).map_err(|e| Error::Internal(format!("the tag of a fragment: {e}")))
}

fn sale_states(concert: &Concert, now: NaiveDateTime) -> Vec<SaleState> {
    let state = |ticket_type| concert.event.sale_state(ticket_type, now);
    concert.ticket_types.iter().map(state).collect()
}

fn gzip(content: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL));
    encoder.write_all(content)?;
    encoder.finish()
}
