//! The audit log: what was done in the organizer's area, by whom, from where, and to how many. The schema
//! itself refuses to change or delete what stands in it, and whatever is done is written down in the
//! transaction that does it: there is no act without its entry, and no entry without its act.

pub mod store;

use chrono::NaiveDateTime;

/// What can be done. The texts are what the database holds: they are never renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    AccountMade,
    SignedIn,
    /// A name and a password that do not belong together. Only what came as far as the check is written
    /// down: a flood is refused before it, and fills no log.
    SignInFailed,
    SignedOut,
    SessionEnded,
    SignedOutEverywhere,
    PasswordChanged,
    /// The wrong password of somebody who is signed in and was asked again.
    PasswordRefused,
    BookingsExported,
    BookingCanceled,
    /// A ticket that was let in by mistake counts as outside again.
    AdmissionRevoked,
    MailQueuedAgain,
    FailedMailsQueuedAgain,
    /// Until when buyers may cancel, or how much one person may hold.
    TermsChanged,
    Reseeded,
}

impl Action {
    pub const ALL: [Self; 15] = [
        Self::AccountMade,
        Self::SignedIn,
        Self::SignInFailed,
        Self::SignedOut,
        Self::SessionEnded,
        Self::SignedOutEverywhere,
        Self::PasswordChanged,
        Self::PasswordRefused,
        Self::BookingsExported,
        Self::BookingCanceled,
        Self::AdmissionRevoked,
        Self::MailQueuedAgain,
        Self::FailedMailsQueuedAgain,
        Self::TermsChanged,
        Self::Reseeded,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccountMade => "account made",
            Self::SignedIn => "signed in",
            Self::SignInFailed => "sign-in failed",
            Self::SignedOut => "signed out",
            Self::SessionEnded => "session ended",
            Self::SignedOutEverywhere => "signed out everywhere",
            Self::PasswordChanged => "password changed",
            Self::PasswordRefused => "password refused",
            Self::BookingsExported => "bookings exported",
            Self::BookingCanceled => "booking canceled",
            Self::AdmissionRevoked => "admission revoked",
            Self::MailQueuedAgain => "mail queued again",
            Self::FailedMailsQueuedAgain => "failed mails queued again",
            Self::TermsChanged => "terms changed",
            Self::Reseeded => "reseeded",
        }
    }

    /// "Bookings exported"
    #[must_use]
    pub fn title(self) -> String {
        title(self.as_str())
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }

    /// Of what an entry counts how many it affected; `None` when it is about one thing anyway.
    fn counted(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::SignedOutEverywhere | Self::PasswordChanged => Some(("session ended", "sessions ended")),
            Self::BookingsExported => Some(("booking", "bookings")),
            Self::BookingCanceled => Some(("ticket back on sale", "tickets back on sale")),
            Self::FailedMailsQueuedAgain => Some(("mail", "mails")),
            Self::Reseeded => Some(("booking deleted", "bookings deleted")),
            _ => None,
        }
    }
}

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// An account, or what is none: see the constructors.
    pub name: String,
    /// Empty when it came over no network.
    pub client_address: String,
}

impl Actor {
    /// Whoever has a shell on the server.
    #[must_use]
    pub fn command_line() -> Self {
        Self { name: "command line".into(), client_address: String::new() }
    }

    /// The server by itself, at its first start.
    #[must_use]
    pub fn server() -> Self {
        Self { name: "server".into(), client_address: String::new() }
    }

    /// Somebody who gave a name that no account has. The name is not kept: people type their password into
    /// the wrong field (OWASP Logging Cheat Sheet, "Data to exclude").
    #[must_use]
    pub fn nobody(client_address: String) -> Self {
        Self { name: "unknown account".into(), client_address }
    }
}

/// A line of the log.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    pub id: i64,
    pub actor: String,
    pub action: String,
    pub subject: String,
    pub affected: i64,
    /// UTC.
    pub created_at: NaiveDateTime,
    pub client_address: String,
}

impl AuditEntry {
    /// "Bookings exported"
    #[must_use]
    pub fn title(&self) -> String {
        title(&self.action)
    }

    /// Whether somebody was kept out.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(Action::parse(&self.action), Some(Action::SignInFailed | Action::PasswordRefused))
    }

    /// "3 bookings deleted", where the action counts something.
    #[must_use]
    pub fn count(&self) -> Option<String> {
        let (one, many) = Action::parse(&self.action)?.counted()?;
        Some(format!("{} {}", self.affected, if self.affected == 1 { one } else { many }))
    }
}

fn title(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Entries on one page.
pub const PAGE_LENGTH: usize = 50;

/// Where a page of the log begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditCursor {
    Newest,
    /// With the newest entry that is older than this one.
    Before(i64),
    /// With what came right after this one.
    After(i64),
}

/// A page of the log, the newest entry first.
#[derive(Debug)]
pub struct AuditPage {
    pub lines: Vec<AuditEntry>,
    pub has_newer: bool,
    pub has_older: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_reads_as_a_sentence() {
        let mut entry = AuditEntry {
            id: 1,
            actor: "admin".into(),
            action: "reseeded".into(),
            subject: "Midnight Parade".into(),
            affected: 1,
            created_at: NaiveDateTime::default(),
            client_address: String::new(),
        };
        assert_eq!((entry.title(), entry.count()), ("Reseeded".into(), Some("1 booking deleted".into())));
        // What a later release has written is shown as it stands.
        entry.action = "moved".into();
        assert_eq!((entry.title(), entry.count()), ("Moved".into(), None));
    }

    #[test]
    fn every_action_is_found_by_its_text() {
        for action in Action::ALL {
            assert_eq!(Action::parse(action.as_str()), Some(action));
        }
    }
}
