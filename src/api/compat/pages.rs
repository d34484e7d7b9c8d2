//! The handlers of `/api/tickets` and `/api/bookings`.

use std::sync::Arc;

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};

use super::{CompatBooked, CompatError, CompatNewBooking, CompatOrder, CompatTicket, refusal};
use crate::api::body::{self, Body};
use crate::api::client::ApiClient;
use crate::api::idempotency_key;
use crate::api::problem::{Problem, ProblemType};
use crate::app::App;
use crate::booking::buyer::Buyer;
use crate::booking::{BookingOutcome, Order, taking};
use crate::events::board::Listing;
use crate::events::{Event, EventState, PaymentChoice, TicketType};

/// `GET /api/tickets`: ticket types of the next concert, most expensive first.
#[utoipa::path(
    get,
    path = "/api/tickets",
    operation_id = "listTickets",
    tag = "Compat API",
    responses((status = 200, description = "The ticket types, most expensive first", body = [CompatTicket]))
)]
pub async fn index(app: web::Data<App>) -> HttpResponse {
    HttpResponse::Ok().json(next_concert(&app).map(|listing| dearest_first(&listing)).unwrap_or_default())
}

fn dearest_first(listing: &Listing) -> Vec<CompatTicket> {
    let mut tickets: Vec<&TicketType> = listing.ticket_types.iter().collect();
    tickets.sort_by_key(|ticket_type| std::cmp::Reverse(ticket_type.price_minor));
    tickets.into_iter().map(|ticket_type| CompatTicket::of(&listing.event, ticket_type)).collect()
}

/// `POST /api/bookings`: books tickets for a user. Needs a token, unless the site says otherwise. With an
/// `Idempotency-Key` header it is safe to retry for a day.
#[utoipa::path(
    post,
    path = "/api/bookings",
    operation_id = "bookTickets",
    tag = "Compat API",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 16, max_length = 255,
        pattern = "^[!#-\\[\\]-~]*$", description = "Requests with the same key and body book once")),
    request_body = CompatNewBooking,
    responses(
        (status = 201, description = "Booked; nothing was charged online", body = CompatBooked,
            headers(("Location" = String, description = "The booking in API v1"))),
        (status = 400, description = "A field is missing or invalid, or the quantity exceeds the limit per booking or per user",
            body = CompatError),
        (status = 401, description = "Invalid token, or none where booking needs one", body = CompatError),
        (status = 403, description = "This site takes no bookings through the API, or a cross-site request with cookies",
            body = CompatError),
        (status = 404, description = "Ticket type not found", body = CompatError),
        (status = 409, description = "Not enough tickets available, or the Idempotency-Key booked more than a day ago; nothing was booked",
            body = CompatError),
        (status = 422, description = "The Idempotency-Key was used for another booking", body = CompatError),
    )
)]
pub async fn create(request: HttpRequest, app: web::Data<App>, body: Body) -> HttpResponse {
    match book(&request, &app, body).await {
        Ok(booked) => {
            let location = format!("/api/v1/bookings/{}", booked.booking.id);
            HttpResponse::Created().insert_header((LOCATION, location)).json(booked)
        }
        Err(problem) => refusal(&problem),
    }
}

async fn book(request: &HttpRequest, app: &App, body: Body) -> Result<CompatBooked, Problem> {
    let client = ApiClient::of_request(request)?;
    let new_booking: CompatNewBooking = body::read(request, body)?;
    let wanted = new_booking.read().map_err(bad)?;
    let key = sent_key(request, &client)?;
    let outcome = match check(app, &client, &wanted, key.as_deref()) {
        Ok(order) => taking::take(app, request, &Arc::new(order)).await?,
        // A key that has booked before comes first: it gets its booking, even if the request is refused now.
        Err(refusal) => taking::recall(app, read(&client, &wanted, key)).await?.ok_or(refusal)?.1,
    };
    match idempotency_key::unless_expired(outcome)? {
        BookingOutcome::Booked(booking) | BookingOutcome::Replayed(booking) => Ok(CompatBooked::of(booking)),
        BookingOutcome::NotEnough { .. } => {
            Err(Problem::new(ProblemType::NotEnoughTickets).with_detail("Not enough tickets available"))
        }
        BookingOutcome::OverPersonLimit { ticket_type_id, limit, .. } => {
            let name = app.board.ticket_type(ticket_type_id).map(|it| it.name).unwrap_or_default();
            Err(bad(format!("Only {limit} {name} tickets are allowed for each user")))
        }
        BookingOutcome::NotOnSale { why, .. } => Err(Problem::new(why.into())),
        BookingOutcome::OtherTotal { .. } => Err(Problem::new(ProblemType::OtherTotal)),
        BookingOutcome::KeyReused(_) => Err(Problem::new(ProblemType::IdempotencyKeyReused)),
        BookingOutcome::UnknownTicketType => Err(not_found()),
    }
}

/// The order, checked against the ticket types on the board. Whether they are on sale is checked when it is booked.
fn check(app: &App, client: &ApiClient, wanted: &CompatOrder, key: Option<&str>) -> Result<Order, Problem> {
    let (listing, ticket_type) = find(app, &wanted.ticket_type_id).ok_or_else(not_found)?;
    let most = ticket_type.most_per_booking();
    let quantity = i32::try_from(wanted.quantity).ok().filter(|quantity| *quantity <= most);
    let quantity = quantity
        .ok_or_else(|| bad(format!("Only {most} {} tickets are allowed in one booking", ticket_type.name)))?;
    let buyer = Buyer::of_user(&wanted.user_id, client.token_name())
        .ok_or_else(|| bad("Invalid userId: use 1 to 100 characters that can be seen"))?;
    let key = key.map_or_else(|| app.request_keys.generate().as_str().to_owned(), str::to_owned);
    let order = Order::of_one_type(ticket_type.id, quantity, buyer, key);
    // Clients of this API do not know bookings that must be paid for online.
    if listing.event.payment == PaymentChoice::Online && ticket_type.price_minor > 0 {
        return Err(Problem::new(ProblemType::PaidOnline));
    }
    Ok(order)
}

/// The order, not checked against the board; `None` if the request is no valid order, or has no key.
fn read(client: &ApiClient, wanted: &CompatOrder, key: Option<String>) -> Option<Order> {
    let (id, quantity) = (wanted.ticket_type_id.parse().ok()?, i32::try_from(wanted.quantity).ok()?);
    Some(Order::of_one_type(id, quantity, Buyer::of_user(&wanted.user_id, client.token_name())?, key?))
}

/// The request's own key, where it has one.
fn sent_key(request: &HttpRequest, client: &ApiClient) -> Result<Option<String>, Problem> {
    let has_key = request.headers().contains_key(idempotency_key::HEADER);
    has_key.then(|| idempotency_key::of_request(request, client)).transpose()
}

fn bad(message: impl Into<String>) -> Problem {
    Problem::new(ProblemType::MalformedRequest).with_detail(message)
}

fn not_found() -> Problem {
    Problem::new(ProblemType::NotFound).with_detail("Ticket type not found")
}

/// The next concert that has not ended. A canceled one is passed over, and an unlisted one is for those who have its
/// link.
fn next_concert(app: &App) -> Option<Arc<Listing>> {
    let is_sold = |it: &Event| it.listed && it.state != EventState::Canceled;
    app.board.listings().into_iter().find(|listing| !listing.is_over() && is_sold(&listing.event))
}

/// A ticket type of the next concert, and that concert.
fn find(app: &App, id: &str) -> Option<(Arc<Listing>, TicketType)> {
    let listing = next_concert(app)?;
    let ticket_type = listing.ticket_types.iter().find(|it| it.id.to_string() == id).cloned()?;
    Some((listing, ticket_type))
}
