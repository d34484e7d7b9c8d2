//! `/bookings/new`, `/bookings`, `/bookings/{token}`, `/bookings/{token}/calendar.ics`

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{TimeDelta, Utc};
use serde::Deserialize;

use super::buyer::{Buyer, Express};
use super::checkout::{checkout, find_chosen, refuse, respond_checkout};
use super::form::{BookingForm, FieldErrors, Refused};
use super::{
    Booking, BookingOutcome, Order, PlacedBooking, calendar, is_token, messages, parse_quantity, store,
};
use crate::app::App;
use crate::error::Error;
use crate::guard::form::{Form, Query};
use crate::page::{Page, Toast, html, see_other, toast_cookie};
use crate::tickets::link::TicketLinks;
use crate::tickets::{self, Ticket};

/// For so long a booking's page congratulates.
const FRESH: TimeDelta = TimeDelta::minutes(30);

#[derive(Template)]
#[template(path = "bookings/show.html", blocks = ["confirmation"])]
struct BookingPage {
    page: Page,
    placed: PlacedBooking,
    url: String,
    /// Whether its buyer may still cancel it.
    is_cancellable: bool,
    /// Whether it was made a moment ago. Later its page begins with the tickets.
    is_fresh: bool,
    /// The dialog shows the way to them, and prints them.
    tickets: Vec<Ticket>,
    /// Each ticket has a page of its own to send to a friend.
    ticket_links: Option<TicketLinks>,
    /// Whether the concert is today: then the codes come first.
    is_day: bool,
    /// Venue time, for the copy that the browser keeps.
    now: String,
    /// What the landing page needs for the next booking; only when the confirmation goes into its dialog.
    express: Option<Express>,
}

#[derive(Deserialize)]
#[serde(default)]
pub struct CheckoutQuery {
    ticket_type: String,
    quantity: String,
}

impl Default for CheckoutQuery {
    fn default() -> Self {
        Self { ticket_type: String::new(), quantity: "1".into() }
    }
}

/// `GET /bookings/new?ticket_type=1&quantity=2`: the checkout, filled in as far as we know the buyer.
pub async fn new(
    request: HttpRequest,
    page: Page,
    app: web::Data<App>,
    Query(query): Query<CheckoutQuery>,
) -> Result<HttpResponse, Error> {
    let buyer = Buyer::remembered(&app.cookies, &request);
    let (name, email) =
        buyer.map_or_else(Default::default, |buyer| (buyer.name.clone(), buyer.email().to_owned()));
    let form = BookingForm::filled(query.ticket_type, query.quantity, name, email);
    let (listing, ticket_type) = find_chosen(&app, &form)?;
    let mut errors = FieldErrors::default();
    let most = ticket_type.most_per_booking();
    if let Err(error) = parse_quantity(&form.quantity, most) {
        errors.quantities.insert(ticket_type.id, messages::quantity(error, most));
    }
    let status = match () {
        () if ticket_type.is_sold_out() || !listing.sale_state(ticket_type.id).is_on_sale() => {
            StatusCode::CONFLICT
        }
        () if errors.is_empty() => StatusCode::OK,
        () => StatusCode::UNPROCESSABLE_ENTITY,
    };
    respond_checkout(status, checkout(&app, page, form, errors)?)
}

/// `POST /bookings`: books, and shows the booking, or the form again with what is wrong beside its field.
pub async fn create(
    page: Page,
    app: web::Data<App>,
    Form(mut form): Form<BookingForm>,
) -> Result<HttpResponse, Error> {
    let (order, outcome) = match form.check(&app.board, &app.request_keys, app.form_ages) {
        Ok(order) => {
            let outcome = app.desk.book(Arc::clone(&order)).await?;
            (order, outcome)
        }
        // A valid key comes before everything that can refuse: the form may have booked when it was still right.
        Err(refusal) => match booked_before(&app, form.read(&app.request_keys)).await? {
            Some(found) => found,
            None => return refuse(&app, page, form, refusal),
        },
    };
    let mut errors = FieldErrors::default();
    let status = match outcome {
        BookingOutcome::Booked(booking) | BookingOutcome::Replayed(booking) => {
            return respond_booked(&app, page, &order.buyer, booking).await;
        }
        BookingOutcome::NotEnough { left } => {
            let (listing, _) = find_chosen(&app, &form)?;
            for (line, left) in order.lines().iter().zip(left) {
                if let Some(ticket_type) = listing.ticket_type(line.ticket_type_id)
                    && left < line.quantity
                {
                    errors.quantities.insert(line.ticket_type_id, messages::not_enough(left, ticket_type));
                    // Of the ticket type that was chosen first the number stays: it is offered for the others.
                    if left > 0 || form.ticket_type.parse() != Ok(line.ticket_type_id) {
                        form.set_quantity(line.ticket_type_id, left.clamp(0, ticket_type.most_per_booking()));
                    }
                }
            }
            StatusCode::CONFLICT
        }
        BookingOutcome::OverPersonLimit { ticket_type_id, limit, .. } => {
            let (listing, _) = find_chosen(&app, &form)?;
            if let Some(ticket_type) = listing.ticket_type(ticket_type_id) {
                let asked = order.quantity_of(ticket_type_id);
                let message = messages::over_person_limit(limit, asked, ticket_type);
                errors.quantities.insert(ticket_type_id, message);
            }
            StatusCode::CONFLICT
        }
        BookingOutcome::NotOnSale { ticket_type_id, why } => {
            return refuse(&app, page, form, Refused::NotOnSale(ticket_type_id, why));
        }
        BookingOutcome::KeyReused(earlier) => {
            errors.earlier_booking = Some(format!("/bookings/{}", earlier.token));
            errors.form = Some(messages::KEY_REUSED.into());
            StatusCode::UNPROCESSABLE_ENTITY
        }
        BookingOutcome::UnknownTicketType => return Err(Error::NotFound),
    };
    // From the board as the desk has left it: the numbers of a moment ago have turned out to be old.
    let mut response = respond_checkout(status, checkout(&app, page, form, errors)?)?;
    // Nothing typed is lost, even when the next step is another ticket type's checkout.
    response.add_cookie(&order.buyer.cookie(&app.cookies)).map_err(|e| Error::Internal(e.to_string()))?;
    Ok(response)
}

/// `GET /bookings/{token}`: the confirmation, for anyone with the link.
pub async fn show(page: Page, app: web::Data<App>, token: web::Path<String>) -> Result<HttpResponse, Error> {
    let placed = find_placed_booking(&app, token.into_inner()).await?;
    let show = confirmation(&app, page.clone(), placed, None);
    page.respond_unlisted(StatusCode::OK, &show)
}

/// `GET /bookings/{token}/calendar.ics`
pub async fn calendar(app: web::Data<App>, token: web::Path<String>) -> Result<HttpResponse, Error> {
    let placed = find_placed_booking(&app, token.into_inner()).await?;
    if !placed.booking.is_confirmed() {
        return Err(Error::NotFound);
    }
    let url = format!("{}/bookings/{}", &app.public_url, placed.booking.token);
    let name = format!("attachment; filename=\"{}.ics\"", placed.event.slug);
    Ok(HttpResponse::Ok()
        .content_type("text/calendar; charset=utf-8")
        .insert_header((CACHE_CONTROL, "private, no-store"))
        .insert_header(("X-Robots-Tag", "noindex, nofollow"))
        .insert_header((CONTENT_DISPOSITION, name))
        .body(calendar::render(&placed, &url)))
}

/// `POST /buyer/forget`: the browser forgets whose bookings it makes.
pub async fn forget_buyer(app: web::Data<App>) -> HttpResponse {
    see_other("/").cookie(Buyer::forgetting_cookie(&app.cookies)).finish()
}

/// A fragment for the dialog, or a redirect, so that a reload shows the booking and never books again.
async fn respond_booked(
    app: &App,
    page: Page,
    buyer: &Buyer,
    booking: Booking,
) -> Result<HttpResponse, Error> {
    let location = format!("/bookings/{}", booking.token);
    let is_canceled = booking.is_canceled();
    let placed = place(app, booking).await?;
    // A repeated form finds its booking, also a canceled one.
    let (status, toast) = if is_canceled {
        (StatusCode::OK, Toast::failure(messages::REPLAYED_CANCELED))
    } else {
        (StatusCode::CREATED, Toast::success(format!("Booked: {}", placed.summary())))
    };
    let cookie = buyer.cookie(&app.cookies);
    if !page.wants_fragment {
        return Ok(see_other(&location).cookie(cookie).cookie(toast_cookie(&app.cookies, &toast)).finish());
    }
    let express = Express::new(&app.request_keys, buyer.clone());
    let page = page.with_toast(toast);
    let show = confirmation(app, page.clone(), placed, Some(express));
    let body = html(&show.as_confirmation())?;
    Ok(page
        .unlisted_builder(status)
        .cookie(cookie)
        .insert_header(("Location", location))
        .insert_header(("HX-Trigger", "booked"))
        .body(body))
}

/// What an order has booked before, if it has. `None` means no order, and books nothing.
///
/// # Errors
/// Database errors.
pub async fn booked_before(
    app: &App,
    order: Option<Order>,
) -> Result<Option<(Arc<Order>, BookingOutcome)>, Error> {
    let Some(order) = order.map(Arc::new) else { return Ok(None) };
    let sought = Arc::clone(&order);
    let outcome = app.db.read_primary(move |db| store::find_by_order(db, &sought)).await?;
    Ok(outcome.map(|outcome| (order, outcome)))
}

/// Puts a booking together with its concert: from the board, or from the database where the board has it no more.
pub async fn place(app: &App, booking: Booking) -> Result<PlacedBooking, Error> {
    let first = booking.lines.first().map_or(0, |line| line.ticket_type_id);
    if let Some(listing) = app.board.find_by_ticket_type(first)
        && booking
            .lines
            .iter()
            .all(|line| line.returned == 0 && listing.ticket_type(line.ticket_type_id).is_some())
    {
        return Ok(PlacedBooking::new(booking, listing.event.clone(), &listing.ticket_types));
    }
    find_placed_booking(app, booking.token).await
}

fn confirmation(app: &App, page: Page, placed: PlacedBooking, express: Option<Express>) -> BookingPage {
    let url = format!("{}/bookings/{}", &app.public_url, placed.booking.token);
    let now = Utc::now().naive_utc();
    let is_cancellable = placed.event.is_cancellable(now);
    let is_fresh = now - placed.booking.created_at < FRESH;
    let is_confirmed = placed.booking.is_confirmed();
    let tickets = if is_confirmed { tickets::of_booking(&app.ticket_codes, &placed) } else { Vec::new() };
    let ticket_links = Some(app.ticket_links.clone());
    let is_day = tickets::is_day(&placed.event, now);
    let now = placed.event.clock().minute(&now);
    BookingPage { page, placed, url, is_cancellable, is_fresh, tickets, ticket_links, is_day, now, express }
}

/// The booking that a link opens.
///
/// # Errors
/// [`Error::NotFound`]; database errors.
pub async fn find_placed_booking(app: &App, token: String) -> Result<PlacedBooking, Error> {
    if !is_token(&token) {
        return Err(Error::NotFound);
    }
    app.db.read_primary(move |db| store::find_by_token(db, &token)).await
}
