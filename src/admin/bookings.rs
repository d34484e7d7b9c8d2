//! `/admin/bookings`, `/admin/bookings/{reference}`, `/admin/bookings/{reference}/cancellation`: one booking,
//! found by what its buyer reads out, and its end.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::store;
use crate::app::App;
use crate::auth::session::Admin;
use crate::booking::cancellation::{Outcome, announce, pages::admitted};
use crate::booking::{self, Booking, parse_reference};
use crate::error::Error;
use crate::events::{Event, TicketType};
use crate::guard::form::Query;
use crate::mail;
use crate::mail::listing::{MailFilter, MailLine};
use crate::outbox::{MailKind, MailState};
use crate::page::{Page, Toast, see_other, toast_cookie};

/// Mails of a booking that its page shows: one of each kind, and some to come.
const MAILS_SHOWN: i64 = 10;

#[derive(Template)]
#[template(path = "admin/booking.html")]
struct OrganizerBookingPage {
    page: Page,
    event: Event,
    ticket_type: TicketType,
    booking: Booking,
    /// The newest first.
    mails: Vec<MailLine>,
}

impl OrganizerBookingPage {
    /// Whether the sender has not come to its confirmation yet.
    fn awaits_confirmation(&self) -> bool {
        self.booking.has_address() && !self.mails.iter().any(MailLine::is_confirmation)
    }
}

#[derive(Template)]
#[template(path = "admin/cancellation.html")]
struct OrganizerCancellationPage {
    page: Page,
    event: Event,
    ticket_type: TicketType,
    booking: Booking,
    refusal: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/booking_search.html")]
struct BookingSearchPage {
    page: Page,
    typed: String,
    error: Option<&'static str>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct SearchQuery {
    reference: String,
}

/// `GET /admin/bookings?reference=tk 7f3k 9qxm`: finds a booking as it is read out.
pub async fn index(
    page: Page,
    _: Admin,
    app: web::Data<App>,
    Query(query): Query<SearchQuery>,
) -> Result<HttpResponse, Error> {
    let typed = query.reference;
    let (status, error) = match parse_reference(&typed) {
        _ if typed.trim().is_empty() => (StatusCode::OK, None),
        None => {
            let error =
                "A reference looks like TK-7F3K-9QXM: eight letters and digits, without 0, 1, I, L, O and U.";
            (StatusCode::UNPROCESSABLE_ENTITY, Some(error))
        }
        Some(reference) => match find(&app, &reference).await {
            Ok(_) => return Ok(see_other(&format!("/admin/bookings/{reference}")).finish()),
            Err(Error::NotFound) => (StatusCode::NOT_FOUND, Some("No booking has this reference.")),
            Err(error) => return Err(error),
        },
    };
    page.clone().respond_unlisted(status, &BookingSearchPage { page, typed, error })
}

/// `GET /admin/bookings/{reference}`
pub async fn show(
    page: Page,
    _: Admin,
    app: web::Data<App>,
    reference: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let (booking, ticket_type, event) = find(&app, &reference).await?;
    let reference = booking.reference.clone();
    let mails = app
        .db
        .read_primary(move |db| mail::store::list(db, MailFilter::Of(&reference), None, MAILS_SHOWN))
        .await?;
    page.clone()
        .respond_unlisted(StatusCode::OK, &OrganizerBookingPage { page, event, ticket_type, booking, mails })
}

/// `GET /admin/bookings/{reference}/cancellation`
pub async fn new_cancellation(
    page: Page,
    _: Admin,
    app: web::Data<App>,
    reference: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let (booking, ticket_type, event) = find(&app, &reference).await?;
    if booking.is_canceled() {
        return Ok(see_other(&format!("/admin/bookings/{}", booking.reference)).finish());
    }
    let refusal = None;
    page.clone().respond_unlisted(
        StatusCode::OK,
        &OrganizerCancellationPage { page, event, ticket_type, booking, refusal },
    )
}

/// `POST /admin/bookings/{reference}/cancellation`: at any time, unless somebody is in on it.
pub async fn create_cancellation(
    page: Page,
    admin: Admin,
    app: web::Data<App>,
    reference: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let (booking, ticket_type, event) = find(&app, &reference).await?;
    let (reference, actor) = (booking.reference.clone(), admin.actor());
    let outcome = app.db.write(move |db| store::cancel_booking(db, reference, &actor)).await?;
    announce(&app, &outcome);
    if let Outcome::Admitted { count } = outcome {
        let refusal = Some(admitted(count, &booking));
        let new = OrganizerCancellationPage { page: page.clone(), event, ticket_type, booking, refusal };
        return page.respond_unlisted(StatusCode::CONFLICT, &new);
    }
    let mut response = see_other(&format!("/admin/bookings/{}", booking.reference));
    if matches!(outcome, Outcome::Canceled { .. }) {
        let toast = Toast::success(format!("Canceled: {} × {}", booking.quantity, ticket_type.name));
        response.cookie(toast_cookie(&app, &toast));
    }
    Ok(response.finish())
}

async fn find(app: &App, reference: &str) -> Result<(Booking, TicketType, Event), Error> {
    let reference = parse_reference(reference).ok_or(Error::NotFound)?;
    app.db.read_primary(move |db| booking::store::find_by_reference(db, &reference)).await
}
