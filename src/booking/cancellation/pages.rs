//! `/bookings/{token}/cancellation`

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::Utc;

use super::{Canceler, CancellationOutcome, store};
use crate::app::App;
use crate::booking::PlacedBooking;
use crate::booking::messages::{already_scanned, too_late_to_cancel};
use crate::booking::pages::find_placed_booking;
use crate::booking::release::announce;
use crate::error::Error;
use crate::page::{Page, Toast, see_other, toast_cookie};

/// Asks for confirmation, or says why the booking cannot be canceled.
#[derive(Template)]
#[template(path = "bookings/cancellation.html")]
struct CancellationPage {
    page: Page,
    placed: PlacedBooking,
    refusal: Option<String>,
}

/// `GET /bookings/{token}/cancellation`
pub async fn new(page: Page, app: web::Data<App>, token: web::Path<String>) -> Result<HttpResponse, Error> {
    let placed = find_placed_booking(&app, token.into_inner()).await?;
    if !placed.booking.is_confirmed() {
        return Ok(see_other(&format!("/bookings/{}", placed.booking.token)).finish());
    }
    let refusal =
        (!placed.event.is_cancellable(Utc::now().naive_utc())).then(|| too_late_to_cancel(&placed.event));
    ask(page, placed, refusal)
}

/// `POST /bookings/{token}/cancellation`: sent twice, it shows the same canceled booking.
pub async fn create(
    page: Page,
    app: web::Data<App>,
    token: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let placed = find_placed_booking(&app, token.into_inner()).await?;
    let mut response = see_other(&format!("/bookings/{}", placed.booking.token));
    let canceler = Canceler::Buyer { token: placed.booking.token.clone() };
    let outcome = app.db.write(move |db| store::cancel(db, &canceler)).await?;
    announce(&app.board, &app.desk, &app.outbox_wakeup, outcome.stock());
    match outcome {
        CancellationOutcome::Canceled { .. } => {
            let toast = format!("Canceled: {}", placed.summary());
            response.cookie(toast_cookie(&app.cookies, &Toast::success(toast)));
        }
        CancellationOutcome::AlreadyCanceled(_) => {}
        CancellationOutcome::TooLate => {
            let refusal = too_late_to_cancel(&placed.event);
            return ask(page, placed, Some(refusal));
        }
        CancellationOutcome::Admitted { count } => {
            let refusal = already_scanned(count, &placed.booking);
            return ask(page, placed, Some(refusal));
        }
    }
    Ok(response.finish())
}

fn ask(page: Page, placed: PlacedBooking, refusal: Option<String>) -> Result<HttpResponse, Error> {
    let status = if refusal.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    page.clone().respond_unlisted(status, &CancellationPage { page, placed, refusal })
}
