//! What a test tells its mail server to do, and what the server has received.

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
    /// The server says nothing until the client disconnects.
    Hang,
    HangUp,
}

/// A mail that the server has accepted, or read to its end.
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
