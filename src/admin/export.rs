//! `/admin/events/{slug}/export`, `/admin/events/{slug}/bookings.csv`: every booking of a concert, or every ticket, for
//! a spreadsheet. The file is sent while it is read, so that its length does not matter.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, HeaderValue, RETRY_AFTER};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, web};
use askama::Template;
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::OwnedMutexGuard;

use super::spreadsheet::{Rows, Separator, Spreadsheet};
use super::store;
use crate::app::App;
use crate::audit::{self, Action};
use crate::auth::access::Organizer;
use crate::error::Error;
use crate::events::{self, Event, is_slug};
use crate::guard::form::Query;
use crate::page::Page;

/// Bookings that are read and sent at once.
const PIECE: i64 = 500;

#[derive(Template)]
#[template(path = "admin/export.html")]
struct ExportPage {
    page: Page,
    event: Event,
    /// Another export is being sent.
    is_busy: bool,
}

/// `GET /admin/events/{slug}/export`: which of the files it shall be.
pub async fn new(
    page: Page,
    _: Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let slug = slug.into_inner();
    if !is_slug(&slug) {
        return Err(Error::NotFound);
    }
    let event = app.db.read_primary(move |db| events::store::find_by_slug(db, &slug)).await?;
    page.clone().respond_unlisted(StatusCode::OK, &ExportPage { page, event, is_busy: false })
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ExportQuery {
    rows: String,
    separator: String,
}

impl ExportQuery {
    fn rows(&self) -> Option<Rows> {
        match self.rows.as_str() {
            "" | "bookings" => Some(Rows::Lines),
            "tickets" => Some(Rows::Tickets),
            _ => None,
        }
    }

    fn separator(&self) -> Option<Separator> {
        match self.separator.as_str() {
            "" | "comma" => Some(Separator::Comma),
            "semicolon" => Some(Separator::Semicolon),
            _ => None,
        }
    }
}

/// `GET /admin/events/{slug}/bookings.csv?rows=tickets&separator=semicolon`: one at a time for the whole site, because
/// each reads all bookings of a concert.
pub async fn show(
    page: Page,
    Organizer(admin): Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
    Query(query): Query<ExportQuery>,
) -> Result<HttpResponse, Error> {
    let slug = slug.into_inner();
    let choice = query.rows().zip(query.separator()).filter(|_| is_slug(&slug));
    let (rows, separator) = choice.ok_or(Error::NotFound)?;
    let filename = match rows {
        Rows::Lines => format!("attachment; filename=\"bookings-{slug}.csv\""),
        Rows::Tickets => format!("attachment; filename=\"tickets-{slug}.csv\""),
    };
    let subject = match rows {
        Rows::Lines => slug.clone(),
        Rows::Tickets => format!("{slug}, ticket by ticket"),
    };
    let load = app.db.read_primary(move |db| {
        let event = events::store::find_by_slug(db, &slug)?;
        let ticket_types = events::store::ticket_types(db, event.id)?;
        Ok((store::export::booking_count(db, event.id)?, event, ticket_types))
    });
    let (count, event, ticket_types) = load.await?;
    let Ok(turn) = Arc::clone(&app.heavy_work.export_turn).try_lock_owned() else {
        let busy = ExportPage { page: page.clone(), event, is_busy: true };
        let mut response = page.respond_unlisted::<Error>(StatusCode::SERVICE_UNAVAILABLE, &busy)?;
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
        return Ok(response);
    };
    // Recorded before any of it is sent.
    let (actor, count) = (admin.actor(), usize::try_from(count).unwrap_or_default());
    app.db
        .write(move |db| audit::store::record(db, &actor, Action::BookingsExported, &subject, count))
        .await?;
    let spreadsheet = Spreadsheet { rows, separator, event, ticket_types };
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((CACHE_CONTROL, "private, no-store"))
        .insert_header((CONTENT_DISPOSITION, filename))
        .streaming(pieces(app, spreadsheet, turn)))
}

/// What comes next of the file.
enum Next {
    Head,
    /// The bookings after this id.
    After(i64),
    End,
}

/// The file, piece by piece. A read that fails breaks the download off, which browsers show.
fn pieces(
    app: web::Data<App>,
    spreadsheet: Spreadsheet,
    turn: OwnedMutexGuard<()>,
) -> impl stream::Stream<Item = Result<Bytes, Error>> + 'static {
    // The turn ends with the stream, also when the browser goes away.
    let start = (app, spreadsheet, Next::Head, turn);
    stream::try_unfold(start, |(app, spreadsheet, next, turn)| async move {
        let broken = |e: String| Error::Internal(format!("csv: {e}"));
        let (piece, next) = match next {
            Next::Head => (spreadsheet.head().map_err(broken)?, Next::After(0)),
            Next::After(id) => {
                let event_id = spreadsheet.event.id;
                let read =
                    app.db.read_primary(move |db| store::export::bookings_after(db, event_id, id, PIECE));
                let bookings = read.await.inspect_err(|e| log::error!("an export broke off: {e}"))?;
                let piece = spreadsheet.body(&bookings, &app.ticket_codes).map_err(broken)?;
                let is_full = i64::try_from(bookings.len()).is_ok_and(|count| count == PIECE);
                let last = bookings.last().filter(|_| is_full).map(|it| it.booking.id);
                (piece, last.map_or(Next::End, Next::After))
            }
            Next::End => return Ok(None),
        };
        Ok(Some((Bytes::from(piece), (app, spreadsheet, next, turn))))
    })
}
