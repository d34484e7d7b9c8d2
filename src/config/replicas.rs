//! The settings of read replicas.

use clap::Args;

use crate::db::{DatabaseUrl, ReplicaConfig, tls};
use crate::log_safe::without_password;
use crate::start_error::StartError;

/// Not `Debug`: the URLs hold passwords.
#[derive(Args)]
pub(super) struct ReplicaSettings {
    /// PostgreSQL standbys of DATABASE_URL to read from, separated by commas
    #[arg(long, env = "DATABASE_READ_URLS", global = true, hide_env_values = true)]
    database_read_urls: Option<String>,
}

impl ReplicaSettings {
    pub(super) fn parse(&self, primary: &DatabaseUrl, pool_size: u32) -> Result<ReplicaConfig, StartError> {
        let typed = self.database_read_urls.as_deref().unwrap_or_default();
        let urls = if typed.is_empty() { Vec::new() } else { parse_urls(typed, primary)? };
        Ok(ReplicaConfig { urls, pool_size })
    }
}

fn parse_urls(typed: &str, primary: &DatabaseUrl) -> Result<Vec<DatabaseUrl>, StartError> {
    let wrong = |value: &str, wrong: &str, hint: &str| {
        Err(StartError::setting("DATABASE_READ_URLS", &without_password(value), wrong, hint))
    };
    let mut urls = Vec::new();
    // A comma inside a password splits it: the first part is refused then, and no part is shown whole.
    for url in typed.split(',').map(str::trim) {
        match DatabaseUrl::parse_setting("DATABASE_READ_URLS", url) {
            Ok(parsed @ DatabaseUrl::Postgres(_)) if primary.file().is_none() => {
                tls::check("DATABASE_READ_URLS", &parsed)?;
                tls::warn_if_unverified("DATABASE_READ_URLS", &parsed);
                urls.push(parsed);
            }
            Ok(DatabaseUrl::Postgres(_)) => {
                let hint = "leave it out, or set DATABASE_URL to their primary";
                return wrong(url, "DATABASE_URL is an SQLite file, which has no replicas", hint);
            }
            Err(unreadable) if url.starts_with("postgres") => return Err(unreadable),
            _ => {
                let hint = "write each as postgres://USER:PASSWORD@HOST/NAME, separated by commas";
                return wrong(url, "not a PostgreSQL URL", hint);
            }
        }
    }
    Ok(urls)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(typed: &str, primary: &str) -> Result<ReplicaConfig, StartError> {
        let settings = ReplicaSettings { database_read_urls: Some(typed.into()) };
        settings.parse(&DatabaseUrl::parse(primary).expect("a URL"), 7)
    }

    #[test]
    fn several_replicas_are_several_urls() {
        let config = parse("postgres://a/x, postgresql://ada:s3cret@b/x", "postgres://c/x").expect("valid");
        let urls: Vec<String> = config.urls.iter().map(ToString::to_string).collect();
        assert_eq!(urls, ["postgres://a/x", "postgresql://ada@b/x"]);
        assert_eq!(config.pool_size, 7);
        assert!(parse("", "sqlite:tickets.db").expect("valid").urls.is_empty());
    }

    #[test]
    fn other_urls_are_rejected_without_showing_a_password() {
        for (typed, primary, shown) in [
            ("postgres://ada:s3cret@b/x", "sqlite:tickets.db", "postgres://ada@b/x: DATABASE_URL"),
            ("postgres://a/x,sqlite:b.db", "postgres://c/x", "sqlite:b.db: not"),
            ("postgres://a/x,", "postgres://c/x", "=: not"),
            ("mysql://ada:s3cret@b/x", "postgres://c/x", "mysql://ada@b/x: not"),
            ("postgres://ada:a,s3cret@b/x", "postgres://c/x", "postgres://…: not"),
        ] {
            let message = parse(typed, primary).expect_err(typed).to_string();
            assert!(message.starts_with("DATABASE_READ_URLS=") && message.contains(shown), "{message}");
            assert!(!message.contains("s3cret") && message.lines().count() == 1, "{message}");
        }
    }
}
