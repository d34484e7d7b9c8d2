//! `/admin/bookings/{reference}/cancellation`: the organizer cancels a booking, at any time unless a ticket of it
//! was admitted.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::bookings::find;
use crate::app::App;
use crate::auth::session::Admin;
use crate::booking::PlacedBooking;
use crate::booking::cancellation::form::{CancellationForm, choices};
use crate::booking::cancellation::store::cancel;
use crate::booking::cancellation::{Canceler, Cancellation, CancellationOutcome};
use crate::booking::messages::{CHOOSE_ONE, RETURNED_BEFORE, already_scanned, canceled};
use crate::booking::release::announce;
use crate::error::Error;
use crate::guard::form::Form;
use crate::page::{Page, Toast, see_other, toast_cookie};
use crate::tickets::Seat;

#[derive(Template)]
#[template(path = "admin/cancellation.html")]
struct OrganizerCancellationPage {
    page: Page,
    placed: PlacedBooking,
    /// The tickets that can be given back, and whether they are chosen.
    choices: Vec<(Seat, bool)>,
    refusal: Option<String>,
    /// What is wrong with the choice.
    error: Option<&'static str>,
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
    ask(page, placed, None, None, None)
}

/// `POST /admin/bookings/{reference}/cancellation`
pub async fn create(
    page: Page,
    admin: Admin,
    app: web::Data<App>,
    reference: web::Path<String>,
    Form(form): Form<CancellationForm>,
) -> Result<HttpResponse, Error> {
    let placed = find(&app, &reference).await?;
    let seats = form.seats();
    if seats.as_ref().is_some_and(Vec::is_empty) {
        return ask(page, placed, seats, None, Some(CHOOSE_ONE));
    }
    let chosen = seats.clone();
    let (reference, actor) = (placed.booking.reference.clone(), admin.actor());
    let canceler = Canceler::Organizer { reference, actor };
    let cancellation = Cancellation { canceler, seats: chosen };
    let outcome = app.db.write_alone(move |db| cancel(db, &cancellation)).await?;
    announce(&app.board, &app.desk, &app.outbox_wakeup, outcome.stock());
    match outcome {
        CancellationOutcome::Admitted { count } => {
            let refusal = already_scanned(count, &placed.booking);
            return ask(page, placed, seats, Some(refusal), None);
        }
        CancellationOutcome::NoSuchTicket => {
            let placed = find(&app, &placed.booking.reference).await?;
            return ask(page, placed, seats, None, Some(RETURNED_BEFORE));
        }
        _ => {}
    }
    let mut response = see_other(&format!("/admin/bookings/{}", placed.booking.reference));
    if matches!(outcome, CancellationOutcome::Canceled { .. }) {
        let toast = Toast::success(canceled(&placed, seats.as_deref()));
        response.cookie(toast_cookie(&app.cookies, &toast));
    }
    Ok(response.finish())
}

fn ask(
    page: Page,
    placed: PlacedBooking,
    chosen: Option<Vec<i32>>,
    refusal: Option<String>,
    error: Option<&'static str>,
) -> Result<HttpResponse, Error> {
    let status = match (&refusal, error) {
        (Some(_), _) | (_, Some(RETURNED_BEFORE)) => StatusCode::CONFLICT,
        (_, Some(_)) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::OK,
    };
    let choices = choices(&placed, chosen.as_deref());
    page.clone()
        .respond_unlisted(status, &OrganizerCancellationPage { page, placed, choices, refusal, error })
}
