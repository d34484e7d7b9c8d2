//! A bank has declined a payment, and the tickets are still held for their buyer.

use askama::Template;

use super::message::{ComposeError, Message, MessageContext, about};
use crate::booking::PlacedBooking;
use crate::outbox::Mail;

#[derive(Template)]
#[template(path = "mail/declined.html")]
struct DeclinedHtml<'a> {
    stop_url: &'a str,
    sale: &'a PlacedBooking,
    until: &'a str,
    url: &'a str,
}

#[derive(Template)]
#[template(path = "mail/declined.txt", whitespace = "preserve")]
struct DeclinedText<'a> {
    stop_url: &'a str,
    sale: &'a PlacedBooking,
    until: &'a str,
    url: &'a str,
}

/// The mail's payload is until when the tickets are held: "8:14 PM CST".
pub fn write(sale: &PlacedBooking, mail: &Mail, context: &MessageContext) -> Result<Message, ComposeError> {
    let PlacedBooking { booking, event, .. } = sale;
    if !booking.is_held() {
        return Err(ComposeError::Dropped("the tickets are paid for, or not held any more".into()));
    }
    let payload = mail.payload.as_deref().unwrap_or_default();
    let until = payload;
    let url = &*format!("{}/bookings/{}/payment", context.public_url, booking.token);
    let stop_url = &*context.stop_url(booking.email().unwrap_or_default());
    let failed = |e: askama::Error| ComposeError::Failed(format!("template: {e}"));
    Ok(Message {
        subject: format!("Your payment didn’t go through: {} for {}", booking.reference, event.name),
        text: DeclinedText { stop_url, sale, until, url }.render().map_err(failed)?,
        html: DeclinedHtml { stop_url, sale, until, url }.render().map_err(failed)?,
        ..about(sale)
    })
}
