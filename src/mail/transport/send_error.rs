//! Why a mail was not sent.

/// Why a mail was not accepted. The texts are for the organizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendError {
    /// This mail, permanently: the address does not exist, or the server rejects the content.
    Rejected(String),
    /// This mail, for now.
    TryLater(String),
    /// All mails, for now: the server does not answer, does not let us in, or takes no more from us.
    Unavailable(String),
}
