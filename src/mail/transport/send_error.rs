//! Why a mail was not sent.

/// Why a mail was not accepted. The texts are for the organizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendError {
    /// This mail, permanently: the address does not exist, or the server rejects the content.
    Rejected(String),
    /// This mail, for now.
    TryLater(String),
    /// Permanently, and the server does not say whether it is about this mail or about all.
    Doubtful(String),
    /// The server refuses this site, but only in its reply about this mail: other mails show whether that is
    /// so.
    Blocked(String),
    /// All mails, for now: the server does not answer, or does not let us in.
    Unavailable(String),
}
