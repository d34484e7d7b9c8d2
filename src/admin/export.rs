//! `/admin/events/{slug}/export`, `/admin/events/{slug}/bookings.csv`, `/admin/events/{slug}/bookings.xlsx`: the
//! bookings of a concert, or its tickets, for a spreadsheet. The file is sent while it is read, so that its length
//! does not matter.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, HeaderValue, RETRY_AFTER};
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::booking_list::{parse_status, parse_ticket_type};
use super::csv_file::{CsvFile, Separator};
use super::events::find;
use super::export_file::{ExportFile, FilePiece, PIECE, broken, is_full, lock_exports, pieces};
use super::listing::{BookingFilter, Candidate};
use super::spreadsheet::{ExportedBooking, Rows, Spreadsheet};
use super::store;
use super::workbook::Workbook;
use crate::app::App;
use crate::audit::{self, Action};
use crate::auth::access::Organizer;
use crate::auth::session::Admin;
use crate::error::Error;
use crate::events::{Event, TicketType};
use crate::guard::form::Query;
use crate::page::Page;

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

/// `GET /admin/events/{slug}/export`: asks which of the files to download.
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

/// `GET /admin/events/{slug}/bookings.csv?rows=tickets&separator=semicolon&status=confirmed`: a server sends
/// one export at a time, because each reads all bookings of a concert.
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
    let Some(lock) = lock_exports(&app).await else {
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
    // The audit log does not repeat the search: it may name a person.
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
    let (spreadsheet, filter) = (Arc::new(spreadsheet), Arc::new(filter));
    let read = move |after| piece(app.clone(), Arc::clone(&spreadsheet), Arc::clone(&filter), after);
    Ok(HttpResponse::Ok()
        .content_type(file.content_type())
        .insert_header((CACHE_CONTROL, "private, no-store"))
        .insert_header((CONTENT_DISPOSITION, filename))
        .streaming(pieces(file, lock, read)))
}

/// The bookings after an id, as a piece of the file.
async fn piece(
    app: web::Data<App>,
    spreadsheet: Arc<Spreadsheet>,
    filter: Arc<BookingFilter>,
    after: i64,
) -> Result<FilePiece, Error> {
    let wanted = Arc::clone(&filter);
    let read = app.db.read_primary(move |db| store::export::bookings_after(db, &wanted, after, PIECE));
    let bookings = read.await?;
    let next = bookings.last().map(|it| it.booking.id).filter(|_| is_full(bookings.len()));
    let codes = app.ticket_codes.clone();
    let write = move |file: &mut ExportFile| {
        for exported in bookings.iter().filter(|it| is_wanted(&filter, it)) {
            for cells in spreadsheet.rows_of(exported, &codes) {
                file.push(&cells)?;
            }
        }
        Ok(())
    };
    Ok(FilePiece { write: Box::new(write), next })
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
