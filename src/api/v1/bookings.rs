//! `/api/v1/bookings` and below.

use std::sync::Arc;

use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::{HttpRequest, HttpResponse, web};

use super::BookingJson;
use super::new_booking::NewBookingJson;
use crate::api::body::{self, Body};
use crate::api::idempotency_key;
use crate::api::problem::{FieldError, Problem, ProblemType};
use crate::app::App;
use crate::booking::cancellation::{self, Canceler, CancellationOutcome};
use crate::booking::pages::find_placed_booking;
use crate::booking::{BookingOutcome, Order, PlacedBooking, messages};
use crate::events::TicketType;

/// A booking is private to its buyer.
const NO_STORE: &str = "private, no-store";

/// `POST /api/v1/bookings`: creates a booking. Idempotent per Idempotency-Key: the same key with the same body returns
/// the same booking.
#[utoipa::path(
    post,
    path = "/api/v1/bookings",
    operation_id = "createBooking",
    tag = "Bookings",
    params(("Idempotency-Key" = String, Header, min_length = 16, max_length = 255, pattern = "^[!#-\\[\\]-~]*$",
        description = "A unique key you generate, ideally a UUID. If you get no response, resend the same request: \
            it won't book twice. With a different body, the key is refused with 422. Refusals are not stored, so \
            you can retry with the same key",
        example = "8e03978e-40d5-43dd-bc93-6894a57f9324")),
    request_body = NewBookingJson,
    responses(
        (status = 201, description = "Booked; the buyer gets a confirmation email", body = BookingJson,
            headers(("Location" = String, description = "The booking")),
            links(
                ("show" = (operation_id = "showBooking", parameters(("token" = "$response.body#/token")))),
                ("cancel" = (operation_id = "cancelBooking", parameters(("token" = "$response.body#/token")))),
            )),
        (status = 400, description = "Idempotency-Key is missing or invalid, or the body is not JSON",
            body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Not enough tickets, or per-person limit exceeded. Nothing was booked",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is invalid, or the Idempotency-Key was used for another booking",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn create(request: HttpRequest, app: web::Data<App>, body: Body) -> Result<HttpResponse, Problem> {
    let request_key = idempotency_key::of_request(&request)?;
    let new_booking: NewBookingJson = body::read(&request, body)?;
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
                .insert_header((CACHE_CONTROL, NO_STORE))
                .json(BookingJson::of(&app, &booking, &listing.event)))
        }
        BookingOutcome::NotEnough { left } => Err(Problem::not_enough(left)),
        BookingOutcome::OverPersonLimit { limit, .. } => Err(over_person_limit(limit, &order, &ticket_type)),
        BookingOutcome::KeyReused(_) => Err(Problem::new(ProblemType::IdempotencyKeyReused)),
        BookingOutcome::UnknownTicketType => {
            let errors = vec![FieldError::in_body("ticketTypeId", "Ticket type not found.")];
            Err(Problem::new(ProblemType::InvalidRequest).with_errors(errors))
        }
    }
}

/// Does not say how many tickets the address holds: anybody can ask.
fn over_person_limit(limit: i32, order: &Order, ticket_type: &TicketType) -> Problem {
    let (name, asked) = (&ticket_type.name, order.quantity);
    let detail = format!(
        "Limit: {limit} {name} tickets per person. You can't book {asked} more with this email address."
    );
    let errors = vec![FieldError::in_body("quantity", detail.as_str())];
    Problem::new(ProblemType::OverPersonLimit).with_detail(detail).with_errors(errors)
}

/// `GET /api/v1/bookings/{token}`: requires the booking token.
#[utoipa::path(
    get,
    path = "/api/v1/bookings/{token}",
    operation_id = "showBooking",
    tag = "Bookings",
    params(("token" = String, Path, description = "The booking's token")),
    responses(
        (status = 200, description = "The current state of the booking", body = BookingJson),
        (status = 404, description = "Booking not found", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn show(app: web::Data<App>, token: web::Path<String>) -> Result<HttpResponse, Problem> {
    let placed = find_placed_booking(&app, token.into_inner()).await?;
    Ok(respond(&app, &placed))
}

/// `POST /api/v1/bookings/{token}/cancellation`: idempotent; returns the canceled booking.
#[utoipa::path(
    post,
    path = "/api/v1/bookings/{token}/cancellation",
    operation_id = "cancelBooking",
    tag = "Bookings",
    params(("token" = String, Path, description = "The booking's token")),
    responses(
        (status = 200, description = "Canceled, now or earlier; its tickets are back on sale", body = BookingJson),
        (status = 404, description = "Booking not found", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The cancellation deadline has passed, or a ticket has been scanned",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn cancel(app: web::Data<App>, token: web::Path<String>) -> Result<HttpResponse, Problem> {
    let placed = find_placed_booking(&app, token.into_inner()).await?;
    let canceler = Canceler::Buyer { token: placed.booking.token.clone() };
    let outcome = app.db.write(move |db| cancellation::store::cancel(db, &canceler)).await?;
    cancellation::announce(&app.board, &app.desk, &app.outbox_wakeup, &outcome);
    match outcome {
        CancellationOutcome::Canceled { booking, .. } | CancellationOutcome::AlreadyCanceled(booking) => {
            Ok(respond(&app, &PlacedBooking { booking, ..placed }))
        }
        CancellationOutcome::TooLate => Err(Problem::new(ProblemType::TooLateToCancel)),
        CancellationOutcome::Admitted { count } => {
            let detail = messages::already_scanned(count, &placed.booking);
            Err(Problem::new(ProblemType::AlreadyAdmitted).with_detail(detail))
        }
    }
}

fn respond(app: &App, placed: &PlacedBooking) -> HttpResponse {
    HttpResponse::Ok().insert_header((CACHE_CONTROL, NO_STORE)).json(BookingJson::of(
        app,
        &placed.booking,
        &placed.event,
    ))
}
