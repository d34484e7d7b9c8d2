//! The settings of the desk.

use std::time::Duration;

use clap::Args;

use super::parse_number;
use crate::booking::desk::{BATCH_SIZE, DeskLimits};
use crate::start_error::StartError;

#[derive(Debug, Args)]
pub(super) struct DeskSettings {
    /// Orders that may wait; the next one gets 503 with Retry-After
    #[arg(long, env = "DESK_QUEUE_LENGTH", global = true, default_value = "10000")]
    desk_queue_length: String,

    /// Milliseconds after which a waiting order is given up with 503, and never booked
    #[arg(long, env = "DESK_DEADLINE_MS", global = true, default_value = "5000")]
    desk_deadline_ms: String,
}

impl DeskSettings {
    pub(super) fn parse(&self) -> Result<DeskLimits, StartError> {
        let deadline_ms = parse_number("DESK_DEADLINE_MS", &self.desk_deadline_ms, 10, 60_000)?;
        Ok(DeskLimits {
            queue_length: parse_number("DESK_QUEUE_LENGTH", &self.desk_queue_length, 1, 1_000_000)?,
            batch_size: BATCH_SIZE,
            deadline: Duration::from_millis(deadline_ms),
        })
    }
}
