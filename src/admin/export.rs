//! `/admin/events/{slug}/export`, `/admin/events/{slug}/bookings.csv`, `/admin/events/{slug}/bookings.xlsx`: the
//! bookings of a concert, or its tickets, for a spreadsheet. The file is sent while it is read, so that its length
//! does not matter.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, HeaderValue, RETRY_AFTER};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, web};
use askama::Template;
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::OwnedMutexGuard;
use tokio::time::timeout;

use super::booking_list::{parse_status, parse_ticket_type};
use super::csv_file::{CsvFile, Separator};
use super::listing::{BookingFilter, Candidate};
use super::spreadsheet::{ExportedBooking, Rows, SheetCell, Spreadsheet};
use super::store;
use super::workbook::Workbook;
use crate::app::App;
use crate::audit::{self, Action};
use crate::auth::access::Organizer;
use crate::auth::session::Admin;
use crate::error::Error;
use crate::events::{self, Event, TicketType, is_slug};
use crate::guard::form::Query;
use crate::page::Page;

/// Bookings that are read and sent at once.
const PIECE: i64 = 1_000;
/// How long an export waits for the one before it, which may end at this very moment.
const TURN_AFTER: Duration = Duration::from_secs(1);

#[derive(Template)]
#[template(path = "admin/export.html")]
struct ExportPage {
    page: Page,
    event: Event,
    ticket_types: Vec<TicketType>,
    query: ExportQuery,
    /// Another export is being sent.
    is_busy: bool,
}

impl ExportPage {
    /// What narrows the file, in words; empty: nothing does.
    fn narrowed(&self) -> String {
        let chosen = self.ticket_types.iter().find(|it| it.id.to_string() == self.query.ticket_type);
        let parts = [
            (!self.query.status.is_empty()).then(|| format!("{} bookings", self.query.status)),
            chosen.map(|it| it.name.clone()),
            (!self.query.q.trim().is_empty()).then(|| format!("“{}”", self.query.q.trim())),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// `GET /admin/events/{slug}/export`: which of the files it shall be.
pub async fn new(
    page: Page,
    _: Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
    Query(query): Query<ExportQuery>,
) -> Result<HttpResponse, Error> {
    let (event, ticket_types) = find(&app, &slug).await?;
    let shown = ExportPage { page: page.clone(), event, ticket_types, query, is_busy: false };
    page.respond_unlisted(StatusCode::OK, &shown)
}

async fn find(app: &App, slug: &str) -> Result<(Event, Vec<TicketType>), Error> {
    if !is_slug(slug) {
        return Err(Error::NotFound);
    }
    let slug = slug.to_owned();
    app.db.read_primary(move |db| events::editing::store::find_whole(db, &slug)).await
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ExportQuery {
    rows: String,
    separator: String,
    /// As the list of bookings has them.
    q: String,
    status: String,
    ticket_type: String,
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

/// `GET /admin/events/{slug}/bookings.csv?rows=tickets&separator=semicolon&status=confirmed`: one at a time for the
/// whole site, because each reads all bookings of a concert.
pub async fn csv(
    page: Page,
    Organizer(admin): Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
    Query(query): Query<ExportQuery>,
) -> Result<HttpResponse, Error> {
    let separator = query.separator().ok_or(Error::NotFound)?;
    let (spreadsheet, filter) = spreadsheet(&app, &slug, &query).await?;
    let file = CsvFile::new(separator, &spreadsheet.headings()).map_err(broken)?;
    send(page, admin, app, query, (spreadsheet, filter, ExportFile::Csv(Box::new(file)))).await
}

/// `GET /admin/events/{slug}/bookings.xlsx?rows=tickets`: the same for Excel and LibreOffice.
pub async fn xlsx(
    page: Page,
    Organizer(admin): Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
    Query(query): Query<ExportQuery>,
) -> Result<HttpResponse, Error> {
    let (spreadsheet, filter) = spreadsheet(&app, &slug, &query).await?;
    let name = match spreadsheet.rows {
        Rows::Lines => "Bookings",
        Rows::Tickets => "Tickets",
    };
    let file = Workbook::new(name, spreadsheet.headings());
    send(page, admin, app, query, (spreadsheet, filter, ExportFile::Workbook(Box::new(file)))).await
}

async fn spreadsheet(
    app: &App,
    slug: &str,
    query: &ExportQuery,
) -> Result<(Spreadsheet, BookingFilter), Error> {
    let rows = query.rows().ok_or(Error::NotFound)?;
    let (event, ticket_types) = find(app, slug).await?;
    let ticket_type_id = parse_ticket_type(&query.ticket_type, &ticket_types)?;
    let (event_id, status) = (Some(event.id), parse_status(&query.status)?);
    let filter = BookingFilter { event_id, ticket_type_id, status, ..BookingFilter::default() };
    Ok((Spreadsheet { rows, event, ticket_types, ticket_type_id }, filter.with_typed(&query.q)))
}

async fn send(
    page: Page,
    admin: Admin,
    app: web::Data<App>,
    query: ExportQuery,
    (spreadsheet, filter, file): (Spreadsheet, BookingFilter, ExportFile),
) -> Result<HttpResponse, Error> {
    let Some(turn) = take_turn(&app).await else {
        let Spreadsheet { event, ticket_types, .. } = spreadsheet;
        let busy = ExportPage { page: page.clone(), event, ticket_types, query, is_busy: true };
        let mut response = page.respond_unlisted::<Error>(StatusCode::SERVICE_UNAVAILABLE, &busy)?;
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
        return Ok(response);
    };
    let slug = spreadsheet.event.slug.clone();
    let (name, subject) = match spreadsheet.rows {
        Rows::Lines => ("bookings", slug.clone()),
        Rows::Tickets => ("tickets", format!("{slug}, ticket by ticket")),
    };
    // What was typed may name a person.
    let search = if filter.is_search() { "what a search has found" } else { "" };
    let parts = [file.extension(), &query.status, search].into_iter().filter(|part| !part.is_empty());
    let details = parts.collect::<Vec<_>>().join(", ");
    let counted = filter.clone();
    let count = app.db.read_primary(move |db| store::export::booking_count(db, &counted)).await?;
    // Recorded before any of it is sent.
    let (actor, count) = (admin.actor(), usize::try_from(count).unwrap_or_default());
    let record = move |db: &mut crate::db::Db| {
        audit::store::record_change(db, &actor, Action::BookingsExported, &subject, count, &details)
    };
    app.db.write(record).await?;
    let filename = format!("attachment; filename=\"{name}-{slug}.{}\"", file.extension());
    Ok(HttpResponse::Ok()
        .content_type(file.content_type())
        .insert_header((CACHE_CONTROL, "private, no-store"))
        .insert_header((CONTENT_DISPOSITION, filename))
        .streaming(pieces(app, spreadsheet, filter, file, turn)))
}

/// One export at a time, of bookings or of payments. `None`: another one goes on.
pub(super) async fn take_turn(app: &App) -> Option<OwnedMutexGuard<()>> {
    timeout(TURN_AFTER, Arc::clone(&app.heavy_work.export_turn).lock_owned()).await.ok()
}

/// A file on its way.
pub(super) enum ExportFile {
    Csv(Box<CsvFile>),
    Workbook(Box<Workbook>),
}

impl ExportFile {
    pub(super) fn extension(&self) -> &'static str {
        match self {
            Self::Csv(_) => "csv",
            Self::Workbook(_) => "xlsx",
        }
    }

    pub(super) fn content_type(&self) -> &'static str {
        match self {
            Self::Csv(_) => "text/csv; charset=utf-8",
            Self::Workbook(_) => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }

    pub(super) fn push(&mut self, cells: &[SheetCell]) -> io::Result<()> {
        match self {
            Self::Csv(file) => file.push(cells),
            Self::Workbook(file) => file.push(cells),
        }
    }

    pub(super) fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Csv(_) => Ok(()),
            Self::Workbook(file) => file.finish(),
        }
    }

    pub(super) fn take(&mut self) -> io::Result<Vec<u8>> {
        match self {
            Self::Csv(file) => file.take(),
            Self::Workbook(file) => file.take(),
        }
    }
}

fn broken(error: impl std::fmt::Display) -> Error {
    Error::Internal(format!("export: {error}"))
}

/// An export between two pieces.
struct Export {
    app: web::Data<App>,
    spreadsheet: Arc<Spreadsheet>,
    filter: Arc<BookingFilter>,
    file: ExportFile,
    /// The bookings after this id are next; `None`: there are none left.
    after: Option<i64>,
    /// Ends with the stream, also when the browser goes away.
    _turn: OwnedMutexGuard<()>,
}

/// The file, piece by piece. A read that fails breaks the download off, which browsers show.
fn pieces(
    app: web::Data<App>,
    spreadsheet: Spreadsheet,
    filter: BookingFilter,
    file: ExportFile,
    turn: OwnedMutexGuard<()>,
) -> impl stream::Stream<Item = Result<Bytes, Error>> + 'static {
    let (spreadsheet, filter) = (Arc::new(spreadsheet), Arc::new(filter));
    let start = Export { app, spreadsheet, filter, file, after: Some(0), _turn: turn };
    stream::try_unfold(start, |mut export| async move {
        // A piece may be empty: nothing of it fits, or the compressor keeps it for now.
        while let Some(after) = export.after {
            let piece;
            (export, piece) = next(export, after).await?;
            if !piece.is_empty() {
                return Ok(Some((Bytes::from(piece), export)));
            }
        }
        Ok(None)
    })
}

async fn next(export: Export, after: i64) -> Result<(Export, Vec<u8>), Error> {
    let Export { app, spreadsheet, filter, mut file, _turn, .. } = export;
    let (db, wanted) = (app.db.clone(), Arc::clone(&filter));
    let read = db.read_primary(move |db| store::export::bookings_after(db, &wanted, after, PIECE));
    let bookings = read.await.inspect_err(|e| log::error!("an export broke off: {e}"))?;
    let is_full = i64::try_from(bookings.len()).is_ok_and(|count| count == PIECE);
    let after = bookings.last().map(|it| it.booking.id).filter(|_| is_full);
    let codes = app.ticket_codes.clone();
    let (sheet, wanted) = (Arc::clone(&spreadsheet), Arc::clone(&filter));
    // Off the threads that answer everybody.
    let written = web::block(move || {
        for exported in bookings.iter().filter(|it| is_wanted(&wanted, it)) {
            for cells in sheet.rows_of(exported, &codes) {
                file.push(&cells)?;
            }
        }
        if after.is_none() {
            file.finish()?;
        }
        let piece = file.take()?;
        Ok::<_, io::Error>((file, piece))
    });
    let (file, piece) = written.await.map_err(broken)?.map_err(broken)?;
    Ok((Export { app, spreadsheet, filter, file, after, _turn }, piece))
}

/// Whether what was typed into the search fits the booking.
fn is_wanted(filter: &BookingFilter, exported: &ExportedBooking) -> bool {
    let booking = &exported.booking;
    !filter.is_search()
        || filter.fits(&Candidate {
            id: booking.id,
            reference: booking.reference.clone(),
            buyer_name: booking.buyer_name.clone(),
            buyer_email: booking.buyer.shown_email(),
        })
}
