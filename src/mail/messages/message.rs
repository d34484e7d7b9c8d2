//! What a mail is made of before it is encoded.

use lettre::message::Mailbox;

use crate::auth::invitation::InvitationSeal;
use crate::booking::lookup::link::BookingLinks;
use crate::booking::{PlacedBooking, calendar};
use crate::mail::suppression::SuppressionLinks;
use crate::queue::place_token::PlaceLinks;
use crate::tickets::code::TicketCodes;

/// What all mails of this site need.
pub struct MessageContext {
    pub from: Mailbox,
    /// The site's address, without a slash at the end.
    pub public_url: String,
    pub ticket_codes: TicketCodes,
    pub booking_links: BookingLinks,
    pub invitations: InvitationSeal,
    pub suppression_links: SuppressionLinks,
    pub place_links: PlaceLinks,
}

impl MessageContext {
    /// The URL of the page that stops the mails to an address.
    #[must_use]
    pub fn stop_url(&self, email: &str) -> String {
        format!("{}{}", self.public_url, self.suppression_links.path(email))
    }
}

/// The parts of a mail, before it is encoded.
#[derive(Debug, Default)]
pub struct Message {
    pub to_name: Option<String>,
    /// Who reads replies: a name, which may be empty, and an address. `None`: nobody does.
    pub reply_to: Option<(String, String)>,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// Shown inside the HTML, as `cid:` and their Content-ID.
    pub pictures: Vec<InlineImage>,
    pub attachments: Vec<Attachment>,
}

/// A PNG image.
#[derive(Debug)]
pub struct InlineImage {
    /// Its Content-ID, without the angle brackets: no other mail has it (RFC 2392).
    pub content_id: String,
    pub file_name: String,
    pub png: Vec<u8>,
}

#[derive(Debug)]
pub struct Attachment {
    pub file_name: String,
    pub content_type: &'static str,
    pub content: String,
}

/// The calendar file of a booking.
pub fn calendar_file(sale: &PlacedBooking, context: &MessageContext) -> Attachment {
    let url = format!("{}/bookings/{}", context.public_url, sale.booking.token);
    let file = calendar::render(sale, &url, context.from.email.as_ref());
    Attachment {
        file_name: format!("{}.ics", sale.event.slug),
        content_type: file.method.content_type(),
        content: file.text,
    }
}

/// A message about a booking, to its buyer. Replies go to the organizer, where there is an address.
pub fn about(sale: &PlacedBooking) -> Message {
    let event = &sale.event;
    Message {
        to_name: Some(sale.booking.buyer_name.clone()),
        reply_to: event.organizer_email().map(|address| (event.organizer_name.clone(), address)),
        ..Message::default()
    }
}

/// Why no message was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ComposeError {
    /// What it says is no longer true.
    Dropped(String),
    /// It can never be written.
    Failed(String),
}
