//! The settings of operations: region, server name, ops port and draining.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;

use super::parse_number;
use crate::ops::{Identity, OperationsConfig};
use crate::start_error::StartError;

/// Time for a balancer's health check (every 1 to 2 s) and for each browser's next poll (every 5 s, ± 10 %).
const DRAIN_BEHIND_PROXY: Duration = Duration::from_secs(6);

#[derive(Debug, Args)]
pub(super) struct OperationsSettings {
    /// This server's region, such as eu-west, shown in responses, logs and metrics [default: none]
    #[arg(long, env = "REGION", global = true)]
    region: Option<String>,

    /// This server's name, shown in the same places [default: random]
    #[arg(long, env = "SERVER_ID", global = true)]
    server_id: Option<String>,

    /// Address and port for /healthz, /readyz and /metrics, on a private network [default: the site's own port,
    /// /metrics only while nothing but this machine can reach it]
    #[arg(long, env = "OPS_BIND", global = true)]
    ops_bind: Option<String>,

    /// Seconds to go on accepting connections after the stop signal, while /readyz says DRAINING [default: 6 behind
    /// TRUSTED_PROXIES, otherwise 0]
    #[arg(long, env = "DRAIN_SECONDS", global = true)]
    drain_seconds: Option<String>,
}

impl OperationsSettings {
    pub(super) fn parse(
        &self,
        bind: SocketAddr,
        is_behind_proxy: bool,
        has_public_url: bool,
    ) -> Result<OperationsConfig, StartError> {
        Ok(OperationsConfig {
            identity: Identity {
                region: typed(self.region.as_deref()).map(parse_region).transpose()?,
                server: typed(self.server_id.as_deref()).map_or_else(|| Ok(server_id()), parse_server)?,
            },
            bind: typed(self.ops_bind.as_deref()).map(|value| parse_ops_bind(value, bind)).transpose()?,
            drain: match typed(self.drain_seconds.as_deref()) {
                Some(value) => Duration::from_secs(parse_number("DRAIN_SECONDS", value, 0, 600)?),
                None if is_behind_proxy => DRAIN_BEHIND_PROXY,
                None => Duration::ZERO,
            },
            // A proxy on the same machine would forward every request.
            is_private: bind.ip().is_loopback() && !is_behind_proxy && !has_public_url,
        })
    }
}

fn typed(value: Option<&str>) -> Option<&str> {
    value.filter(|value| !value.is_empty())
}

fn parse_region(value: &str) -> Result<String, StartError> {
    let is_good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if value.len() <= 32 && value.chars().all(is_good) {
        return Ok(value.to_owned());
    }
    let hint = "use up to 32 lowercase letters, digits and hyphens, as eu-west";
    Err(StartError::setting("REGION", value, "not a valid name", hint))
}

fn parse_server(value: &str) -> Result<String, StartError> {
    if value.len() <= 64 && value.chars().all(is_of_name) {
        return Ok(value.to_owned());
    }
    let hint = "use up to 64 letters, digits, dots, underscores and hyphens, as web-1";
    Err(StartError::setting("SERVER_ID", value, "not a valid name", hint))
}

fn parse_ops_bind(value: &str, bind: SocketAddr) -> Result<SocketAddr, StartError> {
    let wrong = |wrong: &str, hint: &str| StartError::setting("OPS_BIND", value, wrong, hint);
    let address: SocketAddr =
        value.parse().map_err(|_| wrong("not an address and port", "write it as 127.0.0.1:9100"))?;
    if address == bind && address.port() != 0 {
        return Err(wrong("the site uses that port", "choose another, or leave it out"));
    }
    Ok(address)
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-".contains(c)
}

/// Visitors read it, so it tells nothing about the machine. The log says at the start which process it is.
fn server_id() -> String {
    format!("{:08x}", rand::random::<u32>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(clap::Parser)]
    struct OperationsLine {
        #[command(flatten)]
        settings: OperationsSettings,
    }

    fn parse(arguments: &[&str], is_behind_proxy: bool) -> Result<OperationsConfig, StartError> {
        let line = <OperationsLine as clap::Parser>::parse_from([&["techkraft"], arguments].concat());
        let bind = "127.0.0.1:3000".parse().expect("an address");
        line.settings.parse(bind, is_behind_proxy, false)
    }

    fn drain(arguments: &[&str], is_behind_proxy: bool) -> Duration {
        let config = parse(arguments, is_behind_proxy).expect("valid");
        assert_eq!(config.is_private, !is_behind_proxy);
        assert!(config.identity.server.chars().all(is_of_name), "{}", config.identity);
        config.drain
    }

    #[test]
    fn behind_a_proxy_a_server_drains_and_at_a_terminal_it_stops_at_once() {
        assert_eq!(drain(&[], false), Duration::ZERO);
        assert_eq!(drain(&[], true), DRAIN_BEHIND_PROXY);
        assert_eq!(drain(&["--drain-seconds", "0"], true), Duration::ZERO);
        assert_eq!(drain(&["--drain-seconds", "30"], false), Duration::from_secs(30));
    }

    #[test]
    fn bad_names_and_ports_are_rejected() {
        for (argument, value, setting) in [
            ("--region", "EU West", "REGION"),
            ("--region", &"a".repeat(33), "REGION"),
            ("--server-id", "web 1", "SERVER_ID"),
            ("--ops-bind", "9100", "OPS_BIND"),
            ("--ops-bind", "127.0.0.1:3000", "OPS_BIND"),
            ("--drain-seconds", "601", "DRAIN_SECONDS"),
        ] {
            let message = parse(&[argument, value], false).expect_err(value).to_string();
            assert!(message.starts_with(&format!("{setting}={value}: ")), "{message}");
        }
        let config = parse(&["--region", "eu-west", "--server-id", "web-1"], false).expect("valid");
        assert_eq!(config.identity.to_string(), "eu-west/web-1");
    }
}
