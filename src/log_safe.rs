//! Makes URLs and errors safe for a log line: no secret, one line, and no character that hides or reverses
//! text.

use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;

/// How to write a password that a URL cannot hold as it is.
pub const ENCODE: &str =
    "in its user and password write # as %23, / as %2F, ? as %3F, @ as %40, % as %25 and a space as %20";

/// Whether an unescaped sign in the user or the password ends them too early. Any part of the resulting error
/// may then be a part of the password.
#[must_use]
pub fn has_open_sign(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.rsplit_once('@').is_some_and(|(user, _)| user.contains(['/', '?', '#']))
}

/// The URL with its password and its parameters left out: both may hold secrets. Where it is not clear which
/// part is the password, more is left out.
#[must_use]
pub fn without_password(url: &str) -> String {
    if url.starts_with("sqlite:") {
        return url.to_owned();
    }
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let separator = if scheme.is_empty() { "" } else { "://" };
    // The last @: a password may hold others.
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

/// An error as one line: database messages come with line breaks and hints. Characters that would hide or
/// reverse the text beside them are dropped: other servers write some of these messages.
pub fn one_line(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    let text: String =
        text.chars().filter(|c| !is_format(*c)).map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_format(c: char) -> bool {
    !c.is_ascii() && CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::Format
}

/// Why a mail was not sent, for the log. A mail server's reply may name the recipient in any spelling, so only its
/// codes are shown: "550 5.1.1". The organizer's pages show the whole reply.
pub fn mail_failure(why: &str) -> String {
    let mut shown = Vec::new();
    let mut words = why.split_whitespace();
    for word in words.by_ref() {
        match reply_code(word) {
            Some(code) => {
                shown.push(code.to_owned());
                shown.extend(words.next().filter(|word| is_enhanced(word)).map(str::to_owned));
                break;
            }
            None if word.contains('@') => shown.push("(address)".to_owned()),
            None => shown.push(word.to_owned()),
        }
    }
    shown.join(" ")
}

/// The code of a refusal (RFC 5321, section 4.2.1), as in "550", "550-5.1.1" or "(550):".
fn reply_code(word: &str) -> Option<&str> {
    let digits = word.trim_start_matches('(');
    let (code, rest) = digits.split_at_checked(3)?;
    let is_code = matches!(code.as_bytes(), [b'4' | b'5', b'0'..=b'9', b'0'..=b'9']);
    (is_code && !rest.starts_with(|c: char| c.is_ascii_digit() || c == '.')).then_some(code)
}

/// An enhanced status code (RFC 3463): "5.1.1".
fn is_enhanced(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    parts.len() == 3 && parts.iter().all(|part| (1..=3).contains(&part.len()) && part.parse::<u16>().is_ok())
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

    #[test]
    fn of_a_mail_servers_words_only_the_codes_are_logged() {
        for (why, shown) in [
            ("550 5.1.1 <ada.lovelace@example.org>: user unknown", "550 5.1.1"),
            ("550 5.1.1 <ada dot lovelace at example>: user unknown", "550 5.1.1"),
            (
                "smtp://mail:25: 530 5.7.0 relaying for <grace@example.org> denied",
                "smtp://mail:25: 530 5.7.0",
            ),
            ("permanent error (550): no such user ada", "permanent error 550"),
            ("550-5.7.1 ada", "550"),
            ("452 too many", "452"),
            ("smtp://mail:587: does not answer", "smtp://mail:587: does not answer"),
            (
                "smtp://10.0.0.1:25 did not answer within 10 s",
                "smtp://10.0.0.1:25 did not answer within 10 s",
            ),
            ("response error: what is <ada@example.org>?", "response error: what is (address)"),
            ("booking canceled before sending", "booking canceled before sending"),
        ] {
            assert_eq!(mail_failure(why), shown, "{why}");
        }
    }
}
