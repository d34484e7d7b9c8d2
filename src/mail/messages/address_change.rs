//! The notice to a booking's old address: the booking has a new one. It says whom to ask if that is a mistake.

use askama::Template;

use super::message::{ComposeError, Message, MessageContext, about};
use crate::booking::PlacedBooking;
use crate::booking::buyer::shown_email;
use crate::outbox::Mail;

#[derive(Template)]
#[template(path = "mail/address_change.html")]
struct AddressChangeHtml<'a> {
    stop_url: &'a str,
    sale: &'a PlacedBooking,
    old_email: &'a str,
    new_email: &'a str,
    url: &'a str,
}

#[derive(Template)]
#[template(path = "mail/address_change.txt", whitespace = "preserve")]
struct AddressChangeText<'a> {
    stop_url: &'a str,
    sale: &'a PlacedBooking,
    old_email: &'a str,
    new_email: &'a str,
    url: &'a str,
}

/// The mail's payload is the new address, masked. The mail shows neither the whole new address nor the
/// buyer's name: the old address may be a stranger's.
pub fn write(sale: &PlacedBooking, mail: &Mail, context: &MessageContext) -> Result<Message, ComposeError> {
    let PlacedBooking { booking, event, .. } = sale;
    let old_email = &*shown_email(mail.recipient.as_deref().unwrap_or_default());
    let new_email = mail.payload.as_deref().unwrap_or_default();
    let url = &*format!("{}/events/{}", context.public_url, event.slug);
    let stop_url = &*context.stop_url(mail.recipient.as_deref().unwrap_or_default());
    let failed = |e: askama::Error| ComposeError::Failed(format!("template: {e}"));
    Ok(Message {
        subject: format!("New email address for {}: {}, {}", booking.reference, event.name, event.date()),
        text: AddressChangeText { stop_url, sale, old_email, new_email, url }.render().map_err(failed)?,
        html: AddressChangeHtml { stop_url, sale, old_email, new_email, url }.render().map_err(failed)?,
        to_name: None,
        ..about(sale)
    })
}
