//! A payment came when its tickets were gone: the buyer has no tickets, and gets the money back.

use askama::Template;

use super::message::{ComposeError, Message, MessageContext, about};
use crate::booking::PlacedBooking;
use crate::events::EventState;
use crate::outbox::Mail;

#[derive(Template)]
#[template(path = "mail/late_payment.html")]
struct LatePaymentHtml<'a> {
    stop_url: &'a str,
    sale: &'a PlacedBooking,
    amount: &'a str,
    url: &'a str,
}

#[derive(Template)]
#[template(path = "mail/late_payment.txt", whitespace = "preserve")]
struct LatePaymentText<'a> {
    stop_url: &'a str,
    sale: &'a PlacedBooking,
    amount: &'a str,
    url: &'a str,
}

/// The mail's payload is what goes back: "$210.00".
pub fn write(sale: &PlacedBooking, mail: &Mail, context: &MessageContext) -> Result<Message, ComposeError> {
    let PlacedBooking { booking, event, .. } = sale;
    let amount = mail.payload.as_deref().unwrap_or_default();
    let url = &*format!("{}/events/{}", context.public_url, event.slug);
    let stop_url = &*context.stop_url(booking.email().unwrap_or_default());
    let failed = |e: askama::Error| ComposeError::Failed(format!("template: {e}"));
    Ok(Message {
        subject: format!("Your late payment is being refunded: {} for {}", booking.reference, event.name),
        text: LatePaymentText { stop_url, sale, amount, url }.render().map_err(failed)?,
        html: LatePaymentHtml { stop_url, sale, amount, url }.render().map_err(failed)?,
        ..about(sale)
    })
}
