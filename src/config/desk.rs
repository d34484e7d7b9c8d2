//! The settings of the desk.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;

use super::{parse_bool, parse_number};
use crate::booking::desk::DeskLimits;
use crate::start_error::StartError;

#[derive(Debug, Args)]
pub(super) struct DeskSettings {
    /// Orders that may wait; the next one gets 503 with Retry-After
    #[arg(long, env = "DESK_QUEUE_LENGTH", global = true, default_value = "10000")]
    desk_queue_length: String,

    /// Most orders in one transaction
    #[arg(long, env = "DESK_BATCH_SIZE", global = true, default_value = "512")]
    desk_batch_size: String,

    /// Milliseconds after which a waiting order is given up with 503, and never booked
    #[arg(long, env = "DESK_DEADLINE_MS", global = true, default_value = "5000")]
    desk_deadline_ms: String,

    /// Answers orders without booking anything: what the benchmark compares the desk with. Loopback only
    #[arg(long, env = "DESK_PRETENDS", global = true, default_value = "false", hide = true)]
    desk_pretends: String,

    /// Books and writes no confirmations: what the benchmark compares the outbox with. Loopback only
    #[arg(long, env = "DESK_WITHOUT_MAIL", global = true, default_value = "false", hide = true)]
    desk_without_mail: String,
}

impl DeskSettings {
    pub(super) fn parse(&self) -> Result<DeskLimits, StartError> {
        let deadline_ms = parse_number("DESK_DEADLINE_MS", &self.desk_deadline_ms, 10, 60_000)?;
        Ok(DeskLimits {
            queue_length: parse_number("DESK_QUEUE_LENGTH", &self.desk_queue_length, 1, 1_000_000)?,
            batch_size: parse_number("DESK_BATCH_SIZE", &self.desk_batch_size, 1, 10_000)?,
            deadline: Duration::from_millis(deadline_ms),
        })
    }

    pub(super) fn pretends(&self, bind: SocketAddr) -> Result<bool, StartError> {
        parse_benchmark("DESK_PRETENDS", &self.desk_pretends, bind)
    }

    pub(super) fn without_mail(&self, bind: SocketAddr) -> Result<bool, StartError> {
        parse_benchmark("DESK_WITHOUT_MAIL", &self.desk_without_mail, bind)
    }
}

/// A switch for benchmarks, on a loopback address only.
fn parse_benchmark(setting: &str, value: &str, bind: SocketAddr) -> Result<bool, StartError> {
    let is_on = parse_bool(setting, value)?;
    if is_on && !bind.ip().is_loopback() {
        let hint = "leave it out: it is for benchmarks on 127.0.0.1";
        return Err(StartError::setting(setting, value, "buyers would get nothing", hint));
    }
    Ok(is_on)
}
