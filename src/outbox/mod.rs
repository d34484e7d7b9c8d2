//! The outbox: what is to be sent. A mail is put into the table `mails` in the transaction that it is about:
//! either a booking and its confirmation are there, or neither is. The confirmations of bookings that were made
//! together are one row of `confirmation_batches` until the sender lists them.
//!
//! A mail is never lost: a sender takes it for the time of a lease, and when the lease runs out without a
//! result, the mail is due again. So it may be sent twice when a server dies in between; both copies have the
//! same Message-ID, by which mail programs recognize duplicates.
//!
//! What a mail says and how it is sent do not belong here: see `mail`. This module imports no feature of the
//! shop.

pub mod store;
pub mod wakeup;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::schema::mails;

/// What a mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailKind {
    /// The tickets. Queued once for each booking, when it is confirmed.
    Confirmation,
    /// A link to all bookings of the recipient.
    BookingLink,
    /// A booking was canceled.
    Cancellation,
    /// Some tickets of a booking were given back. Its payload: their seats.
    Return,
    /// The tickets again, to the new address of a booking's buyer.
    Correction,
    /// The concert takes place at another time or place. Its payload says how it was.
    EventChange,
    /// To the old address of a booking that has a new one. Its payload: the new address, masked.
    AddressChange,
    /// What the organizer has written to holders. Its payload: which message it is.
    Message,
    /// To somebody who may make an account. Its payload: what it says, sealed.
    Invitation,
    /// To an owner who wants to see whether mails arrive.
    Test,
    /// A payment came when its tickets were gone, and goes back. Its payload: how much.
    LatePayment,
    /// An amount goes back, by the organizer or on the provider's pages. Its payload: how much, and why.
    Refund,
    /// A place in a waiting room. Its payload: which one.
    QueuePlace,
    /// A bank has declined, and the tickets are still held. Its payload: until when.
    Declined,
}

impl MailKind {
    pub const ALL: [Self; 14] = [
        Self::Confirmation,
        Self::BookingLink,
        Self::Cancellation,
        Self::Return,
        Self::Correction,
        Self::EventChange,
        Self::AddressChange,
        Self::Message,
        Self::Invitation,
        Self::Test,
        Self::LatePayment,
        Self::Refund,
        Self::QueuePlace,
        Self::Declined,
    ];

    /// Its name in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmation => "confirmation",
            Self::BookingLink => "booking link",
            Self::Cancellation => "cancellation",
            Self::Return => "return",
            Self::Correction => "correction",
            Self::EventChange => "event change",
            Self::AddressChange => "address change",
            Self::Message => "message",
            Self::Invitation => "invitation",
            Self::Test => "test",
            Self::LatePayment => "late payment",
            Self::Refund => "refund",
            Self::QueuePlace => "queue place",
            Self::Declined => "payment declined",
        }
    }

    /// `None`: a kind of a newer release.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// The state of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailState {
    /// To be sent or being sent, for the first time or again.
    Queued,
    /// Accepted by the mail server, or written into the folder.
    Sent,
    /// Rejected permanently, or not accepted for too long. The organizer can resend it.
    Failed,
    /// Not sent: what it says was no longer true, the address wants no mail, or its buyer was simulated.
    Dropped,
}

impl MailState {
    pub const ALL: [Self; 4] = [Self::Queued, Self::Sent, Self::Failed, Self::Dropped];

    /// Its name in the database and in URLs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// A mail to be queued.
#[derive(Debug, Clone)]
pub struct NewMail {
    pub kind: MailKind,
    /// The booking that it is about.
    pub booking_id: Option<i64>,
    /// There is at most one mail with a key. `None`: it may be sent any number of times.
    pub dedupe_key: Option<String>,
    /// An address; `None`: the booking's buyer.
    pub recipient: Option<String>,
    /// What its kind needs to know besides the booking.
    pub payload: Option<String>,
}

/// A mail in the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = mails)]
pub struct Mail {
    pub id: i64,
    pub booking_id: Option<i64>,
    /// When it was queued, for the first time or again. UTC.
    pub queued_at: NaiveDateTime,
    /// When it may be tried next; during an attempt, when its lease ends. UTC.
    pub due_at: NaiveDateTime,
    pub sent_at: Option<NaiveDateTime>,
    /// Attempts since it was queued, including the running one.
    pub attempts: i32,
    pub kind: String,
    pub state: String,
    /// An address; `None`: the booking's buyer.
    pub recipient: Option<String>,
    pub payload: Option<String>,
    pub last_error: Option<String>,
}

impl Mail {
    /// The part of its Message-ID before the @: the same for each attempt, and a new one when the organizer resends
    /// the mail. It reveals neither the number of mails nor the buyer.
    #[must_use]
    pub fn message_id(&self, booking_token: Option<&str>) -> String {
        let whose = booking_token.or(self.payload.as_deref());
        let text = [
            self.kind.as_str(),
            &self.id.to_string(),
            &self.queued_at.and_utc().timestamp_micros().to_string(),
            whose.unwrap_or_default(),
            self.recipient.as_deref().unwrap_or_default(),
        ];
        let digest = Sha256::digest(text.join("\n"));
        hex::encode(&digest[..16])
    }
}

/// The result of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptResult {
    pub id: i64,
    /// What the sender set `due_at` to. When it has changed, another sender has taken the mail.
    pub lease: NaiveDateTime,
    pub outcome: AttemptOutcome,
}

/// What becomes of a mail after an attempt. The texts are reasons, for the organizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptOutcome {
    Sent,
    /// Not to be sent at all.
    Dropped(String),
    /// Permanently.
    Failed(String),
    /// To be tried again at that time.
    Again(NaiveDateTime, String),
    /// Taken and given back without an attempt.
    Released,
}

/// The counts of unsent mails, and since when (UTC) the oldest one waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    pub waiting: UnsentCounts,
    pub oldest: Option<NaiveDateTime>,
}

/// The counts of unsent mails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnsentCounts {
    pub queued: i64,
    pub failed: i64,
    /// Confirmations in batches that the sender has not listed yet.
    pub unlisted: i64,
}

impl UnsentCounts {
    /// All that will be sent.
    #[must_use]
    pub fn unsent(&self) -> i64 {
        self.queued + self.unlisted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_id_stays_the_same_until_the_mail_is_resent() {
        let mail = Mail {
            id: 7,
            booking_id: None,
            queued_at: NaiveDateTime::default(),
            due_at: NaiveDateTime::default(),
            sent_at: None,
            attempts: 0,
            kind: "confirmation".into(),
            state: "queued".into(),
            recipient: Some("ada@example.org".into()),
            payload: Some("secret".into()),
            last_error: None,
        };
        let later = chrono::TimeDelta::seconds(1);
        let tried = Mail { attempts: 3, due_at: mail.due_at + later, ..mail.clone() };
        assert_eq!(mail.message_id(None), tried.message_id(None));
        assert_eq!(mail.message_id(None).len(), 32);
        for other in [
            Mail { id: 8, ..mail.clone() },
            Mail { queued_at: mail.queued_at + later, ..mail.clone() },
            Mail { payload: Some("other".into()), ..mail.clone() },
        ] {
            assert_ne!(mail.message_id(None), other.message_id(None));
        }
    }
}
