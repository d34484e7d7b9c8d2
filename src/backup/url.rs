//! PostgreSQL URLs for `pg_dump` and `pg_restore`. The password goes through the environment, because every user
//! of a machine can read command lines.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::start_error::StartError;

/// A URL without its password, and the password.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) url: String,
    pub(super) password: Option<String>,
}

/// Takes the password out of a URL, by libpq's rules.
pub(super) fn split(url: &str) -> Result<Split, StartError> {
    let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
    let (scheme, rest) = place.split_once("://").unwrap_or(("postgres", place));
    let authority = rest.split('/').next().unwrap_or_default();
    let mut password = None;
    let place = match authority.split_once('@') {
        Some((user, _)) => {
            let after = &rest[user.len()..];
            let (name, secret) = user.split_once(':').map_or((user, None), |(name, it)| (name, Some(it)));
            password = secret.map(decoded);
            format!("{scheme}://{name}{after}")
        }
        None => format!("{scheme}://{rest}"),
    };
    let mut kept = Vec::new();
    for parameter in parameters.split('&').filter(|it| !it.is_empty()) {
        match parameter.split_once('=').unwrap_or((parameter, "")) {
            ("password", value) => password = Some(decoded(value)),
            ("sslpassword", _) => {
                let hint = "use a key without a password that only this user can read";
                return Err(StartError::setting(
                    "DATABASE_URL",
                    &place,
                    "sslpassword is not supported for pg_dump",
                    hint,
                ));
            }
            _ => kept.push(parameter),
        }
    }
    let separator = if kept.is_empty() { "" } else { "?" };
    Ok(Split { url: format!("{place}{separator}{}", kept.join("&")), password })
}

/// The URL with another database name. libpq uses the last of two.
pub(super) fn with_database(url: &str, name: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}dbname={}", utf8_percent_encode(name, NON_ALPHANUMERIC))
}

/// The URL with its `search_path` set to one schema.
pub(super) fn with_schema(url: &str, schema: &str) -> String {
    let option = format!("-csearch_path={schema}");
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}options={}", utf8_percent_encode(&option, NON_ALPHANUMERIC))
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_on_no_command_line() {
        for (url, public, password) in [
            ("postgres://a/x", "postgres://a/x", None),
            ("postgres://u@a,b:5433/x?sslmode=require", "postgres://u@a,b:5433/x?sslmode=require", None),
            ("postgres://u:p%2C%40@a,b/x?k=v", "postgres://u@a,b/x?k=v", Some("p,@")),
            ("postgresql://u:p@/x?host=/run", "postgresql://u@/x?host=/run", Some("p")),
            ("postgres://u@a/x?password=p%20q&k=v", "postgres://u@a/x?k=v", Some("p q")),
        ] {
            let Split { url, password: found } = split(url).expect("a URL");
            assert_eq!((url.as_str(), found.as_deref()), (public, password));
        }
        let refused = split("postgres://u:secret@a/x?sslpassword=hidden").expect_err("none is taken");
        assert!(!refused.to_string().contains("secret") && !refused.to_string().contains("hidden"));
    }

    #[test]
    fn a_database_and_a_schema_are_named_last() {
        assert_eq!(with_database("postgres://a/x", "y"), "postgres://a/x?dbname=y");
        assert_eq!(with_schema("postgres://a?k=v", "s"), "postgres://a?k=v&options=%2Dcsearch%5Fpath%3Ds");
    }
}
