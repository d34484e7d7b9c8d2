//! `/bookings/new`, `/bookings`, `/bookings/{token}`, `/bookings/{token}/calendar.ics`

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::Utc;
use serde::Deserialize;

use super::buyer::{Buyer, Express};
use super::form::{BookingForm, FieldErrors};
use super::request_key::RequestKey;
use super::{
    Booking, BookingOutcome, CONFIRMED, PlacedBooking, calendar, is_token, messages, parse_quantity, store,
};
use crate::app::App;
use crate::error::Error;
use crate::events::board::Listing;
use crate::events::{Event, TicketType};
use crate::guard::form::{Form, Query};
use crate::page::{Page, Toast, html, see_other, toast_cookie};
use crate::tickets::{self, Ticket};

/// Everything that the checkout shows, as a page or inside the dialog.
#[derive(Template)]
#[template(path = "bookings/new.html", blocks = ["checkout"])]
struct CheckoutPage {
    page: Page,
    event: Event,
    ticket_type: TicketType,
    /// The concert's other ticket types that still have tickets, offered when this one has none.
    others: Vec<TicketType>,
    form: BookingForm,
    errors: FieldErrors,
    request_key: RequestKey,
}

impl CheckoutPage {
    /// The quantity to count with while the typed one may be no number.
    fn quantity(&self) -> i32 {
        parse_quantity(&self.form.quantity, self.ticket_type.most_per_booking()).unwrap_or(1)
    }
}

#[derive(Template)]
#[template(path = "bookings/show.html", blocks = ["confirmation"])]
struct BookingPage {
    page: Page,
    event: Event,
    ticket_type: TicketType,
    booking: Booking,
    url: String,
    /// Whether its buyer may still cancel it.
    is_cancellable: bool,
    /// On the booking's own page; the dialog shows the way there.
    tickets: Vec<Ticket>,
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
    let (_, ticket_type) = find_ticket_type(&app, &query.ticket_type)?;
    let buyer = Buyer::remembered(&app.cookies, &request);
    let (name, email) = buyer.map_or_else(Default::default, |buyer| (buyer.name, buyer.email));
    let quantity = query.quantity.clone();
    let form =
        BookingForm { ticket_type: query.ticket_type.clone(), quantity, name, email, ..Default::default() };
    let mut errors = FieldErrors::default();
    let most = ticket_type.most_per_booking();
    if let Err(error) = parse_quantity(&form.quantity, most) {
        errors.quantity = Some(messages::quantity(error, most));
    }
    let status = match () {
        () if ticket_type.is_sold_out() => StatusCode::CONFLICT,
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
    let (listing, ticket_type) = find_ticket_type(&app, &form.ticket_type)?;
    let order = match form.parse(&ticket_type, &app.request_keys) {
        Ok(order) => Arc::new(order),
        Err(errors) => return ask_again(&app, page, form, errors),
    };
    let outcome = match app.form_ages.check(&order.request_key, Utc::now()) {
        Ok(()) => app.desk.book(Arc::clone(&order)).await?,
        Err(error) => {
            let sought = Arc::clone(&order);
            // Whatever its age: what a form has booked it finds again.
            match app.db.read_primary(move |db| store::find_by_request_key(db, &sought)).await? {
                Some(outcome) => outcome,
                None => return ask_again(&app, page, form, FieldErrors::of_form(messages::form_age(error))),
            }
        }
    };
    let mut errors = FieldErrors::default();
    let status = match outcome {
        BookingOutcome::Booked(booking) | BookingOutcome::Replayed(booking) => {
            return respond_booked(&app, page, &order.buyer, &listing.event, ticket_type, booking);
        }
        BookingOutcome::NotEnough { left } => {
            errors.quantity = Some(messages::not_enough(left, &ticket_type));
            form.quantity = left.clamp(1, ticket_type.most_per_booking()).to_string();
            StatusCode::CONFLICT
        }
        BookingOutcome::OverPersonLimit { limit, .. } => {
            errors.quantity = Some(messages::over_person_limit(limit, order.quantity, &ticket_type));
            StatusCode::CONFLICT
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
    if placed.booking.is_canceled() {
        return Err(Error::NotFound);
    }
    let show = confirmation(&app, Page::default(), placed, None);
    let file = calendar::render(&show.booking, &show.ticket_type, &show.event, &show.url);
    Ok(HttpResponse::Ok()
        .content_type("text/calendar; charset=utf-8")
        .insert_header((CACHE_CONTROL, "private, no-store"))
        .insert_header(("X-Robots-Tag", "noindex, nofollow"))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}.ics\"", show.event.slug)))
        .body(file))
}

/// `POST /buyer/forget`: the browser forgets whose bookings it makes.
pub async fn forget_buyer(app: web::Data<App>) -> HttpResponse {
    see_other("/").cookie(Buyer::forgetting_cookie(&app.cookies)).finish()
}

/// The concert on the board and the ticket type that a form means.
fn find_ticket_type(app: &App, id: &str) -> Result<(Arc<Listing>, TicketType), Error> {
    // Digits alone: `parse` would take a sign.
    let is_number = id.bytes().all(|byte| byte.is_ascii_digit());
    let id = id.parse().ok().filter(|_| is_number).ok_or(Error::NotFound)?;
    let listing = app.board.find_by_ticket_type(id).ok_or(Error::NotFound)?;
    let ticket_type = listing.ticket_type(id).ok_or(Error::NotFound)?.clone();
    Ok((listing, ticket_type))
}

/// The form again, with a fresh key, everything that was typed, and what is wrong with it.
fn ask_again(app: &App, page: Page, form: BookingForm, errors: FieldErrors) -> Result<HttpResponse, Error> {
    let checkout = checkout(app, page, form, errors)?;
    respond_checkout(StatusCode::UNPROCESSABLE_ENTITY, checkout)
}

fn checkout(app: &App, page: Page, form: BookingForm, errors: FieldErrors) -> Result<CheckoutPage, Error> {
    let (listing, ticket_type) = find_ticket_type(app, &form.ticket_type)?;
    let others = if ticket_type.is_sold_out() {
        listing.ticket_types.iter().filter(|ticket_type| !ticket_type.is_sold_out()).cloned().collect()
    } else {
        Vec::new()
    };
    let event = listing.event.clone();
    Ok(CheckoutPage {
        page,
        event,
        ticket_type,
        others,
        form,
        errors,
        request_key: app.request_keys.generate(),
    })
}

fn respond_checkout(status: StatusCode, checkout: CheckoutPage) -> Result<HttpResponse, Error> {
    let page = checkout.page.clone();
    let mut response = if page.wants_fragment {
        page.respond_unlisted::<Error>(status, &checkout.as_checkout())?
    } else {
        page.respond_unlisted::<Error>(status, &checkout)?
    };
    // The browser alone may keep it, so that the back button brings back the same form with the same key:
    // asked for again it would be a fresh one, and confirming it would book a second time.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    Ok(response)
}

/// A fragment for the dialog, or a redirect, so that a reload shows the booking and never books again.
fn respond_booked(
    app: &App,
    page: Page,
    buyer: &Buyer,
    event: &Event,
    ticket_type: TicketType,
    booking: Booking,
) -> Result<HttpResponse, Error> {
    let location = format!("/bookings/{}", booking.token);
    // The same form sent again finds its booking, whatever has become of that.
    let (status, toast) = if booking.is_canceled() {
        (StatusCode::OK, Toast::failure(messages::REPLAYED_CANCELED))
    } else {
        let message = format!("Booked: {} × {}", booking.quantity, ticket_type.name);
        (StatusCode::CREATED, Toast::success(message))
    };
    let cookie = buyer.cookie(&app.cookies);
    if !page.wants_fragment {
        return Ok(see_other(&location).cookie(cookie).cookie(toast_cookie(&app.cookies, &toast)).finish());
    }
    let express = Express::new(&app.request_keys, buyer.clone());
    let page = page.with_toast(toast);
    let placed = PlacedBooking { event: event.clone(), ticket_type, booking };
    let show = confirmation(app, page.clone(), placed, Some(express));
    let body = html(&show.as_confirmation())?;
    Ok(page
        .unlisted_builder(status)
        .cookie(cookie)
        .insert_header(("Location", location))
        .insert_header(("HX-Trigger", "booked"))
        .body(body))
}

fn confirmation(app: &App, page: Page, placed: PlacedBooking, express: Option<Express>) -> BookingPage {
    let PlacedBooking { event, ticket_type, booking } = placed;
    let url = format!("{}/bookings/{}", &app.public_url, booking.token);
    let is_cancellable = event.is_cancellable(Utc::now().naive_utc());
    let opens_the_gate = booking.status == CONFIRMED && !page.wants_fragment;
    let tickets = if opens_the_gate { tickets::of_booking(&app.ticket_codes, &booking) } else { Vec::new() };
    BookingPage { page, event, ticket_type, booking, url, is_cancellable, tickets, express }
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
