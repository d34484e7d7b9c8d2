//! The checkout: the form and everything beside it, either fresh or again with its errors.

use std::sync::Arc;

use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse, ResponseError as _};
use askama::Template;
use chrono::{NaiveDateTime, Utc};
use serde::Deserialize;

use super::buyer::Buyer;
use super::cancellation::undo;
use super::form::{BookingForm, FieldErrors, Refused};
use super::request_key::RequestKey;
use super::{Booking, NotOnSale, messages, parse_quantity};
use crate::app::App;
use crate::error::Error;
use crate::events::board::Listing;
use crate::events::sale::SaleState;
use crate::events::{Event, PaymentChoice, TicketType};
use crate::money::Money;
use crate::page::Page;
use crate::queue::pass::Pass;

/// The query of a link to the checkout: which ticket type, and how many.
#[derive(Deserialize)]
#[serde(default)]
pub struct CheckoutQuery {
    pub(super) ticket_type: String,
    pub(super) quantity: String,
}

impl Default for CheckoutQuery {
    fn default() -> Self {
        Self { ticket_type: String::new(), quantity: "1".into() }
    }
}

/// Everything that the checkout shows, as a page or inside the dialog.
#[derive(Template)]
#[template(path = "bookings/new.html", blocks = ["checkout"])]
pub(super) struct CheckoutPage {
    page: Page,
    listing: Arc<Listing>,
    /// The one that was chosen first.
    ticket_type: TicketType,
    form: BookingForm,
    errors: FieldErrors,
    request_key: RequestKey,
    /// UTC.
    now: NaiveDateTime,
    can_pay_online: bool,
    /// The form may have booked, or may book if it is sent again, whatever is on sale by now.
    is_again: bool,
}

impl CheckoutPage {
    /// Whether the tickets are paid for online, or may be.
    fn is_paid_online(&self) -> bool {
        self.can_pay_online && self.event().is_paid_online()
    }

    /// What goes back to a buyer who has paid online and cancels.
    fn refund_rule(&self) -> String {
        match self.event().refund_fee_minor {
            None => "If you cancel, what you paid online isn’t refunded.".to_owned(),
            Some(0) => "If you cancel, what you paid online is refunded.".to_owned(),
            Some(fee) => {
                let fee = Money::new(fee, &self.event().currency);
                format!("If you cancel, what you paid online is refunded, less {fee} per ticket.")
            }
        }
    }

    /// Whether the buyer chooses where to pay.
    fn has_choice(&self) -> bool {
        self.can_pay_online && self.event().payment == PaymentChoice::Both
    }

    fn event(&self) -> &Event {
        &self.listing.event
    }

    /// Why the chosen ticket type is not on sale; `None` when it is, even if it is sold out.
    fn closed(&self) -> Option<SaleState> {
        Some(self.listing.sale_state(self.ticket_type.id)).filter(|state| !state.is_on_sale())
    }

    /// Whether the page leaves out its form, because the chosen ticket type is not on sale or sold out.
    fn is_closed(&self) -> bool {
        !self.is_again && (self.closed().is_some() || self.ticket_type.is_sold_out())
    }

    /// The concert's other ticket types that can be booked now. A form that is sent again keeps all that it asks for:
    /// with less it would be another order.
    fn others(&self) -> impl Iterator<Item = &TicketType> {
        let is_kept = |it: &TicketType| {
            let can_be_booked = !it.is_sold_out() && self.listing.sale_state(it.id).is_on_sale();
            can_be_booked || self.is_again && self.form.quantity_of(it.id) != "0"
        };
        self.listing.ticket_types.iter().filter(move |it| it.id != self.ticket_type.id && is_kept(it))
    }

    /// Whether tickets of other ticket types are in the order, or have an error: then their part of the form
    /// is open.
    fn has_others(&self) -> bool {
        self.others().any(|it| self.quantity(it) > 0 || self.errors.quantities.contains_key(&it.id))
    }

    /// What is wrong with ticket types that are not in the form any more.
    fn other_errors(&self) -> impl Iterator<Item = &String> {
        let is_shown = |id: i64| id == self.ticket_type.id || self.others().any(|other| other.id == id);
        self.errors.quantities.iter().filter(move |(id, _)| !is_shown(**id)).map(|(_, message)| message)
    }

    /// How many tickets the total is for.
    fn count(&self) -> i32 {
        std::iter::once(&self.ticket_type).chain(self.others()).map(|it| self.quantity(it)).sum()
    }

    /// The order's tickets of types other than the chosen one and `other`: each type's id, and how many.
    fn more_beside<'a>(&'a self, other: &'a TicketType) -> impl Iterator<Item = (i64, i32)> + 'a {
        let more = self.others().filter(|it| it.id != other.id).map(|it| (it.id, self.quantity(it)));
        more.filter(|(_, quantity)| *quantity > 0)
    }

    fn cancellation_rule(&self) -> String {
        messages::cancellation_rule(self.event(), self.now)
    }

    /// How many tickets of another type to offer in place of the chosen one: as many as were typed for it, or
    /// else as many as were wanted of the chosen one.
    fn quantity_instead(&self, other: &TicketType) -> &str {
        match self.form.quantity_of(other.id) {
            "0" => &self.form.quantity,
            typed => typed,
        }
    }

    fn error(&self, ticket_type: &TicketType) -> Option<&String> {
        self.errors.quantities.get(&ticket_type.id)
    }

    /// The quantity to calculate with, also when the typed one is not a number.
    fn quantity(&self, ticket_type: &TicketType) -> i32 {
        let least = i32::from(ticket_type.id == self.ticket_type.id);
        parse_quantity(self.form.quantity_of(ticket_type.id), ticket_type.most_per_booking()).unwrap_or(least)
    }

    fn total(&self) -> Money {
        let types = std::iter::once(&self.ticket_type).chain(self.others());
        let minor = types.map(|it| it.price_minor.saturating_mul(self.quantity(it).into())).sum();
        Money::new(minor, &self.event().currency)
    }
}

/// Puts the browser's pass into the form, where the concert's waiting room asks for one. If the browser has
/// no pass, returns the redirect to the waiting room.
pub(super) fn admit(
    app: &App,
    request: &HttpRequest,
    page: &Page,
    event: &Event,
    form: &mut BookingForm,
) -> Option<HttpResponse> {
    if !app.rooms.needs_pass(event.id) {
        return None;
    }
    match app.rooms.pass_of(&app.cookies, request, event.id, app.board.now()) {
        Some(pass) => {
            pass.as_str().clone_into(&mut form.request_key);
            None
        }
        None => Some(page.send_to(&format!("/events/{}/queue", event.slug))),
    }
}

/// The form again, with a fresh key (but the same pass), everything that was typed, and why it was refused.
pub(super) fn refuse(
    app: &App,
    page: Page,
    form: BookingForm,
    refused: Refused,
) -> Result<HttpResponse, Error> {
    let (status, errors) = match refused {
        Refused::Fields(errors) => (StatusCode::UNPROCESSABLE_ENTITY, *errors),
        Refused::OtherTotal(total) => {
            (StatusCode::CONFLICT, FieldErrors::of_form(&messages::new_total(&total)))
        }
        Refused::NotOnSale(_, NotOnSale::WaitingRoom) => {
            let (listing, _) = find_chosen(app, &form)?;
            let link = Some(format!("/events/{}/queue", listing.event.slug));
            let errors = FieldErrors::of_form(messages::WAITING_ROOM);
            (StatusCode::CONFLICT, FieldErrors { link, ..errors })
        }
        Refused::NotOnSale(id, why) => {
            let (listing, chosen) = find_chosen(app, &form)?;
            let message = messages::not_on_sale(why, listing.ticket_type(id).unwrap_or(&chosen));
            let mut errors = FieldErrors::default();
            errors.quantities.insert(id, message);
            (StatusCode::CONFLICT, errors)
        }
        Refused::NoSuchTicketType => return Err(Error::NotFound),
    };
    respond_checkout(status, checkout(app, page, form, errors)?)
}

/// As [`refuse`], for a total that the database has calculated. The price was changed a moment ago, and the
/// board may not know it yet, so the board is read again.
pub(super) async fn refuse_total(
    app: &App,
    page: Page,
    form: BookingForm,
    total_minor: i64,
) -> Result<HttpResponse, Error> {
    app.board.refresh_from_primary(&app.db).await?;
    let (listing, _) = find_chosen(app, &form)?;
    let total = Money::new(total_minor, &listing.event.currency);
    refuse(app, page, form, Refused::OtherTotal(total))
}

/// The concert on the board and the ticket type that was chosen first.
pub(super) fn find_chosen(app: &App, form: &BookingForm) -> Result<(Arc<Listing>, TicketType), Error> {
    form.find_chosen(&app.board).ok_or(Error::NotFound)
}

pub(super) fn checkout(
    app: &App,
    page: Page,
    form: BookingForm,
    errors: FieldErrors,
) -> Result<CheckoutPage, Error> {
    let (listing, ticket_type) = find_chosen(app, &form)?;
    let kept = app.request_keys.kept_pass(&form.request_key);
    let (request_key, now) = (kept.unwrap_or_else(|| app.request_keys.generate()), Utc::now().naive_utc());
    let can_pay_online = app.payments.is_some();
    let is_again = false;
    Ok(CheckoutPage { page, listing, ticket_type, form, errors, request_key, now, can_pay_online, is_again })
}

/// The form as it was sent, with the same key, where the same form may succeed in a moment: it books once, or finds
/// what it has booked. For browsers without scripts; others keep the form, and say by themselves what happened.
pub(super) fn again(app: &App, page: Page, form: BookingForm, error: Error) -> Result<HttpResponse, Error> {
    let message = messages::again(&error).filter(|_| !page.wants_fragment);
    let key = app.request_keys.verify(&form.request_key);
    let (Some(message), Some(request_key)) = (message, key) else { return Err(error) };
    // A concert that is no longer on the board has no form to show.
    let Ok(form) = checkout(app, page, form, FieldErrors::of_form(&message)) else { return Err(error) };
    // This also logs the error.
    let told = error.error_response();
    let mut response = respond_checkout(told.status(), CheckoutPage { request_key, is_again: true, ..form })?;
    if let Some(seconds) = told.headers().get(RETRY_AFTER) {
        response.headers_mut().insert(RETRY_AFTER, seconds.clone());
    }
    Ok(response)
}

pub(super) fn respond_checkout(status: StatusCode, checkout: CheckoutPage) -> Result<HttpResponse, Error> {
    let page = checkout.page.clone();
    let mut response = if page.wants_fragment {
        page.respond_unlisted::<Error>(status, &checkout.as_checkout())?
    } else {
        page.respond_unlisted::<Error>(status, &checkout)?
    };
    // The browser alone may keep it, so that the back button brings back the same form with the same key. A
    // form from the server would have a new key, and confirming it would book a second time.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    Ok(response)
}

/// How a booking changes the browser's cookies. They remember the buyer or forget it, as the form asks. A
/// waiting room's pass is deleted. A booking that took one click can be undone for a moment.
pub(super) fn cookies_of_booking(
    app: &App,
    form: &BookingForm,
    remembered: Option<&Buyer>,
    booking: &Booking,
) -> Vec<Cookie<'static>> {
    let mut cookies = Vec::new();
    if booking.is_confirmed() && form.is_to_be_remembered() {
        let buyer = Buyer { name: booking.buyer_name.clone(), contact: booking.buyer.clone() };
        cookies.push(buyer.cookie(&app.cookies));
    } else if remembered.is_some() && !form.is_to_be_remembered() {
        cookies.push(Buyer::forgetting_cookie(&app.cookies));
    }
    if app.request_keys.kept_pass(&form.request_key).is_some() {
        cookies.push(Pass::removal(&app.cookies, booking.event_id));
    }
    if form.is_one_click() && undo::is_open(booking, app.board.now()) {
        cookies.push(undo::cookie(&app.cookies, booking));
    }
    cookies
}
