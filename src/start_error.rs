//! Why the program did not start, as one line for the person at the terminal.

use thiserror::Error;

/// Why the program did not start: one line for the person at the terminal.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct StartError(String);

impl StartError {
    #[must_use]
    pub fn new(message: String) -> Self {
        Self(message)
    }

    /// A setting that cannot be used: its name, its value, what is wrong with it, and how to fix it.
    #[must_use]
    pub fn setting(name: &str, value: &str, wrong: &str, hint: &str) -> Self {
        Self(format!("{name}={value}: {wrong}; {hint}"))
    }
}
