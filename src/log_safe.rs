//! What of a URL or an error may stand in a log line: no secret, on one line, and as it is.

use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;

/// How to write a password that a URL cannot hold as it is.
pub const ENCODE: &str =
    "in its user and password write # as %23, / as %2F, ? as %3F, @ as %40, % as %25 and a space as %20";

/// Whether a sign in the user or the password ends them too early. Of an error that comes of it, anything may be a
/// part of the password.
#[must_use]
pub fn has_open_sign(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.rsplit_once('@').is_some_and(|(user, _)| user.contains(['/', '?', '#']))
}

/// The URL with its password and its parameters left out: both may hold secrets. Where it is not clear which part is
/// the password, less of it is left.
#[must_use]
pub fn without_password(url: &str) -> String {
    if url.starts_with("sqlite:") {
        return url.to_owned();
    }
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let separator = if scheme.is_empty() { "" } else { "://" };
    // The last one: a password may hold others.
    let (name, place) = match rest.rsplit_once('@') {
        Some((user, place)) if !scheme.is_empty() => {
            (format!("{}@", user.split([':', '/', '?', '#']).next().unwrap_or_default()), place)
        }
        Some((_, place)) => (String::new(), place),
        None => (String::new(), rest),
    };
    let place = place.split(['?', '#']).next().unwrap_or_default();
    let hosts = place.split('/').next().unwrap_or_default();
    // `user:password` without a host looks like a host and a port.
    let place = if hosts.split(',').all(is_host) { place } else { "…" };
    format!("{scheme}{separator}{name}{place}")
}

/// Whether a text is a host, perhaps with a port.
#[must_use]
pub fn is_host(text: &str) -> bool {
    let port = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((_, rest)) => rest,
        None => text.find(':').map_or("", |colon| &text[colon..]),
    };
    let is_port = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    !text.contains(char::is_whitespace) && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

/// Database messages come with line breaks and hints; a log line and a start message have one line. Nothing in it hides
/// or turns around what stands beside it: other servers write some of these texts.
pub fn one_line(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    let text: String =
        text.chars().filter(|c| !is_format(*c)).map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_format(c: char) -> bool {
    !c.is_ascii() && CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::Format
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown_wherever_it_ends() {
        for (url, shown) in [
            ("postgres://ada:s3cret@db/tickets?sslkey=k", "postgres://ada@db/tickets"),
            ("postgres://ada:s3/cret@db:5432/tickets", "postgres://ada@db:5432/tickets"),
            ("postgres://ada:s3?cret@db/tickets", "postgres://ada@db/tickets"),
            ("postgres://ada:s3#c/r?e@t@db/tickets", "postgres://ada@db/tickets"),
            ("postgres://ada:s3cret", "postgres://…"),
            ("postgres://ada:s3/cret", "postgres://…"),
            ("redis://:s3cret@[::1]:6379/2", "redis://@[::1]:6379/2"),
            ("postgres://one,two:5433/tickets", "postgres://one,two:5433/tickets"),
            ("ada:s3cret@db/tickets", "db/tickets"),
            ("ada:s3cret", "…"),
            ("tickets.db", "tickets.db"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }

    #[test]
    fn a_line_is_one_line_and_hides_nothing() {
        let said =
            "550 5.1.1\r\n no \u{202e}resu\u{202c}\u{200b}\u{feff} \u{1b}[2K\u{9b}31m\u{2028}here\u{0}";
        assert_eq!(one_line(&said), "550 5.1.1 no resu [2K 31m here");
        assert_eq!(one_line(&"Zoë Müller, 東京"), "Zoë Müller, 東京");
    }
}
