//! `/api/v1/bookings` and what is below it.

use std::sync::Arc;

use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::{HttpRequest, HttpResponse, web};

use super::Booking;
use super::new_booking::NewBooking;
use crate::api::body::{self, Body};
use crate::api::idempotency_key;
use crate::api::problem::{FieldError, Problem, ProblemType};
use crate::app::App;
use crate::booking::cancellation::{self, Canceler, CancellationOutcome};
use crate::booking::pages::{Sale, find_sale};
use crate::booking::{BookingOutcome, Order};
use crate::events::TicketType;

/// A booking is its buyer's alone.
const NOT_KEPT: &str = "private, no-store";

/// `POST /api/v1/bookings`: books, once for each `Idempotency-Key`. The same key with the same body is answered
/// with the same booking.
#[utoipa::path(
    post,
    path = "/api/v1/bookings",
    operation_id = "createBooking",
    tag = "Bookings",
    params(("Idempotency-Key" = String, Header, min_length = 16, max_length = 255, pattern = "^[!#-\\[\\]-~]*$",
        description = "A name of the client's own for this booking, best a UUID. Send it again with the same \
            body until there is an answer: it books once. With another body it is refused with 422. A refusal is \
            not remembered, so the same key may be tried again",
        example = "8e03978e-40d5-43dd-bc93-6894a57f9324")),
    request_body = NewBooking,
    responses(
        (status = 201, description = "Booked; the confirmation is sent by mail", body = Booking,
            headers(("Location" = String, description = "The booking")),
            links(
                ("show" = (operation_id = "showBooking", parameters(("token" = "$response.body#/token")))),
                ("cancel" = (operation_id = "cancelBooking", parameters(("token" = "$response.body#/token")))),
            )),
        (status = 400, description = "The Idempotency-Key is missing or invalid, or the body is no JSON",
            body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Fewer tickets are left, or one person may not have so many. Nothing was booked",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong, or the Idempotency-Key has booked something else",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn create(request: HttpRequest, app: web::Data<App>, body: Body) -> Result<HttpResponse, Problem> {
    let request_key = idempotency_key::of_request(&request, &app.api_tokens)?;
    let new_booking: NewBooking = body::read(&request, body)?;
    let (order, ticket_type) = new_booking
        .parse(&app.board, request_key)
        .map_err(|errors| Problem::new(ProblemType::InvalidRequest).with_errors(errors))?;
    let order = Arc::new(order);
    match app.desk.book(Arc::clone(&order)).await? {
        BookingOutcome::Booked(booking) | BookingOutcome::Replayed(booking) => {
            let listing = app.board.find_by_ticket_type(booking.ticket_type_id);
            let listing = listing.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
            Ok(HttpResponse::Created()
                .insert_header((LOCATION, format!("/api/v1/bookings/{}", booking.token)))
                .insert_header((CACHE_CONTROL, NOT_KEPT))
                .json(Booking::of(&app, &booking, &listing.event)))
        }
        BookingOutcome::NotEnough { left } => Err(Problem::not_enough(left)),
        BookingOutcome::OverPersonLimit { limit, .. } => Err(over_person_limit(limit, &order, &ticket_type)),
        BookingOutcome::KeyReused(_) => Err(Problem::new(ProblemType::IdempotencyKeyReused)),
        BookingOutcome::UnknownTicketType => {
            let errors = vec![FieldError::in_body("ticketTypeId", "There is no such ticket type.")];
            Err(Problem::new(ProblemType::InvalidRequest).with_errors(errors))
        }
    }
}

/// Says no more of what the address holds than the refusal itself gives away.
fn over_person_limit(limit: i32, order: &Order, ticket_type: &TicketType) -> Problem {
    let (name, asked) = (&ticket_type.name, order.quantity);
    let detail =
        format!("One person can hold {limit} {name} at most. This email address cannot book {asked} more.");
    let errors = vec![FieldError::in_body("quantity", detail.as_str())];
    Problem::new(ProblemType::OverPersonLimit).with_detail(detail).with_errors(errors)
}

/// `GET /api/v1/bookings/{token}`: for whoever has the token.
#[utoipa::path(
    get,
    path = "/api/v1/bookings/{token}",
    operation_id = "showBooking",
    tag = "Bookings",
    params(("token" = String, Path, description = "The booking's token")),
    responses(
        (status = 200, description = "The booking as it is now", body = Booking),
        (status = 404, description = "There is no such booking", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn show(app: web::Data<App>, token: web::Path<String>) -> Result<HttpResponse, Problem> {
    let sale = find_sale(&app, token.into_inner()).await?;
    Ok(respond(&app, &sale))
}

/// `POST /api/v1/bookings/{token}/cancellation`: sent twice, it shows the same canceled booking.
#[utoipa::path(
    post,
    path = "/api/v1/bookings/{token}/cancellation",
    operation_id = "cancelBooking",
    tag = "Bookings",
    params(("token" = String, Path, description = "The booking's token")),
    responses(
        (status = 200, description = "Canceled, now or before; its tickets are on sale again", body = Booking),
        (status = 404, description = "There is no such booking", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The deadline is over, or a ticket has been used",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn cancel(app: web::Data<App>, token: web::Path<String>) -> Result<HttpResponse, Problem> {
    let sale = find_sale(&app, token.into_inner()).await?;
    let canceler = Canceler::Buyer { token: sale.booking.token.clone() };
    let outcome = app.db.write(move |db| cancellation::store::cancel(db, &canceler)).await?;
    cancellation::announce(&app.board, &app.desk, &app.outbox_wakeup, &outcome);
    match outcome {
        CancellationOutcome::Canceled { booking, .. } | CancellationOutcome::AlreadyCanceled(booking) => {
            Ok(respond(&app, &Sale { booking, ..sale }))
        }
        CancellationOutcome::TooLate => Err(Problem::new(ProblemType::TooLateToCancel)),
        CancellationOutcome::Admitted { count } => {
            let detail = cancellation::pages::admitted(count, &sale.booking);
            Err(Problem::new(ProblemType::AlreadyAdmitted).with_detail(detail))
        }
    }
}

fn respond(app: &App, sale: &Sale) -> HttpResponse {
    HttpResponse::Ok().insert_header((CACHE_CONTROL, NOT_KEPT)).json(Booking::of(
        app,
        &sale.booking,
        &sale.event,
    ))
}
