//! How mails are written: what a mail says, in a module for each kind, and how it is put into an envelope.

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

/// What every mail of this site has in common.
pub struct MessageContext {
    pub from: Mailbox,
    /// The site's address, without a slash at the end.
    pub public_url: String,
    pub ticket_codes: TicketCodes,
    pub booking_links: BookingLinks,
}

/// What a mail says.
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

/// A PNG.
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

/// Why there is no message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ComposeError {
    /// What it would say is no longer true.
    Dropped(String),
    /// It cannot be written, now or later.
    Failed(String),
}

/// Writes a mail.
///
/// # Errors
/// [`ComposeError`] says whether it is still wanted.
pub fn write(due: &DueMail, context: &MessageContext) -> Result<Message, ComposeError> {
    let about = |what: &str| ComposeError::Failed(format!("this mail is about no {what}"));
    match MailKind::parse(&due.mail.kind) {
        Some(MailKind::Confirmation) => {
            confirmation::write(due.sale.as_ref().ok_or_else(|| about("booking"))?, context)
        }
        Some(MailKind::Cancellation) => {
            cancellation::write(due.sale.as_ref().ok_or_else(|| about("booking"))?, context)
        }
        Some(MailKind::BookingLink) => booking_link::write(due.recipient(), context),
        None => {
            Err(ComposeError::Failed(format!("this release writes no mail of the kind {}", due.mail.kind)))
        }
    }
}

/// Who mails come from when nobody says: tickets@ and the site's host; on a machine without a name, localhost.
#[must_use]
pub fn default_from(public_url: &str) -> Mailbox {
    let url = Url::parse(public_url).ok();
    let host = match url.as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name,
        _ => "localhost",
    };
    let address = lettre::Address::new("tickets", host).ok();
    // A host that is no mail domain, such as one with an underscore, leaves this one, which is valid.
    let address = address.unwrap_or_else(|| lettre::Address::new_dangerous("tickets", "localhost"));
    Mailbox::new(Some("TechKraft Tickets".into()), address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_comes_from_the_site_unless_somebody_says() {
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
