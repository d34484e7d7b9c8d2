//! The handlers of `/api/tickets` and `/api/bookings`.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};

use super::{CompatBooked, CompatError, CompatNewBooking, CompatOrder, CompatTicket, refusal};
use crate::api::body::{self, Body, Unreadable};
use crate::api::idempotency_key;
use crate::api::problem::{Problem, ProblemType};
use crate::app::App;
use crate::booking::buyer::Buyer;
use crate::booking::pages::booked_before;
use crate::booking::{BookingOutcome, Order};
use crate::events::TicketType;
use crate::events::board::Listing;

/// An error response: status and message.
type CompatRefusal = (StatusCode, String);

/// `GET /api/tickets`: ticket types of the next concert, most expensive first.
#[utoipa::path(
    get,
    path = "/api/tickets",
    operation_id = "listTickets",
    tag = "Legacy API",
    responses((status = 200, description = "The ticket types, most expensive first", body = [CompatTicket]))
)]
pub async fn index(app: web::Data<App>) -> HttpResponse {
    let mut tickets = next_concert(&app).map(|listing| listing.ticket_types.clone()).unwrap_or_default();
    tickets.sort_by_key(|ticket_type| std::cmp::Reverse(ticket_type.price_minor));
    HttpResponse::Ok().json(tickets.iter().map(CompatTicket::of).collect::<Vec<_>>())
}

/// `POST /api/bookings`: books tickets for a user. With an `Idempotency-Key` header it is safe to retry.
#[utoipa::path(
    post,
    path = "/api/bookings",
    operation_id = "bookTickets",
    tag = "Legacy API",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 16, max_length = 255,
        pattern = "^[!#-\\[\\]-~]*$", description = "Requests with the same key and body book once")),
    request_body = CompatNewBooking,
    responses(
        (status = 201, description = "Booked; nothing was charged online", body = CompatBooked,
            headers(("Location" = String, description = "The booking in API v1"))),
        (status = 400, description = "A field is missing or invalid, or the quantity exceeds the limit per booking or per user",
            body = CompatError),
        (status = 404, description = "Ticket type not found", body = CompatError),
        (status = 409, description = "Not enough tickets available; nothing was booked", body = CompatError),
        (status = 422, description = "The Idempotency-Key was used for another booking", body = CompatError),
    )
)]
pub async fn create(request: HttpRequest, app: web::Data<App>, body: Body) -> HttpResponse {
    match book(&request, &app, body).await {
        Ok(booked) => {
            let location = format!("/api/v1/bookings/{}", booked.booking.id);
            HttpResponse::Created().insert_header((LOCATION, location)).json(booked)
        }
        Err((status, message)) => refusal(status, &message),
    }
}

async fn book(request: &HttpRequest, app: &App, body: Body) -> Result<CompatBooked, CompatRefusal> {
    let bad = |message: String| (StatusCode::BAD_REQUEST, message);
    let new_booking: CompatNewBooking = body::read(request, body).map_err(unreadable)?;
    let wanted = new_booking.read().map_err(|message| bad(message.into()))?;
    let outcome = match check(request, app, &wanted) {
        Ok(order) => app.desk.book(order).await.map_err(|error| of_problem(&error.into()))?,
        // A known key comes before everything that can refuse.
        Err(refusal) => {
            let found = booked_before(app, read(request, &wanted)?).await;
            found.map_err(|error| of_problem(&error.into()))?.ok_or(refusal)?.1
        }
    };
    match outcome {
        BookingOutcome::Booked(booking) | BookingOutcome::Replayed(booking) => Ok(CompatBooked::of(booking)),
        BookingOutcome::NotEnough { .. } => {
            Err((StatusCode::CONFLICT, "Not enough tickets available".into()))
        }
        BookingOutcome::OverPersonLimit { ticket_type_id, limit, .. } => {
            let name = app.board.ticket_type(ticket_type_id).map(|it| it.name).unwrap_or_default();
            Err(bad(format!("Only {limit} {name} tickets are allowed for each user")))
        }
        BookingOutcome::NotOnSale { why, .. } => {
            Err((StatusCode::CONFLICT, Problem::new(why.into()).detail().to_owned()))
        }
        BookingOutcome::KeyReused(_) => Err(of_problem(&Problem::new(ProblemType::IdempotencyKeyReused))),
        BookingOutcome::UnknownTicketType => Err((StatusCode::NOT_FOUND, "Ticket type not found".into())),
    }
}

/// The order, as far as the board knows what is sold.
fn check(request: &HttpRequest, app: &App, wanted: &CompatOrder) -> Result<Order, CompatRefusal> {
    let bad = |message: String| (StatusCode::BAD_REQUEST, message);
    let ticket_type = find(app, &wanted.ticket_type_id)
        .ok_or_else(|| (StatusCode::NOT_FOUND, "Ticket type not found".to_owned()))?;
    let most = ticket_type.most_per_booking();
    let quantity = i32::try_from(wanted.quantity).ok().filter(|quantity| *quantity <= most);
    let quantity = quantity
        .ok_or_else(|| bad(format!("Only {most} {} tickets are allowed in one booking", ticket_type.name)))?;
    let buyer = Buyer::of_user(&wanted.user_id)
        .ok_or_else(|| bad("Invalid userId: use 1 to 100 characters that can be seen".into()))?;
    let request_key = match sent_key(request)? {
        Some(key) => key,
        None => app.request_keys.generate().as_str().to_owned(),
    };
    Ok(Order::of_one_type(ticket_type.id, quantity, buyer, request_key))
}

/// The order, whatever is sold now; `None` when it can be none, or has no key to be known by.
fn read(request: &HttpRequest, wanted: &CompatOrder) -> Result<Option<Order>, CompatRefusal> {
    let order = || {
        let (id, quantity) = (wanted.ticket_type_id.parse().ok()?, i32::try_from(wanted.quantity).ok()?);
        Some((id, quantity, Buyer::of_user(&wanted.user_id)?))
    };
    let key = sent_key(request)?;
    Ok(key.zip(order()).map(|(key, (id, quantity, buyer))| Order::of_one_type(id, quantity, buyer, key)))
}

/// The request's own key, where it has one.
fn sent_key(request: &HttpRequest) -> Result<Option<String>, CompatRefusal> {
    if !request.headers().contains_key(idempotency_key::HEADER) {
        return Ok(None);
    }
    idempotency_key::of_request(request).map(Some).map_err(|problem| of_problem(&problem))
}

/// The next concert that has not ended.
fn next_concert(app: &App) -> Option<Arc<Listing>> {
    app.board.listings().into_iter().find(|listing| !listing.is_over())
}

fn find(app: &App, id: &str) -> Option<TicketType> {
    let listing = next_concert(app)?;
    listing.ticket_types.iter().find(|ticket_type| ticket_type.id.to_string() == id).cloned()
}

fn unreadable(unreadable: Unreadable) -> CompatRefusal {
    of_problem(&unreadable.into())
}

fn of_problem(problem: &Problem) -> CompatRefusal {
    (problem.status(), problem.detail().to_owned())
}
