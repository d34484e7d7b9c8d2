//! `/bookings/{token}/cancellation`

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::Utc;

use super::{Canceler, CancellationOutcome, announce, store};
use crate::app::App;
use crate::booking::Booking;
use crate::booking::pages::{Sale, find_sale};
use crate::error::Error;
use crate::events::{Event, TicketType};
use crate::page::{Page, Toast, see_other, toast_cookie};

/// Asks once more, or says why not.
#[derive(Template)]
#[template(path = "bookings/cancellation.html")]
struct CancellationPage {
    page: Page,
    event: Event,
    ticket_type: TicketType,
    booking: Booking,
    refusal: Option<String>,
}

/// `GET /bookings/{token}/cancellation`
pub async fn new(page: Page, app: web::Data<App>, token: web::Path<String>) -> Result<HttpResponse, Error> {
    let sale = find_sale(&app, token.into_inner()).await?;
    if sale.booking.is_canceled() {
        return Ok(see_other(&format!("/bookings/{}", sale.booking.token)).finish());
    }
    let refusal = (!sale.event.is_cancellable(Utc::now().naive_utc())).then(|| too_late(&sale.event));
    ask(page, sale, refusal)
}

/// `POST /bookings/{token}/cancellation`: sent twice, it shows the same canceled booking.
pub async fn create(
    page: Page,
    app: web::Data<App>,
    token: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let sale = find_sale(&app, token.into_inner()).await?;
    let mut response = see_other(&format!("/bookings/{}", sale.booking.token));
    let canceler = Canceler::Buyer { token: sale.booking.token.clone() };
    let outcome = app.db.write(move |db| store::cancel(db, &canceler)).await?;
    announce(&app.board, &app.desk, &app.outbox_wakeup, &outcome);
    match outcome {
        CancellationOutcome::Canceled { .. } => {
            let toast = format!("Canceled: {} × {}", sale.booking.quantity, sale.ticket_type.name);
            response.cookie(toast_cookie(&app.cookies, &Toast::success(toast)));
        }
        CancellationOutcome::AlreadyCanceled(_) => {}
        CancellationOutcome::TooLate => {
            let refusal = too_late(&sale.event);
            return ask(page, sale, Some(refusal));
        }
        CancellationOutcome::Admitted { count } => {
            let refusal = admitted(count, &sale.booking);
            return ask(page, sale, Some(refusal));
        }
    }
    Ok(response.finish())
}

fn ask(page: Page, sale: Sale, refusal: Option<String>) -> Result<HttpResponse, Error> {
    let Sale { event, ticket_type, booking } = sale;
    let status = if refusal.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    page.clone().respond_unlisted(status, &CancellationPage { page, event, ticket_type, booking, refusal })
}

fn too_late(event: &Event) -> String {
    match event.cancellation_deadline() {
        Some(deadline) => format!(
            "Bookings of this concert could be canceled here until {deadline}. Only the organizer can do it now."
        ),
        None => "Bookings of this concert cannot be canceled here. Only the organizer can do it.".into(),
    }
}

/// Why neither the buyer nor the organizer may cancel.
pub fn admitted(count: i64, booking: &Booking) -> String {
    match (count, booking.quantity) {
        (1, 1) => {
            "Its ticket has been used at the entrance, so this booking can no longer be canceled.".into()
        }
        (count, all) => format!(
            "Tickets used at the entrance: {count} of {all}. So this booking can no longer be canceled."
        ),
    }
}
