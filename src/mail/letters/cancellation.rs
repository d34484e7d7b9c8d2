//! Your booking is canceled: what it was, and that its tickets no longer admit anyone.

use askama::Template;

use super::{Letter, Stationery, Unwritten};
use crate::booking::Booking;
use crate::events::{Event, TicketType};
use crate::mail::Sale;

#[derive(Template)]
#[template(path = "mail/cancellation.html")]
struct Html<'a> {
    booking: &'a Booking,
    ticket_type: &'a TicketType,
    event: &'a Event,
    url: &'a str,
}

#[derive(Template)]
#[template(path = "mail/cancellation.txt", whitespace = "preserve")]
struct Text<'a> {
    booking: &'a Booking,
    ticket_type: &'a TicketType,
    event: &'a Event,
    url: &'a str,
}

/// Writes it.
///
/// # Errors
/// As [`super::write`].
pub fn write(sale: &Sale, stationery: &Stationery) -> Result<Letter, Unwritten> {
    let Sale { booking, ticket_type, event } = sale;
    if !booking.is_canceled() {
        return Err(Unwritten::Dropped(format!("the booking is {}", booking.status)));
    }
    let url = &*format!("{}/events/{}", stationery.public_url, event.slug);
    let failed = |e: askama::Error| Unwritten::Failed(format!("template: {e}"));
    Ok(Letter {
        to_name: Some(booking.buyer_name.clone()),
        subject: format!("Canceled: {} for {}, {}", booking.reference, event.name, event.date()),
        text: Text { booking, ticket_type, event, url }.render().map_err(failed)?,
        html: Html { booking, ticket_type, event, url }.render().map_err(failed)?,
        ..Letter::default()
    })
}
