//! `/admin/bookings/{reference}/cancellation`: the organizer cancels a booking or some of its tickets, at any time.
//! Tickets that were admitted cannot be canceled.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::bookings::find;
use crate::app::App;
use crate::auth::access::Organizer;
use crate::auth::return_path::Resumed;
use crate::booking::cancellation::form::{CancellationForm, CancellationQuestion};
use crate::booking::cancellation::note::{MESSAGE_LENGTH_MAX, parse_message};
use crate::booking::cancellation::store::cancel;
use crate::booking::cancellation::{Canceler, Cancellation, CancellationOutcome, ChoiceError};
use crate::booking::messages::canceled;
use crate::booking::release::announce;
use crate::error::Error;
use crate::guard::form::Form;
use crate::page::{Page, Toast, see_other, toast_cookie};

#[derive(Template)]
#[template(path = "admin/cancellation.html")]
struct OrganizerCancellationPage {
    page: Page,
    question: CancellationQuestion,
    /// What the organizer writes to the buyer, as it was typed.
    message: String,
    message_error: Option<String>,
}

/// `GET /admin/bookings/{reference}/cancellation`
pub async fn new(
    page: Page,
    _: Organizer,
    app: web::Data<App>,
    reference: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let placed = find(&app, &reference).await?;
    if !placed.booking.is_confirmed() {
        return Ok(see_other(&format!("/admin/bookings/{}", placed.booking.reference)).finish());
    }
    ask(page, CancellationQuestion::of_all(placed), "")
}

/// `POST /admin/bookings/{reference}/cancellation`
pub async fn create(
    page: Page,
    Organizer(admin): Organizer,
    app: web::Data<App>,
    reference: web::Path<String>,
    Resumed(is_resumed): Resumed,
    Form(form): Form<CancellationForm>,
) -> Result<HttpResponse, Error> {
    let placed = find(&app, &reference).await?;
    let seats = form.seats();
    if is_resumed {
        return ask(page, CancellationQuestion::resumed(placed, seats.as_deref()), form.message());
    }
    if seats.as_ref().is_some_and(Vec::is_empty) {
        let question = CancellationQuestion::again(placed, seats.as_deref(), ChoiceError::NothingChosen);
        return ask(page, question, form.message());
    }
    let message = match parse_message(form.message()) {
        Ok(message) => message,
        Err(error) => {
            let question = CancellationQuestion::chosen(placed, seats.as_deref());
            return respond(page, question, form.message(), Some(error));
        }
    };
    let (reference, actor) = (placed.booking.reference.clone(), admin.actor());
    let canceler = Canceler::Organizer { reference, actor, note: message };
    let cancellation = Cancellation { canceler, seats: seats.clone() };
    let outcome = app.db.write_alone(move |db| cancel(db, &cancellation)).await?;
    announce(&app.board, &app.desk, &app.outbox_wakeup, outcome.stock());
    match outcome {
        CancellationOutcome::Admitted { .. } => {
            let placed = find(&app, &placed.booking.reference).await?;
            let question = CancellationQuestion::again(placed, seats.as_deref(), ChoiceError::Admitted);
            return ask(page, question, form.message());
        }
        CancellationOutcome::NoSuchTicket => {
            let placed = find(&app, &placed.booking.reference).await?;
            let question = CancellationQuestion::again(placed, seats.as_deref(), ChoiceError::Returned);
            return ask(page, question, form.message());
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

fn ask(page: Page, question: CancellationQuestion, message: &str) -> Result<HttpResponse, Error> {
    respond(page, question, message, None)
}

fn respond(
    page: Page,
    question: CancellationQuestion,
    message: &str,
    message_error: Option<String>,
) -> Result<HttpResponse, Error> {
    let status = question.status;
    let message = message.to_owned();
    page.clone()
        .respond_unlisted(status, &OrganizerCancellationPage { page, question, message, message_error })
}
