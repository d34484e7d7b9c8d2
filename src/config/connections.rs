//! The settings of the way in.

use std::time::Duration;

use clap::Args;

use super::{parse_bool, parse_number};
use crate::connections::ConnectionLimits;
use crate::start_error::StartError;

#[derive(Debug, Args)]
pub struct ConnectionSettings {
    /// Most connections held at once; lowered to what the system's limit of open files has room for
    #[arg(long, env = "MAX_CONNECTIONS", global = true, default_value = "50000")]
    max_connections: String,

    /// Connections that may wait to be accepted; the system may allow fewer
    #[arg(long, env = "LISTEN_BACKLOG", global = true, default_value = "4096")]
    listen_backlog: String,

    /// Whether several servers may share the port (SO_REUSEPORT): true or false
    #[arg(long, env = "REUSE_PORT", global = true, default_value = "false")]
    reuse_port: String,

    /// Threads that serve [default: one for each core]
    #[arg(long, env = "WORKERS", global = true)]
    workers: Option<String>,

    /// Seconds that an idle connection is kept
    #[arg(long, env = "KEEP_ALIVE_SECONDS", global = true, default_value = "75")]
    keep_alive_seconds: String,

    /// Seconds that a request may take from its first byte to its answer; slower clients are cut off
    #[arg(long, env = "REQUEST_TIMEOUT_SECONDS", global = true, default_value = "30")]
    request_timeout_seconds: String,
}

impl ConnectionSettings {
    /// Checks what was typed. `desk_deadline` is the longest that a request waits for its turn.
    pub(super) fn parse(&self, desk_deadline: Duration) -> Result<ConnectionLimits, StartError> {
        let workers = self.workers.as_deref().filter(|value| !value.is_empty());
        let request_timeout = parse_number("REQUEST_TIMEOUT_SECONDS", &self.request_timeout_seconds, 1, 600)?;
        let request_timeout = Duration::from_secs(request_timeout);
        if request_timeout <= desk_deadline {
            return Err(StartError::setting(
                "REQUEST_TIMEOUT_SECONDS",
                &self.request_timeout_seconds,
                "an order may wait longer than that for its turn",
                "make it longer than DESK_DEADLINE_MS",
            ));
        }
        Ok(ConnectionLimits {
            connections: parse_number("MAX_CONNECTIONS", &self.max_connections, 1, 10_000_000)?,
            backlog: parse_number("LISTEN_BACKLOG", &self.listen_backlog, 1, 1_000_000)?,
            reuse_port: parse_bool("REUSE_PORT", &self.reuse_port)?,
            workers: workers.map(|value| parse_number("WORKERS", value, 1, 512)).transpose()?,
            keep_alive: Duration::from_secs(parse_number(
                "KEEP_ALIVE_SECONDS",
                &self.keep_alive_seconds,
                1,
                3600,
            )?),
            request_timeout,
        })
    }
}
