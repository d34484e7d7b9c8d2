//! What a mail is made of before it is encoded.

use lettre::message::Mailbox;

use crate::booking::lookup::link::BookingLinks;
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
