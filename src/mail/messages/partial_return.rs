//! Some tickets of a booking were given back: which ones, and which the buyer still has.

use askama::Template;

use super::message::{ComposeError, Message, MessageContext, about, calendar_file};
use crate::booking::PlacedBooking;
use crate::booking::cancellation::note::CancellationNote;
use crate::outbox::Mail;

#[derive(Template)]
#[template(path = "mail/partial_return.html")]
struct ReturnHtml<'a> {
    stop_url: &'a str,
    sale: &'a PlacedBooking,
    returned: &'a [String],
    /// When it was the organizer who canceled them.
    note: Option<&'a CancellationNote>,
    url: &'a str,
}

#[derive(Template)]
#[template(path = "mail/partial_return.txt", whitespace = "preserve")]
struct ReturnText<'a> {
    stop_url: &'a str,
    sale: &'a PlacedBooking,
    returned: &'a [String],
    /// When it was the organizer who canceled them.
    note: Option<&'a CancellationNote>,
    url: &'a str,
}

/// The mail's payload lists the seats. A booking that was canceled since gets the mail about that alone.
pub fn write(sale: &PlacedBooking, mail: &Mail, context: &MessageContext) -> Result<Message, ComposeError> {
    let PlacedBooking { booking, event, .. } = sale;
    if !booking.is_confirmed() {
        return Err(ComposeError::Dropped("booking canceled before sending".into()));
    }
    let note = sale.organizer_return(mail.payload.as_deref().unwrap_or_default());
    let seats = mail.payload.as_deref().unwrap_or_default().split(' ').filter_map(|seat| seat.parse().ok());
    let name = |seat: i32| Some(format!("Ticket {seat} ({})", sale.ticket_type_of_seat(seat)?.name));
    let returned = &*seats.filter_map(name).collect::<Vec<_>>();
    let url = &*format!("{}/bookings/{}", context.public_url, booking.token);
    let stop_url = &*context.stop_url(sale.booking.email().unwrap_or_default());
    let failed = |e: askama::Error| ComposeError::Failed(format!("template: {e}"));
    Ok(Message {
        subject: format!("Tickets returned: {} for {}, {}", booking.reference, event.name, event.date()),
        text: ReturnText { stop_url, sale, returned, note, url }.render().map_err(failed)?,
        html: ReturnHtml { stop_url, sale, returned, note, url }.render().map_err(failed)?,
        attachments: vec![calendar_file(sale, context)],
        ..about(sale)
    })
}
