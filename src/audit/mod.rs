//! The audit log: what organizers and operators did, and what buyers took back, when, and from where. An entry is
//! written in the transaction that does what it records, so neither exists without the other. Triggers in the schema
//! refuse to change or delete entries.
//!
//! Each entry is also a line of the program's log, which is kept elsewhere: the owner of the database can
//! drop the triggers, and would have to change the other log as well. The line names the actor, but neither the
//! subject nor the address, so that the program's log holds no data about buyers.
//!
//! The page that shows the log does not belong here: see `admin::audit_log`.

pub mod store;

use chrono::NaiveDateTime;

/// The target of these lines in the program's log. `RUST_LOG` can keep them apart from the others.
pub const LOG_TARGET: &str = "techkraft::audit";

/// What is recorded. The database holds the texts of [`Action::as_str`], so they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    AccountMade,
    /// An account was offered to somebody, by a link.
    Invited,
    InvitationWithdrawn,
    InvitationAccepted,
    PasswordLinkSent,
    /// Of an account.
    RoleChanged,
    AccountRemoved,
    SignedIn,
    /// A wrong username or password. Only checked attempts are recorded, so that a flood, which is refused before
    /// the check, does not fill the log.
    SignInFailed,
    /// The password was right, but it is a first password that has expired: they are valid for one day.
    FirstPasswordOver,
    SignedOut,
    SessionEnded,
    SignedOutEverywhere,
    PasswordChanged,
    /// A wrong password of an organizer who is signed in and was asked for it again.
    PasswordRefused,
    SecondFactorSet,
    SecondFactorTurnedOff,
    /// By an owner or from the command line, for another account.
    SecondFactorReset,
    SecondFactorRequired,
    SecondFactorOptional,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    /// A wrong code after the right password.
    CodeRefused,
    BookingsExported,
    /// All movements of a concert's money.
    PaymentsExported,
    BookingCanceled,
    /// A booking or some of its tickets, by the holder of its link.
    CanceledByBuyer,
    /// By the buyer, a moment after it was made with one click.
    BookingUndone,
    /// The name or the email address of a booking.
    BuyerCorrected,
    /// A ticket that was admitted by mistake is valid again.
    AdmissionRevoked,
    /// A gate's link was made, or revoked.
    GateOpened,
    GateClosed,
    /// A ticket was let in without its code, or on another day.
    AdmittedByHand,
    MailQueuedAgain,
    FailedMailsQueuedAgain,
    /// The cancellation deadline, the ticket limit for each person, or who answers for the concert.
    TermsChanged,
    /// The box office's name, address or contact.
    BoxOfficeChanged,
    EventCreated,
    EventChanged,
    EventPublished,
    /// It is a draft again.
    EventWithdrawn,
    EventPostponed,
    EventCanceled,
    EventArchived,
    EventRestored,
    /// Of a whole concert or of a ticket type.
    SalePaused,
    SaleResumed,
    /// A message to the holders of a concert's tickets.
    HoldersMailed,
    /// How a concert's waiting room is set, or how its line moves.
    WaitingRoomChanged,
    RehearsalStarted,
    TicketTypeAdded,
    TicketTypeChanged,
    /// A token of the API was made, or revoked.
    TokenMade,
    TokenRevoked,
    /// Money was given back by hand, while the tickets stay valid.
    MoneyRefunded,
    Reseeded,
}

impl Action {
    pub const ALL: [Self; 56] = [
        Self::AccountMade,
        Self::Invited,
        Self::InvitationWithdrawn,
        Self::InvitationAccepted,
        Self::PasswordLinkSent,
        Self::RoleChanged,
        Self::AccountRemoved,
        Self::SignedIn,
        Self::SignInFailed,
        Self::FirstPasswordOver,
        Self::SignedOut,
        Self::SessionEnded,
        Self::SignedOutEverywhere,
        Self::PasswordChanged,
        Self::PasswordRefused,
        Self::SecondFactorSet,
        Self::SecondFactorTurnedOff,
        Self::SecondFactorReset,
        Self::SecondFactorRequired,
        Self::SecondFactorOptional,
        Self::RecoveryCodesMade,
        Self::RecoveryCodeUsed,
        Self::CodeRefused,
        Self::BookingsExported,
        Self::PaymentsExported,
        Self::BookingCanceled,
        Self::CanceledByBuyer,
        Self::BookingUndone,
        Self::BuyerCorrected,
        Self::AdmissionRevoked,
        Self::GateOpened,
        Self::GateClosed,
        Self::AdmittedByHand,
        Self::MailQueuedAgain,
        Self::FailedMailsQueuedAgain,
        Self::TermsChanged,
        Self::BoxOfficeChanged,
        Self::EventCreated,
        Self::EventChanged,
        Self::EventPublished,
        Self::EventWithdrawn,
        Self::EventPostponed,
        Self::EventCanceled,
        Self::EventArchived,
        Self::EventRestored,
        Self::SalePaused,
        Self::SaleResumed,
        Self::HoldersMailed,
        Self::WaitingRoomChanged,
        Self::RehearsalStarted,
        Self::TicketTypeAdded,
        Self::TicketTypeChanged,
        Self::TokenMade,
        Self::TokenRevoked,
        Self::MoneyRefunded,
        Self::Reseeded,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccountMade => "account made",
            Self::Invited => "invited",
            Self::InvitationWithdrawn => "invitation withdrawn",
            Self::InvitationAccepted => "invitation accepted",
            Self::PasswordLinkSent => "password link sent",
            Self::RoleChanged => "role changed",
            Self::AccountRemoved => "account removed",
            Self::SignedIn => "signed in",
            Self::SignInFailed => "sign-in failed",
            Self::FirstPasswordOver => "first password over",
            Self::SignedOut => "signed out",
            Self::SessionEnded => "session ended",
            Self::SignedOutEverywhere => "signed out everywhere",
            Self::PasswordChanged => "password changed",
            Self::PasswordRefused => "password refused",
            Self::SecondFactorSet => "second factor set up",
            Self::SecondFactorTurnedOff => "second factor turned off",
            Self::SecondFactorReset => "second factor reset",
            Self::SecondFactorRequired => "second factor required",
            Self::SecondFactorOptional => "second factor optional",
            Self::RecoveryCodesMade => "recovery codes made",
            Self::RecoveryCodeUsed => "recovery code used",
            Self::CodeRefused => "code refused",
            Self::BookingsExported => "bookings exported",
            Self::PaymentsExported => "payments exported",
            Self::BookingCanceled => "booking canceled",
            Self::CanceledByBuyer => "canceled by buyer",
            Self::BookingUndone => "booking undone",
            Self::BuyerCorrected => "buyer corrected",
            Self::AdmissionRevoked => "admission revoked",
            Self::GateOpened => "gate opened",
            Self::GateClosed => "gate closed",
            Self::AdmittedByHand => "admitted by hand",
            Self::MailQueuedAgain => "mail queued again",
            Self::FailedMailsQueuedAgain => "failed mails queued again",
            Self::TermsChanged => "terms changed",
            Self::BoxOfficeChanged => "box office changed",
            Self::EventCreated => "event created",
            Self::EventChanged => "event changed",
            Self::EventPublished => "event published",
            Self::EventWithdrawn => "event withdrawn",
            Self::EventPostponed => "event postponed",
            Self::EventCanceled => "event canceled",
            Self::EventArchived => "event archived",
            Self::EventRestored => "event restored",
            Self::SalePaused => "sale paused",
            Self::SaleResumed => "sale resumed",
            Self::HoldersMailed => "holders mailed",
            Self::WaitingRoomChanged => "waiting room changed",
            Self::RehearsalStarted => "rehearsal started",
            Self::TicketTypeAdded => "ticket type added",
            Self::TicketTypeChanged => "ticket type changed",
            Self::TokenMade => "API token made",
            Self::TokenRevoked => "API token revoked",
            Self::MoneyRefunded => "money refunded",
            Self::Reseeded => "reseeded",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// An account's username, or one of the names below.
    pub name: String,
    /// Empty when it did not come over a network.
    pub client_address: String,
}

impl Actor {
    /// Somebody with a shell on the server.
    #[must_use]
    pub fn command_line() -> Self {
        Self { name: "command line".into(), client_address: String::new() }
    }

    /// The server, at its first start.
    #[must_use]
    pub fn server() -> Self {
        Self { name: "server".into(), client_address: String::new() }
    }

    /// A buyer. The booking says who it is.
    #[must_use]
    pub fn buyer(client_address: String) -> Self {
        Self { name: "buyer".into(), client_address }
    }

    /// Somebody who typed a username without an account. The username is not recorded, because people type their
    /// password into the wrong field (OWASP Logging Cheat Sheet, "Data to exclude").
    #[must_use]
    pub fn unknown_account(client_address: String) -> Self {
        Self { name: "unknown account".into(), client_address }
    }
}

/// An entry of the log.
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
    /// What has changed, from what to what; it may be empty.
    pub details: String,
}

/// Entries on a page.
pub const PAGE_LENGTH: usize = 50;

/// Where a page of the log begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditCursor {
    Newest,
    /// With the next older entry.
    Before(i64),
    /// With the next newer entry.
    After(i64),
}

/// A page of the log, the newest entry first.
#[derive(Debug)]
pub struct AuditPage {
    pub entries: Vec<AuditEntry>,
    pub has_newer: bool,
    pub has_older: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_parsed_from_its_text() {
        for action in Action::ALL {
            assert_eq!(Action::parse(action.as_str()), Some(action));
        }
    }
}
