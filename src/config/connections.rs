//! The settings of the listening socket and its connections.

use std::time::Duration;

use clap::Args;

use super::{parse_bool, parse_number};
use crate::connections::{self, ConnectionLimits};
use crate::start_error::StartError;

#[derive(Debug, Args)]
pub struct ConnectionSettings {
    /// Let several servers listen on the same port (SO_REUSEPORT): true or false
    #[arg(long, env = "REUSE_PORT", global = true, default_value = "false")]
    reuse_port: String,

    /// Worker threads [default: one for each core]
    #[arg(long, env = "WORKERS", global = true)]
    workers: Option<String>,

    /// Seconds from a request's first byte to its response; slower clients are disconnected
    #[arg(long, env = "REQUEST_TIMEOUT_SECONDS", global = true, default_value = "30")]
    request_timeout_seconds: String,
}

impl ConnectionSettings {
    /// Checks what was typed. `desk_deadline`: the longest that an order waits.
    pub(super) fn parse(&self, desk_deadline: Duration) -> Result<ConnectionLimits, StartError> {
        let workers = self.workers.as_deref().filter(|value| !value.is_empty());
        let request_timeout = parse_number("REQUEST_TIMEOUT_SECONDS", &self.request_timeout_seconds, 1, 600)?;
        let request_timeout = Duration::from_secs(request_timeout);
        if request_timeout <= desk_deadline {
            return Err(StartError::setting(
                "REQUEST_TIMEOUT_SECONDS",
                &self.request_timeout_seconds,
                "an order may wait longer than that",
                "make it longer than DESK_DEADLINE_MS",
            ));
        }
        Ok(ConnectionLimits {
            connections: connections::CONNECTIONS_MAX,
            reuse_port: parse_bool("REUSE_PORT", &self.reuse_port)?,
            workers: workers.map(|value| parse_number("WORKERS", value, 1, 512)).transpose()?,
            keep_alive: connections::KEEP_ALIVE,
            request_timeout,
        })
    }
}
