//! What the site writes to its buyers. A mail is put into the outbox, the table `mails`, in the transaction
//! that it speaks of: a booking has its confirmation, or neither is there. Nobody waits for it: it is sent
//! afterwards.
//!
//! A kind of mail is a variant of [`Kind`]; what it needs to know beyond its booking is in its payload.

pub mod store;

/// What a mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The tickets are yours. Written by the desk with each booking, and once.
    Confirmation,
}

impl Kind {
    /// Its name in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmation => "confirmation",
        }
    }
}

/// A mail that is to be put into the outbox.
#[derive(Debug, Clone)]
pub struct NewMail {
    pub kind: Kind,
    /// The booking that it is about: there is at most one mail of a kind for each.
    pub booking_id: Option<i64>,
    /// An address; `None`: the booking's buyer.
    pub recipient: Option<String>,
    /// What the kind needs to know when the mail is written, in a form of its own.
    pub payload: Option<String>,
}
