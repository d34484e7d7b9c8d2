//! A message of the organizer to the holders of tickets: who sent it, what it says, and why the recipient
//! gets it.

use askama::Template;

use super::message::{ComposeError, Message, MessageContext, about};
use crate::booking::PlacedBooking;
use crate::booking::event_jobs::message::HolderMessage;
use crate::events::Event;

/// A message, and the concert that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HolderMail {
    pub message: HolderMessage,
    pub event: Event,
    /// It goes to the organizer only, who wants to see it before it is sent to the holders.
    pub is_test: bool,
}

impl HolderMail {
    /// Whom it is from: "The Foundry", or "the organizer".
    fn sender(&self) -> &str {
        if self.event.organizer_name.is_empty() { "the organizer" } else { &self.event.organizer_name }
    }

    /// Why the recipient gets it.
    fn reason(&self, address: &str) -> String {
        let what = match &self.message.ticket_type {
            Some(name) => format!("{name} tickets for {}", self.event.name),
            None => format!("tickets for {}", self.event.name),
        };
        if self.is_test {
            return format!("This is a test. Everyone with {what} would get it.");
        }
        format!("You received this email because {address} booked {what}.")
    }
}

#[derive(Template)]
#[template(path = "mail/holder_message.html")]
struct HolderMessageHtml<'a> {
    mail: &'a HolderMail,
    url: Option<&'a str>,
    reason: &'a str,
    stop_url: &'a str,
}

#[derive(Template)]
#[template(path = "mail/holder_message.txt", whitespace = "preserve")]
struct HolderMessageText<'a> {
    mail: &'a HolderMail,
    url: Option<&'a str>,
    reason: &'a str,
    stop_url: &'a str,
}

/// A booking that was canceled since gets none.
pub fn write(
    mail: &HolderMail,
    sale: Option<&PlacedBooking>,
    to: &str,
    context: &MessageContext,
) -> Result<Message, ComposeError> {
    if !mail.is_test && sale.is_none_or(|sale| !sale.booking.is_confirmed()) {
        return Err(ComposeError::Dropped("booking canceled before sending".into()));
    }
    let url = sale.map(|sale| format!("{}/bookings/{}", context.public_url, sale.booking.token));
    let (url, reason) = (url.as_deref(), &*mail.reason(to));
    let stop_url = &*context.stop_url(to);
    let failed = |e: askama::Error| ComposeError::Failed(format!("template: {e}"));
    let test = if mail.is_test { "Test: " } else { "" };
    let reply_to = mail.event.organizer_email().map(|address| (mail.event.organizer_name.clone(), address));
    Ok(Message {
        subject: format!("{test}{} ({})", mail.message.subject, mail.event.name),
        text: HolderMessageText { mail, url, reason, stop_url }.render().map_err(failed)?,
        html: HolderMessageHtml { mail, url, reason, stop_url }.render().map_err(failed)?,
        reply_to,
        ..sale.map(about).unwrap_or_default()
    })
}
