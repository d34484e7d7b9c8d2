//! A booking was canceled: what it was, and that its tickets are no longer valid.

use askama::Template;

use super::message::{ComposeError, Message, MessageContext, about, calendar_file};
use crate::booking::PlacedBooking;
use crate::events::EventState;

#[derive(Template)]
#[template(path = "mail/cancellation.html")]
struct CancellationHtml<'a> {
    stop_url: &'a str,
    sale: &'a PlacedBooking,
    url: &'a str,
}

#[derive(Template)]
#[template(path = "mail/cancellation.txt", whitespace = "preserve")]
struct CancellationText<'a> {
    stop_url: &'a str,
    sale: &'a PlacedBooking,
    url: &'a str,
}

pub fn write(sale: &PlacedBooking, context: &MessageContext) -> Result<Message, ComposeError> {
    let PlacedBooking { booking, event, .. } = sale;
    if !booking.is_canceled() {
        return Err(ComposeError::Dropped("booking not canceled".into()));
    }
    let url = &*format!("{}/events/{}", context.public_url, event.slug);
    let stop_url = &*context.stop_url(sale.booking.email().unwrap_or_default());
    let failed = |e: askama::Error| ComposeError::Failed(format!("template: {e}"));
    Ok(Message {
        subject: format!("Canceled: {} for {}, {}", booking.reference, event.name, event.date()),
        text: CancellationText { stop_url, sale, url }.render().map_err(failed)?,
        html: CancellationHtml { stop_url, sale, url }.render().map_err(failed)?,
        attachments: vec![calendar_file(sale, context)],
        ..about(sale)
    })
}
