//! The mails that the site writes to its buyers and its team. A task in the background, the [`sender`], takes
//! what is due from the [outbox](crate::outbox), writes it ([`messages`]) and hands it to a [`transport`]: a
//! mail server or a folder. No request waits for a mail.
//!
//! A kind of mail is a variant of [`MailKind`](crate::outbox::MailKind), and how it is written is a module of its
//! own in [`messages`].
//!
//! What puts a mail into the outbox does not belong here: each feature queues its own mails, in the
//! transaction that they are about.

pub mod listing;
pub mod messages;
pub mod pages;
pub mod sender;
pub mod service;
pub mod store;
pub mod suppression;
pub mod transport;

use self::messages::holder_message::HolderMail;
use crate::booking::PlacedBooking;
use crate::outbox::Mail;

/// A mail to be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueMail {
    pub mail: Mail,
    pub sale: Option<PlacedBooking>,
    /// The recipient wants no mail: see [`suppression`].
    pub is_suppressed: bool,
    /// What the organizer has written. `None`: it is another kind of mail, or the text or its concert is
    /// gone.
    pub message: Option<HolderMail>,
}

impl DueMail {
    /// The address that it is sent to.
    #[must_use]
    pub fn recipient(&self) -> &str {
        let buyer = self.sale.as_ref().and_then(|sale| sale.booking.email());
        self.mail.recipient.as_deref().or(buyer).unwrap_or_default()
    }

    /// See [`Mail::message_id`].
    #[must_use]
    pub fn message_id(&self) -> String {
        self.mail.message_id(self.sale.as_ref().map(|sale| sale.booking.token.as_str()))
    }
}
