//! The mails as the organizer reads them.

use chrono::NaiveDateTime;
use chrono_tz::Tz;

use crate::outbox::{Mail, MailKind, MailState};

/// MailFilter mails are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailFilter<'a> {
    All,
    In(MailState),
    /// Those of the booking with this reference.
    Of(&'a str),
}

/// A line of the list of mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailLine {
    pub mail: Mail,
    pub recipient: String,
    /// Reference and token of its booking.
    pub booking: Option<(String, String)>,
    /// The venue's zone, as the IANA database names it.
    pub time_zone: String,
}

impl MailLine {
    /// What it is about, for people.
    #[must_use]
    pub fn what(&self) -> &str {
        match MailKind::parse(&self.mail.kind) {
            Some(kind) => kind.label(),
            None => &self.mail.kind,
        }
    }

    #[must_use]
    pub fn is_confirmation(&self) -> bool {
        MailKind::parse(&self.mail.kind) == Some(MailKind::Confirmation)
    }

    #[must_use]
    pub fn state(&self) -> Option<MailState> {
        MailState::parse(&self.mail.state)
    }

    /// Whether the organizer may have it sent again.
    #[must_use]
    pub fn can_be_resent(&self) -> bool {
        self.state() != Some(MailState::Queued)
    }

    /// "Nov 22, 1:05 PM", on the venue's clock.
    #[must_use]
    pub fn local(&self, time: &NaiveDateTime) -> String {
        let zone = self.time_zone.parse().unwrap_or(Tz::UTC);
        time.and_utc().with_timezone(&zone).format("%b %-d, %-I:%M %p").to_string()
    }
}
