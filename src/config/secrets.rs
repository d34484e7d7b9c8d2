//! The settings of the secret and its predecessors.

use std::net::SocketAddr;

use clap::Args;

use crate::guard::secret::{SecretConfig, TOO_SHORT, weakness};
use crate::start_error::StartError;

/// Every secret is tried before a forged cookie is rejected.
const PREVIOUS_MAX: usize = 5;

/// Not `Debug`: nothing may print them by accident.
#[derive(Args)]
pub(super) struct SecretSettings {
    /// Signs cookies and forms, 32 characters or more; the same on every server [default: generated once, kept beside
    /// the SQLite file or in PostgreSQL]
    #[arg(long, env = "SECRET_KEY", global = true, hide_env_values = true)]
    secret_key: Option<String>,

    /// Earlier secrets, separated by commas: what they signed is still accepted [default: none]
    #[arg(long, env = "SECRET_KEY_PREVIOUS", global = true, hide_env_values = true)]
    secret_key_previous: Option<String>,
}

impl SecretSettings {
    /// A weak secret is accepted only if the site serves this machine alone.
    pub(super) fn parse(
        &self,
        bind: SocketAddr,
        public_url: Option<&str>,
    ) -> Result<SecretConfig, StartError> {
        let is_private = bind.ip().is_loopback() && public_url.is_none_or(is_loopback_url);
        let previous = self.secret_key_previous.as_deref().unwrap_or_default();
        let config = SecretConfig {
            current: self.secret_key.clone().filter(|secret| !secret.is_empty()),
            previous: previous
                .split(',')
                .map(str::trim)
                .filter(|it| !it.is_empty())
                .map(Into::into)
                .collect(),
        };
        if config.previous.len() > PREVIOUS_MAX {
            let hint = format!("keep at most the {PREVIOUS_MAX} latest");
            return Err(StartError::setting("SECRET_KEY_PREVIOUS", "(hidden)", "too many secrets", &hint));
        }
        if let Some(secret) = &config.current {
            check("SECRET_KEY", secret, is_private)?;
        }
        for secret in &config.previous {
            check("SECRET_KEY_PREVIOUS", secret, is_private)?;
        }
        Ok(config)
    }
}

/// A weak earlier secret is as bad as a weak current one: what it signs is accepted.
fn check(setting: &str, secret: &str, is_private: bool) -> Result<(), StartError> {
    let Some(weakness) = weakness(secret) else { return Ok(()) };
    if !is_private || weakness == TOO_SHORT {
        let hint = "use 32 random characters or more, such as `openssl rand -hex 32` prints";
        return Err(StartError::setting(setting, "(hidden)", weakness, hint));
    }
    log::warn!("{setting} is {weakness}: accepted on this machine, rejected on any other address");
    Ok(())
}

fn is_loopback_url(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, host)| host);
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "localhost" | "127.0.0.1" | "[::1]") || host == "[::1]"
}
