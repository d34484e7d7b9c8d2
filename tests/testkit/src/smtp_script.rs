//! Instructions of a test for its mail server, and the mails that the server has received.

use std::time::{Duration, Instant};

/// A step at which something can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    Greeting,
    Auth,
    Mail,
    Recipient,
    Data,
    /// After the whole mail was received.
    Body,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    Say(&'static str),
    /// A line in any encoding.
    Bytes(&'static [u8]),
    /// The usual answer, after a while.
    Late(Duration),
    /// The server says nothing until the client disconnects.
    Hang,
    HangUp,
}

/// A mail that the server has read to its end.
#[derive(Debug, Clone)]
pub struct Received {
    pub to: Vec<String>,
    pub bytes: Vec<u8>,
    /// The name with which the client introduced itself.
    pub hello: String,
    pub encrypted: bool,
    /// Whether the client was told that the mail was accepted.
    pub acknowledged: bool,
    pub at: Instant,
}
