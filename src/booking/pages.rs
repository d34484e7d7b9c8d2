//! `/bookings/new`, `/bookings`, `/bookings/{token}`, `/bookings/{token}/calendar.ics`

use std::sync::Arc;

use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{TimeDelta, Utc};

use super::buyer::{Buyer, Express};
use super::cancellation::undo;
use super::checkout::{
    CheckoutQuery, admit, again, checkout, cookies_of_booking, find_chosen, refuse, refuse_total,
    respond_checkout,
};
use super::form::{BookingForm, FieldErrors, Refused};
use super::found::{answer_to_form, is_to_be_paid, next_page, payment_page};
use super::{Booking, BookingOutcome, PlacedBooking, calendar, is_token, messages, replay, store, taking};
use crate::app::App;
use crate::error::Error;
use crate::events::EventState;
use crate::events::calendar::download;
use crate::guard::form::{Form, Query};
use crate::page::{Page, Toast, html, see_other, toast_cookie};
use crate::tickets::link::TicketLinks;
use crate::tickets::{self, Ticket};

/// How long a booking's page congratulates the buyer.
const FRESH: TimeDelta = TimeDelta::minutes(30);

#[derive(Template)]
#[template(path = "bookings/show.html", blocks = ["confirmation"])]
struct BookingPage {
    page: Page,
    placed: PlacedBooking,
    url: String,
    /// Whether its buyer may still cancel it.
    is_cancellable: bool,
    /// Whether it was made a moment ago: then its page congratulates the buyer.
    is_fresh: bool,
    /// Whether this browser may take it back: it took one click, a moment ago.
    can_undo: bool,
    tickets: Vec<Ticket>,
    /// Each ticket has a page of its own to send to a friend. Always `Some`: the page of a single ticket
    /// shares the template and has none.
    ticket_links: Option<TicketLinks>,
    /// Whether the concert is today: then the codes come first.
    is_event_day: bool,
    /// Venue time, for the copy that the browser keeps.
    now: String,
    /// What the landing page needs for the next booking; only when the confirmation goes into its dialog.
    express: Option<Express>,
}

/// `GET /bookings/new?ticket_type=1&quantity=2`: the checkout, filled in as far as we know the buyer.
pub async fn new(
    request: HttpRequest,
    page: Page,
    app: web::Data<App>,
    Query(query): Query<CheckoutQuery>,
) -> Result<HttpResponse, Error> {
    let form = BookingForm::of_tickets(query.ticket_type, query.quantity);
    let form = match Buyer::remembered(&app.cookies, &request) {
        Some(buyer) => form.of_buyer(&buyer),
        None => form,
    };
    open(&app, &request, page, form)
}

/// `POST /bookings/new`: the checkout again, with all that was chosen and typed so far: for another ticket
/// type, or with the total of its quantities, for browsers without scripts.
pub async fn revise(
    request: HttpRequest,
    page: Page,
    app: web::Data<App>,
    Form(form): Form<BookingForm>,
) -> Result<HttpResponse, Error> {
    open(&app, &request, page, form)
}

fn open(app: &App, request: &HttpRequest, page: Page, mut form: BookingForm) -> Result<HttpResponse, Error> {
    form.accept_suggestion();
    let (listing, ticket_type) = find_chosen(app, &form)?;
    if let Some(elsewhere) = admit(app, request, &page, &listing.event, &mut form) {
        return Ok(elsewhere);
    }
    let errors = form.parse_lines(&listing).1;
    let status = match () {
        () if ticket_type.is_sold_out() || !listing.sale_state(ticket_type.id).is_on_sale() => {
            StatusCode::CONFLICT
        }
        () if errors.is_empty() => StatusCode::OK,
        () => StatusCode::UNPROCESSABLE_ENTITY,
    };
    respond_checkout(status, checkout(app, page, form, errors)?)
}

/// `POST /bookings`: books, and shows the booking, or the form again with what is wrong beside its field.
pub async fn create(
    request: HttpRequest,
    page: Page,
    app: web::Data<App>,
    Form(form): Form<BookingForm>,
) -> Result<HttpResponse, Error> {
    let remembered = Buyer::remembered(&app.cookies, &request);
    let mut form = match &remembered {
        Some(buyer) if form.is_one_click() => form.of_buyer(buyer),
        _ => form,
    };
    form.accept_suggestion();
    let booked = book(&request, page.clone(), &app, form.clone(), remembered).await;
    booked.or_else(|error| again(&app, page, form, error))
}

async fn book(
    request: &HttpRequest,
    page: Page,
    app: &App,
    mut form: BookingForm,
    remembered: Option<Buyer>,
) -> Result<HttpResponse, Error> {
    let (order, outcome) =
        match form.check(&app.board, &app.request_keys, app.form_ages, app.payments.is_some()) {
            Ok(order) => (Arc::clone(&order), taking::take(app, request, &order).await?),
            // A valid key comes before everything that can refuse: the form may have booked when it was still right.
            Err(refusal) => match taking::recall(app, form.read(&app.request_keys)).await? {
                Some(found) => found,
                None => return refuse(app, page, form, refusal),
            },
        };
    let mut errors = FieldErrors::default();
    let status = match replay::shown(&app.db, outcome, remembered.as_ref()).await? {
        BookingOutcome::Replayed(earlier) => {
            errors = replay::already_booked(&earlier, None);
            StatusCode::UNPROCESSABLE_ENTITY
        }
        BookingOutcome::Booked(booking) => {
            let cookies = cookies_of_booking(app, &form, remembered.as_ref(), &booking);
            let buyer = form.is_to_be_remembered().then(|| order.buyer.clone());
            let wants_venue = form.pay == "venue";
            return respond_booked(app, page, (booking, wants_venue), cookies, buyer).await;
        }
        BookingOutcome::NotEnough { left } => {
            let (listing, _) = find_chosen(app, &form)?;
            for (line, left) in order.lines().iter().zip(left) {
                if let Some(ticket_type) = listing.ticket_type(line.ticket_type_id)
                    && left < line.quantity
                {
                    errors.quantities.insert(line.ticket_type_id, messages::not_enough(left, ticket_type));
                    // The number for the ticket type that was chosen first stays: it is offered for the
                    // others.
                    if left > 0 || form.ticket_type.parse() != Ok(line.ticket_type_id) {
                        form.set_quantity(line.ticket_type_id, left.clamp(0, ticket_type.most_per_booking()));
                    }
                }
            }
            StatusCode::CONFLICT
        }
        BookingOutcome::OverPersonLimit { ticket_type_id, limit, .. } => {
            let (listing, _) = find_chosen(app, &form)?;
            if let Some(ticket_type) = listing.ticket_type(ticket_type_id) {
                let asked = order.quantity_of(ticket_type_id);
                let message = messages::over_person_limit(limit, asked, ticket_type);
                errors.quantities.insert(ticket_type_id, message);
            }
            StatusCode::CONFLICT
        }
        BookingOutcome::NotOnSale { ticket_type_id: id, why } => {
            return refuse(app, page, form, Refused::NotOnSale(id, why));
        }
        BookingOutcome::OtherTotal { total_minor: now } => return refuse_total(app, page, form, now).await,
        BookingOutcome::KeyReused(earlier) => {
            errors = replay::already_booked(&earlier, remembered.as_ref());
            StatusCode::UNPROCESSABLE_ENTITY
        }
        BookingOutcome::UnknownTicketType => return Err(Error::NotFound),
    };
    // Shows the board's numbers again, which the desk has just updated: those that the buyer saw were out of
    // date.
    respond_checkout(status, checkout(app, page, form, errors)?)
}

/// `GET /bookings/{token}`: the confirmation, for anyone with the link.
pub async fn show(
    request: HttpRequest,
    page: Page,
    app: web::Data<App>,
    token: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let placed = find_placed_booking(&app, token.into_inner()).await?;
    if is_to_be_paid(&app, &placed).await? {
        return Ok(page.send_to(&payment_page(&placed.booking)));
    }
    let may_undo = undo::is_allowed(&app.cookies, &request, &placed.booking.token);
    let show = confirmation(&app, page.clone(), placed, may_undo);
    page.respond_unlisted(StatusCode::OK, &show)
}

/// `GET /bookings/{token}/calendar.ics`
pub async fn calendar(app: web::Data<App>, token: web::Path<String>) -> Result<HttpResponse, Error> {
    let placed = find_placed_booking(&app, token.into_inner()).await?;
    // A canceled one takes the concert out of the calendar.
    if !placed.booking.is_confirmed() && !placed.booking.is_canceled() {
        return Err(Error::NotFound);
    }
    let url = format!("{}/bookings/{}", &app.public_url, placed.booking.token);
    Ok(download(&placed.event)
        .insert_header((CACHE_CONTROL, "private, no-store"))
        .insert_header(("X-Robots-Tag", "noindex, nofollow"))
        .body(calendar::render(&placed, &url, &app.mail_sender).text))
}

/// A fragment for the dialog, or a redirect, so that a reload shows the booking and never books again.
async fn respond_booked(
    app: &App,
    page: Page,
    (booking, wants_venue): (Booking, bool),
    cookies: Vec<Cookie<'static>>,
    remembered: Option<Buyer>,
) -> Result<HttpResponse, Error> {
    let (status, toast) = answer_to_form(&booking, wants_venue);
    let toast = toast.map(Toast::failure);
    let location = next_page(&booking);
    let mut response = if booking.is_held() {
        let mut response = page.send_to(&location);
        if let Some(toast) = toast {
            let added = response.add_cookie(&toast_cookie(&app.cookies, &toast));
            added.map_err(|e| Error::Internal(e.to_string()))?;
        }
        response
    } else if page.wants_fragment {
        let may_undo = cookies.iter().any(undo::is_cookie);
        let placed = place(app, booking).await?;
        // A waiting room's pass books once.
        let remembered = remembered.filter(|_| !app.rooms.needs_pass(placed.event.id));
        let express = remembered.map(|it| Express::new(&app.request_keys, it, &placed.event));
        let page = match toast {
            Some(toast) => page.with_toast(toast),
            None => page,
        };
        let show = confirmation(app, page.clone(), placed, may_undo);
        let body = html(&BookingPage { express, ..show }.as_confirmation())?;
        let mut response = page.unlisted_builder(status);
        if status == StatusCode::CREATED {
            response.insert_header(("HX-Trigger", "booked"));
        }
        response.insert_header(("Location", location)).body(body)
    } else {
        let mut response = see_other(&location);
        if let Some(toast) = toast {
            response.cookie(toast_cookie(&app.cookies, &toast));
        }
        response.finish()
    };
    for cookie in cookies {
        response.add_cookie(&cookie).map_err(|e| Error::Internal(e.to_string()))?;
    }
    Ok(response)
}

/// Puts a booking together with its concert: from the board if that knows all of it, otherwise from the
/// database.
pub async fn place(app: &App, booking: Booking) -> Result<PlacedBooking, Error> {
    let first = booking.lines.first().map_or(0, |line| line.ticket_type_id);
    // The board does not know what was paid online, nor which tickets were given back.
    if let Some(listing) = app.board.find_by_ticket_type(first)
        && !listing.event.is_paid_online()
        && booking
            .lines
            .iter()
            .all(|line| line.returned == 0 && listing.ticket_type(line.ticket_type_id).is_some())
    {
        return Ok(PlacedBooking::new(booking, listing.event.clone(), &listing.ticket_types));
    }
    find_placed_booking(app, booking.token).await
}

fn confirmation(app: &App, page: Page, placed: PlacedBooking, may_undo: bool) -> BookingPage {
    let url = format!("{}/bookings/{}", &app.public_url, placed.booking.token);
    let now = Utc::now().naive_utc();
    let is_cancellable = placed.event.is_cancellable(now);
    let is_fresh = now - placed.booking.created_at < FRESH;
    let can_undo = may_undo && undo::is_open(&placed.booking, app.board.now());
    let is_confirmed = placed.booking.is_confirmed();
    let tickets = if is_confirmed { tickets::of_booking(&app.ticket_codes, &placed) } else { Vec::new() };
    let ticket_links = Some(app.ticket_links.clone());
    let is_event_day = tickets::is_event_day(&placed.event, now);
    let now = placed.event.clock().minute(&now);
    let express = None;
    BookingPage {
        page,
        placed,
        url,
        is_cancellable,
        is_fresh,
        can_undo,
        tickets,
        ticket_links,
        is_event_day,
        now,
        express,
    }
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
