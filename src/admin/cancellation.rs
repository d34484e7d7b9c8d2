//! `/admin/bookings/{reference}/cancellation`: the organizer cancels a booking, at any time unless a ticket of it
//! was admitted.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::bookings::find;
use super::store;
use crate::app::App;
use crate::auth::session::Admin;
use crate::booking::PlacedBooking;
use crate::booking::cancellation::CancellationOutcome;
use crate::booking::messages::already_scanned;
use crate::booking::release::announce;
use crate::error::Error;
use crate::page::{Page, Toast, see_other, toast_cookie};

#[derive(Template)]
#[template(path = "admin/cancellation.html")]
struct OrganizerCancellationPage {
    page: Page,
    placed: PlacedBooking,
    refusal: Option<String>,
}

/// `GET /admin/bookings/{reference}/cancellation`
pub async fn new(
    page: Page,
    _: Admin,
    app: web::Data<App>,
    reference: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let placed = find(&app, &reference).await?;
    if !placed.booking.is_confirmed() {
        return Ok(see_other(&format!("/admin/bookings/{}", placed.booking.reference)).finish());
    }
    let new = OrganizerCancellationPage { page: page.clone(), placed, refusal: None };
    page.respond_unlisted(StatusCode::OK, &new)
}

/// `POST /admin/bookings/{reference}/cancellation`
pub async fn create(
    page: Page,
    admin: Admin,
    app: web::Data<App>,
    reference: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let placed = find(&app, &reference).await?;
    let (reference, actor) = (placed.booking.reference.clone(), admin.actor());
    let outcome = app.db.write(move |db| store::cancel_booking(db, reference, &actor)).await?;
    announce(&app.board, &app.desk, &app.outbox_wakeup, outcome.stock());
    if let CancellationOutcome::Admitted { count } = outcome {
        let refusal = Some(already_scanned(count, &placed.booking));
        let new = OrganizerCancellationPage { page: page.clone(), placed, refusal };
        return page.respond_unlisted(StatusCode::CONFLICT, &new);
    }
    let mut response = see_other(&format!("/admin/bookings/{}", placed.booking.reference));
    if matches!(outcome, CancellationOutcome::Canceled { .. }) {
        let toast = Toast::success(format!("Canceled: {}", placed.summary()));
        response.cookie(toast_cookie(&app.cookies, &toast));
    }
    Ok(response.finish())
}
