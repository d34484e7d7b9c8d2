//! An amount goes back, which the organizer has refunded here or on the provider's pages; tickets stay as
//! they are.

use askama::Template;

use super::message::{ComposeError, Message, MessageContext, about};
use crate::booking::PlacedBooking;
use crate::outbox::Mail;

#[derive(Template)]
#[template(path = "mail/refund.html")]
struct RefundHtml<'a> {
    stop_url: &'a str,
    sale: &'a PlacedBooking,
    amount: &'a str,
    reason: &'a str,
    url: &'a str,
}

#[derive(Template)]
#[template(path = "mail/refund.txt", whitespace = "preserve")]
struct RefundText<'a> {
    stop_url: &'a str,
    sale: &'a PlacedBooking,
    amount: &'a str,
    reason: &'a str,
    url: &'a str,
}

/// The mail's payload is what goes back and, on the lines after it, why.
pub fn write(sale: &PlacedBooking, mail: &Mail, context: &MessageContext) -> Result<Message, ComposeError> {
    let PlacedBooking { booking, event, .. } = sale;
    let payload = mail.payload.as_deref().unwrap_or_default();
    let (amount, reason) = payload.split_once('\n').unwrap_or((payload, ""));
    let url = &*format!("{}/bookings/{}/receipt", context.public_url, booking.token);
    let stop_url = &*context.stop_url(booking.email().unwrap_or_default());
    let failed = |e: askama::Error| ComposeError::Failed(format!("template: {e}"));
    Ok(Message {
        subject: format!("Your refund of {amount}: {} for {}", booking.reference, event.name),
        text: RefundText { stop_url, sale, amount, reason, url }.render().map_err(failed)?,
        html: RefundHtml { stop_url, sale, amount, reason, url }.render().map_err(failed)?,
        ..about(sale)
    })
}
