//! Which database, by the scheme of its URL.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::log_safe::{ENCODE, has_open_sign, is_host, without_password};
use crate::start_error::StartError;

/// Where the data is. Its `Display` hides the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    Sqlite(PathBuf),
    Postgres(String),
}

impl DatabaseUrl {
    /// Reads the URL; the scheme chooses the database.
    ///
    /// # Errors
    /// One line that says how such a URL is written.
    pub fn parse(value: &str) -> Result<Self, StartError> {
        Self::parse_setting("DATABASE_URL", value)
    }

    /// The same for a setting with another name.
    ///
    /// # Errors
    /// As [`DatabaseUrl::parse`].
    pub fn parse_setting(name: &str, value: &str) -> Result<Self, StartError> {
        if let Some(rest) = value.strip_prefix("postgres://").or_else(|| value.strip_prefix("postgresql://"))
        {
            if has_open_sign(value) || !is_readable(rest) {
                let wrong = "not a URL of PostgreSQL";
                return Err(StartError::setting(name, &without_password(value), wrong, ENCODE));
            }
            return Ok(Self::Postgres(value.to_owned()));
        }
        let Some(path) = value.strip_prefix("sqlite:") else {
            let hint = "use sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME";
            return Err(StartError::setting(name, &without_password(value), "unknown scheme", hint));
        };
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path.contains(":memory:") {
            let hint = "name a file, as sqlite:techkraft.db";
            return Err(StartError::setting(name, value, "no file to keep bookings in", hint));
        }
        Ok(Self::Sqlite(PathBuf::from(path)))
    }

    /// The file of an SQLite database.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }
}

/// Whether libpq reads what follows the scheme. This is checked first, because libpq quotes what it cannot
/// read, which may be part of a password, and because the program would try to connect for as long as it
/// runs.
fn is_readable(rest: &str) -> bool {
    let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let (user, place) = place.rsplit_once('@').unwrap_or(("", place));
    let hosts = place.split('/').next().unwrap_or_default();
    let is_parameter = |pair: &str| {
        pair.split_once('=').is_some_and(|(name, value)| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
                && !value.contains(['=', '@'])
        })
    };
    !user.contains('@')
        && hosts.split(',').all(is_host)
        && (parameters.is_empty() || parameters.split('&').all(is_parameter))
        && !rest.contains(|c: char| c.is_whitespace() || c.is_control())
        && is_encoded(rest)
}

/// Whether each percent sign begins an encoded byte.
fn is_encoded(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits != b"00" && digits.iter().all(u8::is_ascii_hexdigit))
    })
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => f.write_str(&without_password(url)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let url = DatabaseUrl::parse("postgres://ada:s3cret@db.example.org/tickets?sslkey=k").expect("valid");
        assert_eq!(url.to_string(), "postgres://ada@db.example.org/tickets");
        let refused = DatabaseUrl::parse("ada:s3cret@db.example.org/tickets").expect_err("no scheme");
        assert!(refused.to_string().starts_with("DATABASE_URL=db.example.org/tickets:"), "{refused}");
    }

    #[test]
    fn what_libpq_cannot_read_is_refused_without_a_part_of_it() {
        for value in [
            "postgres://u:sec ret99@127.0.0.1:1/x",
            "postgres://u:sec/ret99@127.0.0.1:1/x",
            "postgres://u:sec?ret99@127.0.0.1:1/x",
            "postgres://u:sec?a=ret99@127.0.0.1:1/x",
            "postgres://u:99?a=ret99@127.0.0.1:1/x",
            "postgres://u:sec#ret99@127.0.0.1:1/x",
            "postgres://u:sec@ret99@127.0.0.1:1/x",
            "postgres://u:sec%ret99@127.0.0.1:1/x",
            "postgres://u:sec%00ret99@127.0.0.1:1/x",
            "postgres://u:ret99",
            "postgres://u@127.0.0.1/x?password=sec&ret99",
            "postgres://u@127.0.0.1/x?password=sec=ret99",
            "postgresql://u:sec\tret99@127.0.0.1/x",
        ] {
            let line = DatabaseUrl::parse(value).expect_err(value).to_string();
            assert!(line.starts_with("DATABASE_URL=postgres") && line.contains("%2F"), "{line}");
            assert!(!line.contains("sec") && !line.contains("ret99"), "{line}");
        }
        for value in [
            "postgres://u:a%2Fb%25c%40d!$&'()*+,;=:e@127.0.0.1:5432/x",
            "postgresql://u@[::1]:5432,db2:5433,db3/x?sslmode=require&connect_timeout=3",
            "postgres:///x?host=/run/postgresql&options=-c%20a%3Db",
            "postgres://",
        ] {
            DatabaseUrl::parse(value).expect(value);
        }
    }
}
