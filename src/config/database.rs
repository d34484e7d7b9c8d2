//! The settings of the database.

use clap::Args;

use super::parse_number;
use crate::db::{DatabaseUrl, tls};
use crate::start_error::StartError;

const POOL_SIZE_MAX: u32 = 1000;

/// Not `Debug`: the URL holds a password.
#[derive(Args)]
pub(super) struct DatabaseSettings {
    /// sqlite:PATH, or postgres://USER:PASSWORD@HOST/NAME?sslmode=verify-full for PostgreSQL 14 or later
    #[arg(
        long,
        env = "DATABASE_URL",
        global = true,
        default_value = "sqlite:techkraft.db",
        hide_env_values = true
    )]
    database_url: String,

    /// Most database connections held at once [default: 50 on PostgreSQL, 8 on SQLite]
    #[arg(long, env = "DATABASE_POOL_SIZE", global = true)]
    database_pool_size: Option<String>,
}

impl DatabaseSettings {
    pub(super) fn parse_url(&self) -> Result<DatabaseUrl, StartError> {
        let url = DatabaseUrl::parse(&self.database_url)?;
        tls::check("DATABASE_URL", &url)?;
        tls::warn_if_unverified("DATABASE_URL", &url);
        Ok(url)
    }

    pub(super) fn parse_pool_size(&self, url: &DatabaseUrl) -> Result<u32, StartError> {
        match self.database_pool_size.as_deref().filter(|value| !value.is_empty()) {
            Some(value) => parse_number("DATABASE_POOL_SIZE", value, 1, POOL_SIZE_MAX),
            None if url.file().is_some() => Ok(8),
            None => Ok(50),
        }
    }
}
