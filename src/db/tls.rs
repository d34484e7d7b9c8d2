//! Whether a database URL asks for TLS, whether this build has it, and whether the way to the database is safe.

use std::net::IpAddr;

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

/// Logs a warning if the database is on another machine and need not prove that it is the right one.
pub fn warn_if_unverified(setting: &str, url: &DatabaseUrl) {
    let DatabaseUrl::Postgres(text) = url else { return };
    let mode = parameter(text, "sslmode").map(str::to_owned).or_else(|| std::env::var("PGSSLMODE").ok());
    if mode.as_deref() != Some("verify-full") && is_remote(text) {
        let build = if HAS_TLS { "" } else { ", with a build that has the feature postgres-tls" };
        log::warn!(
            "{setting}={url}: anybody on the way can read and change what is sent there, and pose as the database; \
             set sslmode=verify-full and sslrootcert in the URL{build}"
        );
    }
}

/// Whether a host that a URL names is another machine. Without a name, and for a folder, libpq uses a socket.
fn is_remote(url: &str) -> bool {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    let named = authority.rsplit('@').next().unwrap_or_default();
    let hosts = [Some(named), parameter(url, "host"), parameter(url, "hostaddr")];
    hosts.into_iter().flatten().flat_map(|hosts| hosts.split(',')).any(|host| {
        let is_folder =
            host.starts_with('/') || host.get(..3).is_some_and(|it| it.eq_ignore_ascii_case("%2f"));
        let name = match host.strip_prefix('[') {
            Some(address) => address.split(']').next().unwrap_or_default(),
            None if host.matches(':').count() == 1 => host.split(':').next().unwrap_or_default(),
            None => host,
        };
        let is_loopback = name.parse().is_ok_and(|address: IpAddr| address.is_loopback());
        !(name.is_empty() || is_folder || is_loopback || name.eq_ignore_ascii_case("localhost"))
    })
}

/// The value of a parameter; libpq takes the last one.
fn parameter<'a>(url: &'a str, wanted: &str) -> Option<&'a str> {
    let pairs = url.split_once('?')?.1.split('&').filter_map(|pair| pair.split_once('='));
    pairs.rev().find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

/// Whether a URL insists on TLS. With `prefer`, libpq's default, and `allow` it connects without.
fn asks_for_tls(url: &str) -> bool {
    let value = |wanted| parameter(url, wanted);
    match value("sslmode") {
        Some(mode) => matches!(mode, "require" | "verify-ca" | "verify-full"),
        // A URL that names an authority expects the server to be verified; `ssl=true` is JDBC's form of `require`.
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
    fn hosts_elsewhere_are_remote() {
        for url in [
            "postgres://db1.example.org/x",
            "postgres://ada:s3cret@10.0.0.11:5432/x?sslmode=require",
            "postgres://ada@localhost,db2:5433/x",
            "postgres://[2001:db8::1]:5432/x",
            "postgres:///x?host=db1",
            "postgres://localhost/x?hostaddr=10.0.0.11",
            "postgres://db1?user=ada",
        ] {
            assert!(is_remote(url), "{url}");
        }
        for url in [
            "postgres:///x",
            "postgres://localhost/x",
            "postgres://ada:a@b@127.0.0.1:5432/x",
            "postgres://[::1]:5432/x",
            "postgres://%2Fvar%2Frun%2Fpostgresql/x",
            "postgres:///x?host=/var/run/postgresql",
            "postgres://LOCALHOST:5433,127.0.0.1/x",
        ] {
            assert!(!is_remote(url), "{url}");
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
