//! The confirmation of a booking: what, when and where, and the tickets themselves.

use askama::Template;

use super::message::{ComposeError, InlineImage, Message, MessageContext, about, calendar_file};
use crate::booking::PlacedBooking;
use crate::tickets::{self, Ticket};

/// Why a buyer gets tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    Booking,
    /// The booking has a new address.
    Correction,
}

impl Occasion {
    fn heading(self) -> &'static str {
        match self {
            Self::Booking => "You’re going!",
            Self::Correction => "Your booking was updated",
        }
    }
}

#[derive(Template)]
#[template(path = "mail/confirmation.html")]
struct ConfirmationHtml<'a> {
    stop_url: &'a str,
    occasion: Occasion,
    sale: &'a PlacedBooking,
    url: &'a str,
    tickets: &'a [Ticket],
    /// What the Content-IDs of its pictures end with: no other mail has it.
    mail_id: &'a str,
}

#[derive(Template)]
#[template(path = "mail/confirmation.txt", whitespace = "preserve")]
struct ConfirmationText<'a> {
    stop_url: &'a str,
    occasion: Occasion,
    sale: &'a PlacedBooking,
    url: &'a str,
    tickets: &'a [Ticket],
}

/// A booking that was canceled before its confirmation was sent gets none.
pub fn write(
    sale: &PlacedBooking,
    occasion: Occasion,
    message_id: &str,
    context: &MessageContext,
) -> Result<Message, ComposeError> {
    let PlacedBooking { booking, event, .. } = sale;
    if !booking.is_confirmed() {
        return Err(ComposeError::Dropped("booking canceled before sending".into()));
    }
    let tickets = &*tickets::of_booking(&context.ticket_codes, sale);
    let url = &*format!("{}/bookings/{}", context.public_url, booking.token);
    let stop_url = &*context.stop_url(sale.booking.email().unwrap_or_default());
    let failed = |e: askama::Error| ComposeError::Failed(format!("template: {e}"));
    let mail_id = &*format!("{message_id}@{}", context.from.email.domain());
    let picture = |ticket: &Ticket| InlineImage {
        content_id: format!("ticket-{}.{mail_id}", ticket.seat),
        file_name: format!("ticket-{}.png", ticket.seat),
        png: ticket.qr().png(),
    };
    Ok(Message {
        subject: format!("Your tickets for {}, {} ({})", event.name, event.date(), booking.reference),
        text: ConfirmationText { stop_url, occasion, sale, url, tickets }.render().map_err(failed)?,
        html: ConfirmationHtml { stop_url, occasion, sale, url, tickets, mail_id }
            .render()
            .map_err(failed)?,
        pictures: tickets.iter().map(picture).collect(),
        attachments: vec![calendar_file(sale, context)],
        ..about(sale)
    })
}
