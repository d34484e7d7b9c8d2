//! `/api/v1/bookings` and below.

use std::sync::Arc;

use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::{HttpRequest, HttpResponse, web};

use super::booking_json::BookingJson;
use super::new_booking::NewBookingJson;
use crate::api::body::{self, Body};
use crate::api::client::ApiClient;
use crate::api::idempotency_key;
use crate::api::problem::{FieldError, LineLeft, Problem, ProblemType};
use crate::app::App;
use crate::audit::Actor;
use crate::booking::cancellation::{self, Canceler, Cancellation, CancellationOutcome};
use crate::booking::order::NoWayToPay;
use crate::booking::pages::{find_placed_booking, place};
use crate::booking::release::announce;
use crate::booking::{BookingOutcome, Order, PlacedBooking, messages, taking};
use crate::guard::client_address;
use crate::money::Money;

/// A booking is private to its buyer.
const NO_STORE: &str = "private, no-store";

/// `POST /api/v1/bookings`: creates a booking. Needs a token, unless the site says otherwise. Idempotent per
/// Idempotency-Key: for a day the same key with the same body returns the same booking.
#[utoipa::path(
    post,
    path = "/api/v1/bookings",
    operation_id = "createBooking",
    tag = "Bookings",
    params(("Idempotency-Key" = String, Header, min_length = 16, max_length = 255, pattern = "^[!#-\\[\\]-~]*$",
        description = "A unique key you generate, ideally a UUID. If you get no response, resend the same request: \
            it won't book twice. With a different body, the key is refused with 422, and more than a day later \
            with 409. Refusals are not stored, so you can retry with the same key. Keep it secret like the \
            booking's token: for a day it shows the booking to all who have your token too",
        example = "8e03978e-40d5-43dd-bc93-6894a57f9324")),
    request_body = NewBookingJson,
    responses(
        (status = 201, description = "Booked; the buyer gets a confirmation email. For a concert that is paid for online: held for 15 \
            minutes, until the buyer pays at paymentPage", body = BookingJson,
            headers(("Location" = String, description = "The booking")),
            links(
                ("show" = (operation_id = "showBooking", parameters(("token" = "$response.body#/token")))),
                ("cancel" = (operation_id = "cancelBooking", parameters(("token" = "$response.body#/token")))),
            )),
        (status = 400, description = "Idempotency-Key is missing or invalid, or the body is not JSON",
            body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Invalid token, or none where booking needs one", body = Problem,
            content_type = "application/problem+json"),
        (status = 403, description = "This site takes no bookings through the API, or a cross-site request with cookies",
            body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Not enough tickets, not on sale, per-person limit exceeded, or the Idempotency-Key \
            booked more than a day ago. Nothing was booked",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is invalid, or the Idempotency-Key was used for another booking",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn create(request: HttpRequest, app: web::Data<App>, body: Body) -> Result<HttpResponse, Problem> {
    let client = ApiClient::of_request(&request)?;
    let request_key = idempotency_key::of_request(&request, &client)?;
    let new_booking: NewBookingJson = body::read(&request, body)?;
    let (order, outcome) = match check(&app, &new_booking, &request_key) {
        Ok(order) => {
            let outcome = taking::take(&app, &request, &order).await?;
            (order, outcome)
        }
        // A key that has booked before comes first: the request may have booked when it was still valid.
        Err(problem) => taking::recall(&app, new_booking.read(request_key)).await?.ok_or(problem)?,
    };
    match idempotency_key::unless_expired(outcome)? {
        BookingOutcome::Booked(booking) | BookingOutcome::Replayed(booking) => {
            let placed = place(&app, booking).await?;
            Ok(HttpResponse::Created()
                .insert_header((LOCATION, format!("/api/v1/bookings/{}", placed.booking.token)))
                .insert_header((CACHE_CONTROL, NO_STORE))
                .json(BookingJson::of(&app, &placed)))
        }
        BookingOutcome::NotEnough { left } => {
            let lines = order.lines().iter().zip(left).map(|(line, available)| LineLeft {
                ticket_type_id: line.ticket_type_id.to_string(),
                quantity: line.quantity,
                available,
            });
            Err(Problem::not_enough(lines.collect()))
        }
        BookingOutcome::OverPersonLimit { ticket_type_id, limit, .. } => {
            Err(over_person_limit(&app, &order, ticket_type_id, limit))
        }
        BookingOutcome::NotOnSale { why, .. } => Err(Problem::new(why.into())),
        BookingOutcome::OtherTotal { total_minor } => Err(other_total(&app, &order, total_minor)),
        BookingOutcome::KeyReused(_) => Err(Problem::new(ProblemType::IdempotencyKeyReused)),
        BookingOutcome::UnknownTicketType => {
            let errors = vec![FieldError::in_body("ticketTypeId", "Ticket type not found.")];
            Err(Problem::new(ProblemType::InvalidRequest).with_errors(errors))
        }
    }
}

/// The order, checked against what the board knows to be on sale.
fn check(app: &App, new_booking: &NewBookingJson, request_key: &str) -> Result<Arc<Order>, Problem> {
    let order = new_booking
        .parse(&app.board, request_key.to_owned())
        .map_err(|errors| Problem::new(ProblemType::InvalidRequest).with_errors(errors))?;
    if let Some((_, why)) = order.closed_line(&app.board) {
        return Err(Problem::new(why.into()));
    }
    let first = order.lines().first().map_or(0, |line| line.ticket_type_id);
    let Some(listing) = app.board.find_by_ticket_type(first) else { return Ok(Arc::new(order)) };
    let order = order.held_if_paid_online(&listing, false, app.payments.is_some());
    order.map(Arc::new).map_err(|NoWayToPay| Problem::new(ProblemType::PaidOnline))
}

/// Names the current total, so that a program can show it.
fn other_total(app: &App, order: &Order, total_minor: i64) -> Problem {
    let first = order.lines().first().and_then(|line| app.board.find_by_ticket_type(line.ticket_type_id));
    let currency = first.map(|listing| listing.event.currency.clone()).unwrap_or_default();
    let total = Money::new(total_minor, &currency);
    Problem::new(ProblemType::OtherTotal)
        .with_detail(format!("The tickets cost {total} now. Nothing was booked."))
}

/// Does not say how many tickets the address holds: anybody can ask.
fn over_person_limit(app: &App, order: &Order, ticket_type_id: i64, limit: i32) -> Problem {
    let name = app.board.ticket_type(ticket_type_id).map(|it| it.name).unwrap_or_default();
    let asked = order.quantity_of(ticket_type_id);
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
pub async fn cancel(
    request: HttpRequest,
    app: web::Data<App>,
    token: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let placed = find_placed_booking(&app, token.into_inner()).await?;
    let actor = Actor::buyer(client_address::of(&request).to_string());
    let canceler = Canceler::Buyer { token: placed.booking.token.clone(), actor };
    let cancellation = Cancellation::of_all(canceler);
    let outcome = app.db.write_alone(move |db| cancellation::store::cancel(db, &cancellation)).await?;
    announce(&app.board, &app.desk, &app.outbox_wakeup, outcome.stock());
    match outcome {
        CancellationOutcome::Canceled { .. }
        | CancellationOutcome::AlreadyCanceled
        // Of two cancellations at the same time, the other one has canceled the booking.
        | CancellationOutcome::NoSuchTicket => {
            Ok(respond(&app, &find_placed_booking(&app, placed.booking.token).await?))
        }
        CancellationOutcome::TooLate => Err(Problem::new(ProblemType::TooLateToCancel)),
        CancellationOutcome::Admitted { count } => {
            let detail = messages::already_scanned(count, &placed.booking);
            Err(Problem::new(ProblemType::AlreadyAdmitted).with_detail(detail))
        }
    }
}

fn respond(app: &App, placed: &PlacedBooking) -> HttpResponse {
    HttpResponse::Ok().insert_header((CACHE_CONTROL, NO_STORE)).json(BookingJson::of(app, placed))
}
