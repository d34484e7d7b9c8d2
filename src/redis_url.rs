//! The setting `REDIS_URL`: reads it, and warns if it has no TLS.

use std::fmt;
use std::net::IpAddr;

use redis::ConnectionAddr;

use crate::log_safe::{ENCODE, has_open_sign, without_password};
use crate::start_error::StartError;

/// Where the servers of a site share their board and their rate limits. Nothing that is printed holds the password.
#[derive(Clone)]
pub struct RedisUrl(redis::Client);

impl RedisUrl {
    /// Reads the URL. Connects to nothing: a Redis that is down is no reason not to start.
    ///
    /// # Errors
    /// One line that says how such a URL is written.
    pub fn parse(value: &str) -> Result<Self, StartError> {
        let wrong =
            |what: &str, hint: &str| StartError::setting("REDIS_URL", &without_password(value), what, hint);
        let hint = "use rediss://:PASSWORD@HOST:6379 (or redis:// without TLS), or leave it out";
        if !value.starts_with("rediss://") && !value.starts_with("redis://") {
            return Err(wrong("unknown scheme", hint));
        }
        if has_open_sign(value) {
            return Err(wrong("not a Redis URL", ENCODE));
        }
        // "#insecure" asks for a connection that accepts any certificate.
        if value.contains('#') {
            return Err(wrong("nothing may follow a #", hint));
        }
        redis::Client::open(value).map(Self).map_err(|_| wrong("not a Redis URL", hint))
    }

    /// Logs a warning if connections leave this machine without TLS: the messages of the servers are signed,
    /// but anybody on the way can read the password.
    pub fn warn_if_plain(&self) {
        if let ConnectionAddr::Tcp(host, port) = self.0.get_connection_info().addr()
            && !is_this_machine(host)
        {
            log::warn!(
                "REDIS_URL leads to {host}:{port} without TLS: anybody on the way can read its password; \
                 use rediss://"
            );
        }
    }

    /// A client, which opens connections there.
    #[must_use]
    pub fn client(&self) -> redis::Client {
        self.0.clone()
    }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisUrl({})", self.0.get_connection_info().addr())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_of_this_machine_are_this_machine() {
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.0.0.2", "::1", "[::1]"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["", "cache.example.org", "10.0.0.1", "localhost.example.org", "fd00::1"] {
            assert!(!is_this_machine(host), "{host}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_and_a_password_never() {
        for (value, says) in [
            ("rediss://:s3cret@cache.example.org/#insecure", "#"),
            ("rediss://:s3cret@cache.example.org/tickets", "not a Redis URL"),
            ("http://cache.example.org", "unknown scheme"),
            (":s3cret@cache.example.org:6379", "unknown scheme"),
            ("redis://:s3cret@cache.example.org:port", "not a Redis URL"),
            ("redis://:s3cret@cache.example.org/tickets", "not a Redis URL"),
            ("redis://:s3cret#s3cret@cache.example.org", "%23"),
            ("redis://:s3cret/s3cret@cache.example.org", "%2F"),
            ("redis://:s3cret?s3cret@cache.example.org", "%3F"),
            ("redis://ada:1/s3cret@cache.example.org", "%2F"),
            ("redis://ada:1#s3cret@cache.example.org", "%23"),
        ] {
            let message = RedisUrl::parse(value).expect_err(value).to_string();
            assert!(message.contains("REDIS_URL") && message.contains(says), "{message}");
            assert!(!message.contains("s3cret"), "{message}");
        }
        let url = RedisUrl::parse("redis://:s3cret@cache.example.org/2").expect("valid");
        assert_eq!(format!("{url:?}"), "RedisUrl(cache.example.org:6379)");
        let url = RedisUrl::parse("rediss://:s3cret@cache.example.org").expect("valid");
        assert_eq!(format!("{url:?}"), "RedisUrl(cache.example.org:6379)");
    }
}
