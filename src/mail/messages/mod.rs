//! Writes mails: a module for each kind renders its message, and [`Envelope`] turns it into the bytes to be sent.
//!
//! What was sent and when does not belong here: see `outbox`.

pub mod booking_link;
pub mod cancellation;
pub mod confirmation;
mod envelope;

use lettre::message::Mailbox;
use url::{Host, Url};

pub use self::envelope::{Envelope, seal};
use super::DueMail;
use crate::booking::lookup::link::BookingLinks;
use crate::outbox::MailKind;
use crate::tickets::code::TicketCodes;

/// What all mails of this site need.
pub struct MessageContext {
    pub from: Mailbox,
    /// The site's address, without a slash at the end.
    pub public_url: String,
    pub ticket_codes: TicketCodes,
    pub booking_links: BookingLinks,
}

/// The parts of a mail, before it is encoded.
#[derive(Debug, Default)]
pub struct Message {
    pub to_name: Option<String>,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// Shown inside the HTML, as `cid:NAME`.
    pub pictures: Vec<InlineImage>,
    pub attachments: Vec<Attachment>,
}

/// A PNG image.
#[derive(Debug)]
pub struct InlineImage {
    pub name: String,
    pub png: Vec<u8>,
}

#[derive(Debug)]
pub struct Attachment {
    pub file_name: String,
    pub content_type: &'static str,
    pub content: String,
}

/// Why no message was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ComposeError {
    /// What it says is no longer true.
    Dropped(String),
    /// It can never be written.
    Failed(String),
}

/// Writes the message of a mail.
pub fn write(due: &DueMail, context: &MessageContext) -> Result<Message, ComposeError> {
    let about = |what: &str| ComposeError::Failed(format!("this mail has no {what}"));
    match MailKind::parse(&due.mail.kind) {
        Some(MailKind::Confirmation) => {
            confirmation::write(due.sale.as_ref().ok_or_else(|| about("booking"))?, context)
        }
        Some(MailKind::Cancellation) => {
            cancellation::write(due.sale.as_ref().ok_or_else(|| about("booking"))?, context)
        }
        Some(MailKind::BookingLink) => booking_link::write(due.recipient(), context),
        None => Err(ComposeError::Failed(format!("unknown kind of mail: {}", due.mail.kind))),
    }
}

/// The sender without `MAIL_FROM`: tickets@ and the site's host, or localhost when the site has no host name.
#[must_use]
pub fn default_from(public_url: &str) -> Mailbox {
    let url = Url::parse(public_url).ok();
    let host = match url.as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name,
        _ => "localhost",
    };
    let address = lettre::Address::new("tickets", host).ok();
    // A host that is not a valid mail domain, such as one with an underscore.
    let address = address.unwrap_or_else(|| lettre::Address::new_dangerous("tickets", "localhost"));
    Mailbox::new(Some("TechKraft Tickets".into()), address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_sender_is_the_sites_host() {
        for (url, address) in [
            ("https://tickets.example.org", "tickets@tickets.example.org"),
            ("http://127.0.0.1:3000", "tickets@localhost"),
            ("http://[::1]:3000", "tickets@localhost"),
            ("nonsense", "tickets@localhost"),
        ] {
            assert_eq!(default_from(url).email.to_string(), address);
        }
    }
}
