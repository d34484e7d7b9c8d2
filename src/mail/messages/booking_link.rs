//! The link to all bookings of an address.

use askama::Template;
use chrono::Utc;

use super::message::{ComposeError, Message, MessageContext};
use crate::booking::buyer::shown_email;
use crate::booking::lookup::LINK_LIFETIME;

#[derive(Template)]
#[template(path = "mail/booking_link.html")]
struct BookingLinkHtml<'a> {
    stop_url: &'a str,
    email: &'a str,
    url: &'a str,
    minutes: i64,
}

#[derive(Template)]
#[template(path = "mail/booking_link.txt", whitespace = "preserve")]
struct BookingLinkText<'a> {
    stop_url: &'a str,
    email: &'a str,
    url: &'a str,
    minutes: i64,
}

/// The link's lifetime starts when the mail is written, so that a mail that waited does not arrive expired.
pub fn write(email: &str, context: &MessageContext) -> Result<Message, ComposeError> {
    let stop_url = &*context.stop_url(email);
    let url = &*format!("{}{}", context.public_url, context.booking_links.path(email, Utc::now()));
    let email = &*shown_email(email);
    let minutes = LINK_LIFETIME.num_minutes();
    let failed = |e: askama::Error| ComposeError::Failed(format!("template: {e}"));
    Ok(Message {
        subject: "Your TechKraft tickets: link to your bookings".into(),
        text: BookingLinkText { stop_url, email, url, minutes }.render().map_err(failed)?,
        html: BookingLinkHtml { stop_url, email, url, minutes }.render().map_err(failed)?,
        ..Message::default()
    })
}
