//! Mails in the lists that the organizer sees.

use chrono::NaiveDateTime;

use crate::outbox::{Mail, MailKind, MailState};
use crate::venue_clock::VenueClock;

/// Which mails are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailFilter {
    All,
    In(MailState),
    /// About the booking with this id.
    Of(i64),
}

/// A row of a list of mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailLine {
    pub mail: Mail,
    pub recipient: String,
    /// Reference and token of the booking that it is about.
    pub booking: Option<(String, String)>,
    /// The clock that all times of the list use.
    pub clock: VenueClock,
}

impl MailLine {
    /// What the page calls its kind.
    #[must_use]
    pub fn kind_label(&self) -> &str {
        match self.kind() {
            Some(kind) => kind.label(),
            None => &self.mail.kind,
        }
    }

    #[must_use]
    pub fn is_confirmation(&self) -> bool {
        self.kind() == Some(MailKind::Confirmation)
    }

    fn kind(&self) -> Option<MailKind> {
        MailKind::parse(&self.mail.kind)
    }

    #[must_use]
    pub fn state(&self) -> Option<MailState> {
        MailState::parse(&self.mail.state)
    }

    /// Whether the organizer may resend it. An invitation that was sent is renewed on the team's page.
    #[must_use]
    pub fn can_be_resent(&self) -> bool {
        match self.state() {
            Some(MailState::Queued) => false,
            Some(MailState::Failed) => true,
            _ => self.kind() != Some(MailKind::Invitation),
        }
    }

    /// Whether it would still be sent after its booking was canceled. The kinds below would not: they speak
    /// of valid tickets.
    #[must_use]
    pub fn outlives_cancellation(&self) -> bool {
        !matches!(
            self.kind(),
            Some(
                MailKind::Confirmation
                    | MailKind::Return
                    | MailKind::Correction
                    | MailKind::EventChange
                    | MailKind::Message
                    | MailKind::Declined
            )
        )
    }

    /// "Nov 22, 1:05 PM CST": one clock for all mails of a list.
    #[must_use]
    pub fn local(&self, time: &NaiveDateTime) -> String {
        self.clock.short_zone(time)
    }
}

impl MailKind {
    /// What pages call it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Confirmation => "Confirmation",
            Self::BookingLink => "Booking link",
            Self::Cancellation => "Cancellation",
            Self::Return => "Partial return",
            Self::Correction => "New address",
            Self::EventChange => "Change of the concert",
            Self::AddressChange => "Notice to the old address",
            Self::Message => "Message",
            Self::Invitation => "Invitation",
            Self::Test => "Test",
            Self::LatePayment => "Late payment",
            Self::Refund => "Refund",
            Self::QueuePlace => "Place in a waiting room",
            Self::Declined => "Payment declined",
        }
    }
}

impl MailState {
    /// What pages call it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Queued => "Queued",
            Self::Sent => "Sent",
            Self::Failed => "Failed",
            Self::Dropped => "Skipped",
        }
    }
}
