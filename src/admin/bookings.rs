//! `/admin/bookings/{reference}`: shows a booking, found by the reference that its buyer reads out.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use crate::app::App;
use crate::auth::access::BoxOffice;
use crate::booking::{self, PlacedBooking, parse_reference};
use crate::error::Error;
use crate::mail;
use crate::mail::listing::{MailFilter, MailLine};
use crate::outbox::{MailKind, MailState};
use crate::page::Page;

/// Most mails that the page of a booking shows. There is one of each kind, and more kinds will come.
const MAILS_SHOWN: i64 = 10;

#[derive(Template)]
#[template(path = "admin/booking.html")]
struct OrganizerBookingPage {
    page: Page,
    placed: PlacedBooking,
    /// The newest first.
    mails: Vec<MailLine>,
}

impl OrganizerBookingPage {
    /// Whether the sender has not listed its confirmation yet.
    fn awaits_confirmation(&self) -> bool {
        self.placed.booking.has_address() && !self.mails.iter().any(MailLine::is_confirmation)
    }
}

/// `GET /admin/bookings/{reference}`
pub async fn show(
    page: Page,
    _: BoxOffice,
    app: web::Data<App>,
    reference: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let placed = find(&app, &reference).await?;
    let reference = placed.booking.reference.clone();
    let mails = app
        .db
        .read_primary(move |db| mail::store::list(db, MailFilter::Of(&reference), None, MAILS_SHOWN))
        .await?;
    page.clone().respond_unlisted(StatusCode::OK, &OrganizerBookingPage { page, placed, mails })
}

/// The booking with this reference, however it is typed.
pub(super) async fn find(app: &App, reference: &str) -> Result<PlacedBooking, Error> {
    let reference = parse_reference(reference).ok_or(Error::NotFound)?;
    app.db.read_primary(move |db| booking::store::find_by_reference(db, &reference)).await
}
