//! The setting of Redis.

use clap::Args;

use crate::redis_url::RedisUrl;
use crate::start_error::StartError;

/// Not `Debug`: the URL holds a password.
#[derive(Args)]
pub(super) struct RedisSettings {
    /// rediss://:PASSWORD@HOST (TLS) or redis://, for several servers: they share availability at once, only one of
    /// them reads it from the database, and they count rate limits together [default: none]
    #[arg(long, env = "REDIS_URL", global = true, hide_env_values = true)]
    redis_url: Option<String>,
}

impl RedisSettings {
    pub(super) fn parse(&self) -> Result<Option<RedisUrl>, StartError> {
        let url = self.redis_url.as_deref().filter(|url| !url.is_empty()).map(RedisUrl::parse).transpose()?;
        Ok(url.inspect(RedisUrl::warn_if_plain))
    }
}
