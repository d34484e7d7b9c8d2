//! `/tickets/{token}`, `/tickets/{token}/calendar.ics`: a single ticket, for the friend who got its link from
//! the buyer.

use actix_web::http::StatusCode;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::Utc;

use super::link::TicketLinks;
use super::{Ticket, is_event_day, of_booking};
use crate::app::App;
use crate::booking::{BookingStatus, PlacedBooking, store};
use crate::error::Error;
use crate::events::calendar;
use crate::events::sharing::SharedPicture;
use crate::page::Page;

#[derive(Template)]
#[template(path = "tickets/show.html")]
struct TicketPage {
    page: Page,
    placed: PlacedBooking,
    /// This ticket alone; none if it is no longer valid.
    tickets: Vec<Ticket>,
    seat: i32,
    /// Always `None`: a friend has no tickets to pass on.
    ticket_links: Option<TicketLinks>,
    /// The page's own address.
    url: String,
    picture: SharedPicture,
    /// Whether the concert is today: then the code comes first.
    is_event_day: bool,
    /// Venue time, for the copy that the browser keeps.
    now: String,
}

/// `GET /tickets/{token}`: the ticket, or a page that says that it is no longer valid.
pub async fn show(page: Page, app: web::Data<App>, token: web::Path<String>) -> Result<HttpResponse, Error> {
    let (placed, seat) = find(&app, &token).await?;
    let tickets: Vec<Ticket> = valid_ticket(&app, &placed, seat).into_iter().collect();
    let now = Utc::now().naive_utc();
    let status = if tickets.is_empty() { StatusCode::GONE } else { StatusCode::OK };
    let show = TicketPage {
        page: page.clone(),
        seat,
        tickets,
        ticket_links: None,
        url: format!("{}/tickets/{token}", app.public_url),
        picture: SharedPicture::of_concert(&app.public_url, &placed.event),
        is_event_day: is_event_day(&placed.event, now),
        now: placed.event.clock().minute(&now),
        placed,
    };
    page.respond_unlisted(status, &show)
}

/// `GET /tickets/{token}/calendar.ics`
pub async fn calendar(app: web::Data<App>, token: web::Path<String>) -> Result<HttpResponse, Error> {
    let (placed, seat) = find(&app, &token).await?;
    let ticket = valid_ticket(&app, &placed, seat).ok_or(Error::NotFound)?;
    let entry = calendar::CalendarEntry {
        uid: &format!("{}-{seat}@techkraft-tickets", placed.booking.reference),
        description: &format!("{}, ticket {seat}", ticket.ticket_type),
        url: &format!("{}/tickets/{token}", app.public_url),
    };
    Ok(calendar::download(&placed.event)
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(("X-Robots-Tag", "noindex, nofollow"))
        .body(calendar::render(&placed.event, &entry)))
}

/// The booking and the seat that a link is for, also when the booking is canceled.
async fn find(app: &App, token: &str) -> Result<(PlacedBooking, i32), Error> {
    let ticket = app.ticket_links.open(token).ok_or(Error::NotFound)?;
    let placed = app.db.read_primary(move |db| store::find_by_reference(db, &ticket.reference)).await?;
    let was_booked = matches!(placed.booking.status, BookingStatus::Confirmed | BookingStatus::Canceled);
    let is_seat = placed.ticket_type_of_seat(ticket.seat).is_some();
    if was_booked && is_seat { Ok((placed, ticket.seat)) } else { Err(Error::NotFound) }
}

/// The ticket, unless it was given back or canceled with its booking.
fn valid_ticket(app: &App, placed: &PlacedBooking, seat: i32) -> Option<Ticket> {
    if !placed.booking.is_confirmed() {
        return None;
    }
    of_booking(&app.ticket_codes, placed).into_iter().find(|ticket| ticket.seat == seat)
}
