//! `/admin/bookings`: confirmed and canceled bookings, a page at a time. They are filtered by concert, ticket type,
//! status, and what is known of the buyer.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::bookings::{SearchTarget, find_target};
use super::listing::{BookingFilter, ListedPage};
use super::store::listing;
use crate::app::App;
use crate::auth::access::BoxOffice;
use crate::booking::BookingStatus;
use crate::booking::search::store::COMPARED_MAX;
use crate::error::Error;
use crate::events::{self, Event, TicketType};
use crate::guard::form::Query;
use crate::page::{Page, see_other};

/// Bookings on a page.
const PAGE_LENGTH: usize = 50;
/// Bookings that are read at once to be compared with what was typed.
const CANDIDATES_AT_ONCE: usize = 2_000;
/// The statuses that can be asked for: a hold is listed when it is confirmed.
const STATUSES: [(BookingStatus, &str); 2] =
    [(BookingStatus::Confirmed, "Confirmed"), (BookingStatus::Canceled, "Canceled")];

#[derive(Template)]
#[template(path = "admin/bookings.html")]
struct BookingsPage {
    page: Page,
    /// Those that can be chosen, and the chosen one.
    concerts: Vec<Event>,
    concert: Option<Event>,
    /// Of the chosen concert.
    ticket_types: Vec<TicketType>,
    query: BookingsQuery,
    /// The search looks like a ticket code, but is not a code of this site.
    is_foreign_code: bool,
    list: ListedPage,
}

impl BookingsPage {
    /// Whether a choice besides the typed search narrows the list.
    fn is_narrowed(&self) -> bool {
        !self.query.event.is_empty() || !self.query.status.is_empty()
    }

    fn is_filtered(&self) -> bool {
        self.is_narrowed() || !self.query.q.trim().is_empty()
    }

    /// The address of the page that starts before an id.
    fn link(&self, before: &i64) -> String {
        format!("{}&before={before}", self.first())
    }

    /// The address of the first page with the same filter.
    fn first(&self) -> String {
        format!("/admin/bookings?{}", self.query.filter())
    }

    /// The same search in all concerts, whatever the status.
    fn everywhere(&self) -> String {
        format!("/admin/bookings?q={}", self.query.encoded_q())
    }

    /// The address of the form that exports what is listed.
    fn export(&self, concert: &Event) -> String {
        let (q, BookingsQuery { status, ticket_type, .. }) = (self.query.encoded_q(), &self.query);
        format!("/admin/events/{}/export?q={q}&status={status}&ticket_type={ticket_type}", concert.slug)
    }
}

/// The query, as the address bar has it.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct BookingsQuery {
    q: String,
    /// A concert's slug.
    event: String,
    status: String,
    /// Its id.
    ticket_type: String,
    before: String,
}

impl BookingsQuery {
    fn encoded_q(&self) -> String {
        utf8_percent_encode(self.q.trim(), NON_ALPHANUMERIC).to_string()
    }

    fn filter(&self) -> String {
        let Self { event, status, ticket_type, .. } = self;
        format!("q={}&event={event}&status={status}&ticket_type={ticket_type}", self.encoded_q())
    }
}

/// The status of a query. `None`: it is empty, which means every status of the list.
pub(super) fn parse_status(name: &str) -> Result<Option<BookingStatus>, Error> {
    if name.is_empty() {
        return Ok(None);
    }
    let known = STATUSES.into_iter().map(|(status, _)| status).find(|it| it.as_str() == name);
    known.map(Some).ok_or(Error::NotFound)
}

/// The ticket type of a query; `None` if it is none of these. That is no error: somebody who chooses another
/// concert leaves a ticket type of the former one in the form.
pub(super) fn parse_ticket_type(id: &str, among: &[TicketType]) -> Result<Option<i64>, Error> {
    if !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::NotFound);
    }
    Ok(among.iter().map(|it| it.id).find(|it| it.to_string() == id))
}

/// `GET /admin/bookings?q=zoe&event=midnight-parade&status=confirmed&ticket_type=2&before=4711`, the newest first. A
/// whole reference, a ticket's code or a link to either leads to its booking.
pub async fn index(
    page: Page,
    _: BoxOffice,
    app: web::Data<App>,
    Query(mut query): Query<BookingsQuery>,
) -> Result<HttpResponse, Error> {
    let is_foreign_code = match find_target(&app, &query.q).await? {
        SearchTarget::Booking(path) => return Ok(see_other(&path).finish()),
        SearchTarget::ForeignCode => true,
        SearchTarget::Words => false,
    };
    let (slug, now) = (query.event.clone(), app.board.now());
    let load_choice = app.db.read_primary(move |db| {
        let concerts = listing::concerts_near(db, now)?;
        if !events::is_slug(&slug) {
            return Ok((concerts, None, Vec::new()));
        }
        let (concert, ticket_types) = events::editing::store::find_whole(db, &slug)?;
        Ok((concerts, Some(concert), ticket_types))
    });
    let (mut concerts, concert, ticket_types) = load_choice.await?;
    if concert.is_none() && !query.event.is_empty() {
        return Err(Error::NotFound);
    }
    if let Some(concert) = concert.as_ref().filter(|it| !concerts.iter().any(|near| near.id == it.id)) {
        concerts.insert(0, concert.clone());
    }
    let before = match query.before.as_str() {
        "" => None,
        id => Some(id.parse().map_err(|_| Error::NotFound)?),
    };
    let ticket_type_id = parse_ticket_type(&query.ticket_type, &ticket_types)?;
    query.ticket_type = ticket_type_id.map(|id| id.to_string()).unwrap_or_default();
    let filter = BookingFilter {
        event_id: concert.as_ref().map(|it| it.id),
        ticket_type_id,
        status: parse_status(&query.status)?,
        ..BookingFilter::default()
    };
    let list = load(&app, filter.with_typed(&query.q), before).await?;
    let shown =
        BookingsPage { page: page.clone(), concerts, concert, ticket_types, query, is_foreign_code, list };
    page.respond_unlisted(StatusCode::OK, &shown)
}

/// A page of the list.
async fn load(app: &App, filter: BookingFilter, before: Option<i64>) -> Result<ListedPage, Error> {
    if filter.is_search() {
        let sought = filter.clone();
        let search = app.db.read_primary(move |db| listing::search(db, &sought, before, PAGE_LENGTH + 1));
        if let Some(mut ids) = search.await? {
            let has_more = ids.len() > PAGE_LENGTH;
            ids.truncate(PAGE_LENGTH);
            let older = ids.last().copied().filter(|_| has_more);
            let lines = app.db.read_primary(move |db| listing::listed(db, ids)).await?;
            return Ok(ListedPage { lines, older });
        }
    }
    load_in_pieces(app, filter, before).await
}

/// The newest bookings that fit. Reads piece by piece, so that a long search keeps no connection from the sale.
async fn load_in_pieces(app: &App, filter: BookingFilter, before: Option<i64>) -> Result<ListedPage, Error> {
    // One more than is shown tells whether there is another page.
    let length = if filter.is_search() { CANDIDATES_AT_ONCE } else { PAGE_LENGTH + 1 };
    let (mut ids, mut cursor, mut compared) = (Vec::new(), before, 0);
    let older = loop {
        let (filter, from) = (filter.clone(), cursor);
        let read = app.db.read_primary(move |db| {
            let read = listing::candidates(db, &filter, from, length as i64)?;
            let fitting: Vec<i64> = read.iter().filter(|it| filter.fits(it)).map(|it| it.id).collect();
            Ok((fitting, read.len(), read.last().map(|it| it.id)))
        });
        let (fitting, count, last) = read.await?;
        ids.extend(fitting);
        compared += count;
        if ids.len() > PAGE_LENGTH {
            ids.truncate(PAGE_LENGTH);
            break ids.last().copied();
        }
        if count < length {
            break None;
        }
        // The link to older bookings continues the search from there.
        if compared >= COMPARED_MAX as usize {
            break last;
        }
        cursor = last;
    };
    let lines = app.db.read_primary(move |db| listing::listed(db, ids)).await?;
    Ok(ListedPage { lines, older })
}
