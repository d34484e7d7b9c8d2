//! `/bookings/{token}/cancellation`, `/bookings/{token}/undo`

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::Utc;

use super::form::{CancellationForm, CancellationQuestion};
use super::{Canceler, Cancellation, CancellationOutcome, ChoiceError, store, undo};
use crate::app::App;
use crate::audit::Actor;
use crate::booking::PlacedBooking;
use crate::booking::messages::{
    TOO_LATE_TO_UNDO, already_scanned, canceled, too_late_for_all, too_late_to_cancel,
};
use crate::booking::pages::find_placed_booking;
use crate::booking::release::announce;
use crate::error::Error;
use crate::guard::client_address;
use crate::guard::form::Form;
use crate::page::{Page, Toast, see_other, toast_cookie};
use crate::tickets::Seat;

/// Asks for confirmation, or says why the booking cannot be canceled.
#[derive(Template)]
#[template(path = "bookings/cancellation.html")]
struct CancellationPage {
    page: Page,
    question: CancellationQuestion,
}

/// `GET /bookings/{token}/cancellation`
pub async fn new(page: Page, app: web::Data<App>, token: web::Path<String>) -> Result<HttpResponse, Error> {
    let placed = find_placed_booking(&app, token.into_inner()).await?;
    if !placed.booking.is_confirmed() {
        return Ok(see_other(&format!("/bookings/{}", placed.booking.token)).finish());
    }
    if !placed.event.is_cancellable(Utc::now().naive_utc()) {
        let refusal = too_late_to_cancel(&placed.event);
        return ask(page, CancellationQuestion::refused(placed, None, refusal));
    }
    ask(page, CancellationQuestion::of_all(placed))
}

/// `POST /bookings/{token}/cancellation`: sent twice, it shows the same canceled booking.
pub async fn create(
    request: HttpRequest,
    page: Page,
    app: web::Data<App>,
    token: web::Path<String>,
    Form(form): Form<CancellationForm>,
) -> Result<HttpResponse, Error> {
    let placed = find_placed_booking(&app, token.into_inner()).await?;
    let mut response = see_other(&format!("/bookings/{}", placed.booking.token));
    let seats = form.seats();
    if seats.as_ref().is_some_and(Vec::is_empty) {
        let question = CancellationQuestion::again(placed, seats.as_deref(), ChoiceError::NothingChosen);
        return ask(page, question);
    }
    let tickets = Seat::all_of(&placed).len();
    let actor = Actor::buyer(client_address::of(&request).to_string());
    let canceler = Canceler::Buyer { token: placed.booking.token.clone(), actor };
    let cancellation = Cancellation { canceler, seats: seats.clone() };
    let outcome = app.db.write_alone(move |db| store::cancel(db, &cancellation)).await?;
    announce(&app.board, &app.desk, &app.outbox_wakeup, outcome.stock());
    match outcome {
        CancellationOutcome::Canceled { .. } => {
            // If the whole booking is canceled, its page says so itself.
            if let Some(seats) = seats.as_deref().filter(|seats| seats.len() < tickets) {
                let toast = Toast::success(canceled(&placed, Some(seats)));
                response.cookie(toast_cookie(&app.cookies, &toast));
            }
        }
        CancellationOutcome::AlreadyCanceled => {}
        CancellationOutcome::TooLate => {
            let refusal = too_late_to_cancel(&placed.event);
            return ask(page, CancellationQuestion::refused(placed, seats.as_deref(), refusal));
        }
        CancellationOutcome::NoSuchTicket => {
            let placed = find_placed_booking(&app, placed.booking.token).await?;
            if !is_done(&placed, seats.as_deref()) {
                let question = CancellationQuestion::again(placed, seats.as_deref(), ChoiceError::Returned);
                return ask(page, question);
            }
        }
        CancellationOutcome::Admitted { .. } => {
            let placed = find_placed_booking(&app, placed.booking.token).await?;
            return ask(page, CancellationQuestion::again(placed, seats.as_deref(), ChoiceError::Admitted));
        }
    }
    Ok(response.finish())
}

/// `POST /bookings/{token}/undo`: sent twice, it shows the same canceled booking.
pub async fn undo(
    request: HttpRequest,
    page: Page,
    app: web::Data<App>,
    token: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let placed = find_placed_booking(&app, token.into_inner()).await?;
    let outcome = if undo::is_allowed(&app.cookies, &request, &placed.booking.token) {
        let actor = Actor::buyer(client_address::of(&request).to_string());
        let canceler = Canceler::Undo { token: placed.booking.token.clone(), actor };
        let cancellation = Cancellation::of_all(canceler);
        app.db.write_alone(move |db| store::cancel(db, &cancellation)).await?
    } else if placed.booking.is_confirmed() {
        CancellationOutcome::TooLate
    } else {
        CancellationOutcome::AlreadyCanceled
    };
    announce(&app.board, &app.desk, &app.outbox_wakeup, outcome.stock());
    match outcome {
        CancellationOutcome::Admitted { count } => {
            let refusal = already_scanned(count, &placed.booking);
            ask(page, CancellationQuestion::refused(placed, None, refusal))
        }
        CancellationOutcome::TooLate if placed.event.is_cancellable(app.board.now()) => {
            ask(page, CancellationQuestion::instead(placed, TOO_LATE_TO_UNDO))
        }
        CancellationOutcome::TooLate => {
            let refusal = too_late_for_all(&placed.event);
            ask(page, CancellationQuestion::refused(placed, None, refusal))
        }
        // `NoSuchTicket` cannot occur: this request names no seats.
        _ => Ok(see_other(&format!("/bookings/{}", placed.booking.token)).finish()),
    }
}

/// Whether all of these tickets were given back before: the same form was sent twice.
fn is_done(placed: &PlacedBooking, seats: Option<&[i32]>) -> bool {
    seats.is_some_and(|seats| seats.iter().all(|seat| placed.returned_seats.contains(seat)))
}

/// The page with the question, or with why there is none.
fn ask(page: Page, question: CancellationQuestion) -> Result<HttpResponse, Error> {
    page.clone().respond_unlisted(question.status, &CancellationPage { page, question })
}
