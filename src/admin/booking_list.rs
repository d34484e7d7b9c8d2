//! `/admin/bookings`: all bookings, a page at a time, by concert, status, and what is known of the buyer.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::bookings::find;
use super::listing::{BookingFilter, ListedPage};
use super::store::listing;
use crate::app::App;
use crate::auth::access::BoxOffice;
use crate::booking::{BookingStatus, parse_reference};
use crate::error::Error;
use crate::events::{self, Event};
use crate::guard::form::Query;
use crate::page::{Page, see_other};

/// Bookings on a page.
const PAGE_LENGTH: usize = 50;
/// Bookings that are read at once to be compared with what was typed.
const READ_AT_ONCE: usize = 2_000;
/// Most bookings that one request compares: the link to older ones goes on from there.
const COMPARED_MAX: usize = 50_000;
/// The statuses that can be asked for: a hold is listed when it is confirmed.
const STATUSES: [(BookingStatus, &str); 2] =
    [(BookingStatus::Confirmed, "Confirmed"), (BookingStatus::Canceled, "Canceled")];

#[derive(Template)]
#[template(path = "admin/bookings.html")]
struct BookingsPage {
    page: Page,
    concerts: Vec<Event>,
    query: BookingsQuery,
    list: ListedPage,
}

impl BookingsPage {
    fn is_filtered(&self) -> bool {
        let BookingsQuery { q, event, status, .. } = &self.query;
        [q, event, status].iter().any(|it| !it.trim().is_empty())
    }

    /// The concert that is asked for.
    fn concert(&self) -> Option<&Event> {
        self.concerts.iter().find(|event| event.slug == self.query.event)
    }

    /// The address of the page that starts before an id.
    fn link(&self, before: &i64) -> String {
        format!("{}&before={before}", self.first())
    }

    /// The address of the first page with the same filter.
    fn first(&self) -> String {
        let BookingsQuery { q, event, status, .. } = &self.query;
        let q = utf8_percent_encode(q, NON_ALPHANUMERIC);
        format!("/admin/bookings?q={q}&event={event}&status={status}")
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
    before: String,
}

/// `GET /admin/bookings?q=zoe&event=midnight-parade&status=confirmed&before=4711`, the newest first. A whole reference
/// leads to its booking.
pub async fn index(
    page: Page,
    _: BoxOffice,
    app: web::Data<App>,
    Query(query): Query<BookingsQuery>,
) -> Result<HttpResponse, Error> {
    if let Some(reference) = parse_reference(&query.q) {
        match find(&app, &reference).await {
            Ok(_) => return Ok(see_other(&format!("/admin/bookings/{reference}")).finish()),
            // A name may look like a reference.
            Err(Error::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    let concerts = app.db.read_primary(events::store::list).await?;
    let event_id = match query.event.as_str() {
        "" => None,
        slug => Some(concerts.iter().find(|event| event.slug == slug).ok_or(Error::NotFound)?.id),
    };
    let status = match query.status.as_str() {
        "" => None,
        name => {
            let known = STATUSES.into_iter().map(|(status, _)| status).find(|it| it.as_str() == name);
            Some(known.ok_or(Error::NotFound)?)
        }
    };
    let before = match query.before.as_str() {
        "" => None,
        id => Some(id.parse().map_err(|_| Error::NotFound)?),
    };
    let list = load(&app, BookingFilter::new(event_id, status, &query.q), before).await?;
    page.clone().respond_unlisted(StatusCode::OK, &BookingsPage { page, concerts, query, list })
}

/// A page of the list. Reads piece by piece, so that a long search keeps no connection from the sale.
async fn load(app: &App, filter: BookingFilter, before: Option<i64>) -> Result<ListedPage, Error> {
    // One more than is shown tells whether there is another page.
    let length = if filter.compares() { READ_AT_ONCE } else { PAGE_LENGTH + 1 };
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
        if compared >= COMPARED_MAX {
            break last;
        }
        cursor = last;
    };
    let lines = app.db.read_primary(move |db| listing::listed(db, ids)).await?;
    Ok(ListedPage { lines, older })
}
