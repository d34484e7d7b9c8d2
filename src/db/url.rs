//! Which database, by the scheme of its URL.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::log_safe::without_password;
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
    /// One line that says which schemes there are.
    pub fn parse(value: &str) -> Result<Self, StartError> {
        if value.starts_with("postgres://") || value.starts_with("postgresql://") {
            return Ok(Self::Postgres(value.to_owned()));
        }
        let Some(path) = value.strip_prefix("sqlite:") else {
            let hint = "use sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME";
            return Err(StartError::setting(
                "DATABASE_URL",
                &without_password(value),
                "unknown scheme",
                hint,
            ));
        };
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path.contains(":memory:") {
            let hint = "name a file, as sqlite:techkraft.db";
            return Err(StartError::setting("DATABASE_URL", value, "no file to keep bookings in", hint));
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
}
