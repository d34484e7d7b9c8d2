//! What a test tells its mail server, and what that has received.

use std::time::{Duration, Instant};

/// Where something can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    Greeting,
    Auth,
    Mail,
    Recipient,
    Data,
    /// The whole mail has come.
    Body,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    Say(&'static str),
    /// A line in any encoding.
    Bytes(&'static [u8]),
    /// Everything is well, after a while.
    Late(Duration),
    /// Not a word, until the client goes.
    Hang,
    HangUp,
}

/// A mail that the server has taken, or heard to its end.
#[derive(Debug, Clone)]
pub struct Received {
    pub to: Vec<String>,
    pub bytes: Vec<u8>,
    /// What the client calls itself.
    pub hello: String,
    pub encrypted: bool,
    /// Whether the client was told that it is taken.
    pub acknowledged: bool,
    pub at: Instant,
}
