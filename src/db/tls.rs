//! Whether a database URL asks for TLS, and whether this build has it.

use crate::db::DatabaseUrl;
use crate::start_error::StartError;

/// TLS to PostgreSQL is the cargo feature `postgres-tls`.
const HAS_TLS: bool = cfg!(feature = "postgres-tls");

/// Rejects a URL that asks for TLS in a build that lacks it. libpq would say so too, but only when it connects.
///
/// # Errors
/// One line that names the setting and says how to fix it.
pub fn check(setting: &str, url: &DatabaseUrl) -> Result<(), StartError> {
    match url {
        DatabaseUrl::Postgres(text) if !HAS_TLS && asks_for_tls(text) => {
            let wrong = "it asks for TLS (sslmode), and this build has no TLS to PostgreSQL";
            let hint = "build with `cargo build --release --features postgres-tls`, or set sslmode=disable";
            Err(StartError::setting(setting, &url.to_string(), wrong, hint))
        }
        _ => Ok(()),
    }
}

/// Whether libpq would refuse to connect without TLS. `prefer`, its default, and `allow` go on without.
fn asks_for_tls(url: &str) -> bool {
    let parameters: Vec<(&str, &str)> = url
        .split_once('?')
        .map(|(_, query)| query.split('&').filter_map(|pair| pair.split_once('=')).collect())
        .unwrap_or_default();
    let value = |wanted: &str| parameters.iter().rfind(|(name, _)| *name == wanted).map(|(_, value)| *value);
    match value("sslmode") {
        Some(mode) => matches!(mode, "require" | "verify-ca" | "verify-full"),
        // A URL that names an authority wants the server checked; `ssl=true` is JDBC's word for `require`.
        None => value("sslrootcert").is_some() || value("ssl") == Some("true"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_asks_for_tls_is_rejected_by_a_build_without_it() {
        for query in [
            "sslmode=require",
            "a=b&sslmode=verify-ca",
            "sslmode=verify-full",
            "sslrootcert=ca.crt",
            "ssl=true",
        ] {
            let url =
                DatabaseUrl::parse(&format!("postgres://ada:s3cret@db/tickets?{query}")).expect("valid");
            let checked = check("DATABASE_READ_URLS", &url).map_err(|error| error.to_string());
            if HAS_TLS {
                assert_eq!(checked, Ok(()), "{query}");
                continue;
            }
            let line = checked.expect_err(query);
            assert!(
                line.starts_with("DATABASE_READ_URLS=postgres://ada@db/tickets: it asks for TLS"),
                "{line}"
            );
            assert!(line.contains("--features postgres-tls") && line.lines().count() == 1, "{line}");
        }
    }

    #[test]
    fn other_urls_connect_without_tls() {
        for url in [
            "sqlite:sslmode=require.db",
            "postgres://db/tickets",
            "postgres://db/tickets?sslmode=prefer",
            "postgres://db/tickets?sslmode=allow&sslrootcert=ca.crt",
            "postgres://db/tickets?sslmode=disable",
        ] {
            let url = DatabaseUrl::parse(url).expect("valid");
            assert!(check("DATABASE_URL", &url).is_ok(), "{url}");
        }
    }
}
