//! The settings of polling.

use clap::Args;

use super::parse_number;
use crate::events::pace::PollSeconds;
use crate::start_error::StartError;

/// Below the keep-alive time, even with a tenth added, so that a browser keeps its connection.
const POLL_SECONDS_MAX: u32 = 60;

#[derive(Debug, Args)]
pub struct PollingSettings {
    /// Seconds between two polls of a browser
    #[arg(long, env = "POLL_SECONDS", global = true, default_value = "5")]
    poll_seconds: String,

    /// Seconds between two polls of a browser while the server is under load
    #[arg(long, env = "POLL_SECONDS_BUSY", global = true, default_value = "15")]
    poll_seconds_busy: String,
}

impl PollingSettings {
    pub fn parse(&self) -> Result<PollSeconds, StartError> {
        let usual = parse_number("POLL_SECONDS", &self.poll_seconds, 1, POLL_SECONDS_MAX)?;
        let busy = parse_number("POLL_SECONDS_BUSY", &self.poll_seconds_busy, 1, POLL_SECONDS_MAX)?;
        if busy < usual {
            let hint = format!("use a number from {usual} (POLL_SECONDS) to {POLL_SECONDS_MAX}");
            let wrong = "browsers would poll more often under load";
            return Err(StartError::setting("POLL_SECONDS_BUSY", &self.poll_seconds_busy, wrong, &hint));
        }
        Ok(PollSeconds { usual, busy })
    }
}
