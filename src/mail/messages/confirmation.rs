//! The confirmation of a booking: what, when and where, and the tickets themselves.

use askama::Template;

use super::message::{Attachment, ComposeError, InlineImage, Message, MessageContext};
use crate::booking::{PlacedBooking, calendar};
use crate::tickets::{self, Ticket};

#[derive(Template)]
#[template(path = "mail/confirmation.html")]
struct ConfirmationHtml<'a> {
    sale: &'a PlacedBooking,
    url: &'a str,
    tickets: &'a [Ticket],
}

#[derive(Template)]
#[template(path = "mail/confirmation.txt", whitespace = "preserve")]
struct ConfirmationText<'a> {
    sale: &'a PlacedBooking,
    url: &'a str,
    tickets: &'a [Ticket],
}

/// A booking that was canceled before its confirmation was sent gets none.
pub fn write(sale: &PlacedBooking, context: &MessageContext) -> Result<Message, ComposeError> {
    let PlacedBooking { booking, event, .. } = sale;
    if !booking.is_confirmed() {
        return Err(ComposeError::Dropped("booking canceled before sending".into()));
    }
    let tickets = &*tickets::of_booking(&context.ticket_codes, sale);
    let url = &*format!("{}/bookings/{}", context.public_url, booking.token);
    let failed = |e: askama::Error| ComposeError::Failed(format!("template: {e}"));
    let picture = |ticket: &Ticket| InlineImage { name: picture_name(ticket), png: ticket.qr().png() };
    Ok(Message {
        to_name: Some(booking.buyer_name.clone()),
        subject: format!("Your tickets for {}, {}", event.name, event.date()),
        text: ConfirmationText { sale, url, tickets }.render().map_err(failed)?,
        html: ConfirmationHtml { sale, url, tickets }.render().map_err(failed)?,
        pictures: tickets.iter().map(picture).collect(),
        attachments: vec![Attachment {
            file_name: format!("{}.ics", event.slug),
            content_type: "text/calendar; charset=utf-8; method=PUBLISH",
            content: calendar::render(sale, url),
        }],
    })
}

/// The name by which the HTML refers to a ticket's QR code.
fn picture_name(ticket: &Ticket) -> String {
    format!("ticket-{}", ticket.seat)
}
