//! Writes mails: each public module renders one message, and [`seal`] encodes it as the bytes to be sent.
//!
//! What was sent and when does not belong here: see `outbox`.

pub mod address_change;
pub mod booking_link;
pub mod cancellation;
pub mod confirmation;
pub mod declined;
pub mod digest;
mod envelope;
pub mod event_change;
pub mod holder_message;
pub mod invitation;
pub mod late_payment;
mod message;
pub mod partial_return;
pub mod queue_place;
pub mod refund;
pub mod test_mail;

use lettre::message::Mailbox;
use url::{Host, Url};

use self::confirmation::Occasion;
pub use self::envelope::{Envelope, seal};
pub use self::message::{ComposeError, Message, MessageContext};
use super::DueMail;
use crate::outbox::MailKind;

/// Writes the message of a mail.
pub fn write(due: &DueMail, context: &MessageContext) -> Result<Message, ComposeError> {
    let missing = |what: &str| ComposeError::Failed(format!("this mail has no {what}"));
    let sale = || due.sale.as_ref().ok_or_else(|| missing("booking"));
    match MailKind::parse(&due.mail.kind) {
        Some(MailKind::Confirmation) => {
            confirmation::write(sale()?, Occasion::Booking, &due.message_id(), context)
        }
        Some(MailKind::Correction) => {
            confirmation::write(sale()?, Occasion::Correction, &due.message_id(), context)
        }
        Some(MailKind::Cancellation) => cancellation::write(sale()?, context),
        Some(MailKind::Return) => partial_return::write(sale()?, &due.mail, context),
        Some(MailKind::EventChange) => event_change::write(sale()?, &due.mail, context),
        Some(MailKind::AddressChange) => address_change::write(sale()?, &due.mail, context),
        Some(MailKind::Message) => {
            let message = due.message.as_ref().ok_or_else(|| missing("message"))?;
            holder_message::write(message, due.sale.as_ref(), due.recipient(), context)
        }
        Some(MailKind::LatePayment) => late_payment::write(sale()?, &due.mail, context),
        Some(MailKind::Refund) => refund::write(sale()?, &due.mail, context),
        Some(MailKind::Declined) => declined::write(sale()?, &due.mail, context),
        Some(MailKind::Invitation) => invitation::write(&due.mail, context),
        Some(MailKind::QueuePlace) => queue_place::write(&due.mail, context),
        Some(MailKind::Test) => test_mail::write(context),
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
