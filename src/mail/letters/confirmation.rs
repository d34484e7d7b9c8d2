//! The tickets are yours: what was booked, when and where, and the tickets themselves.

use askama::Template;

use super::{Attachment, Letter, Picture, Stationery, Unwritten};
use crate::booking::{Booking, CONFIRMED, calendar};
use crate::events::{Event, TicketType};
use crate::mail::Sale;
use crate::tickets::{self, Ticket};

#[derive(Template)]
#[template(path = "mail/confirmation.html")]
struct Html<'a> {
    booking: &'a Booking,
    ticket_type: &'a TicketType,
    event: &'a Event,
    url: &'a str,
    tickets: &'a [Ticket],
}

#[derive(Template)]
#[template(path = "mail/confirmation.txt", whitespace = "preserve")]
struct Text<'a> {
    booking: &'a Booking,
    ticket_type: &'a TicketType,
    event: &'a Event,
    url: &'a str,
    tickets: &'a [Ticket],
}

/// Writes it. A booking that was canceled before its confirmation went out is no longer confirmed: the mail
/// that says so may have gone before.
///
/// # Errors
/// As [`super::write`].
pub fn write(sale: &Sale, stationery: &Stationery) -> Result<Letter, Unwritten> {
    let Sale { booking, ticket_type, event } = sale;
    if booking.status != CONFIRMED {
        return Err(Unwritten::Dropped(format!("the booking was {} first", booking.status)));
    }
    let tickets = &*tickets::of_booking(&stationery.ticket_codes, booking);
    let url = &*format!("{}/bookings/{}", stationery.public_url, booking.token);
    let failed = |e: askama::Error| Unwritten::Failed(format!("template: {e}"));
    let picture = |ticket: &Ticket| Picture { name: picture_name(ticket), png: ticket.qr().png() };
    Ok(Letter {
        to_name: Some(booking.buyer_name.clone()),
        subject: format!("Your tickets for {}, {}", event.name, event.date()),
        text: Text { booking, ticket_type, event, url, tickets }.render().map_err(failed)?,
        html: Html { booking, ticket_type, event, url, tickets }.render().map_err(failed)?,
        pictures: tickets.iter().map(picture).collect(),
        attachments: vec![Attachment {
            file_name: format!("{}.ics", event.slug),
            content_type: "text/calendar; charset=utf-8; method=PUBLISH",
            content: calendar::render(booking, ticket_type, event, url),
        }],
    })
}

/// How the HTML names the picture of a ticket's QR code.
fn picture_name(ticket: &Ticket) -> String {
    format!("ticket-{}", ticket.seat)
}
