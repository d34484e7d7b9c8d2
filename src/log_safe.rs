//! What of a URL, a path or an error may stand in a log line: no secret, and on one line.

use crate::resource::secret_part;

/// Longest part of a path that cannot be a secret.
const HARMLESS_LENGTH: usize = 15;

/// A percent-decoded path for a log: on one line, and without secrets. A booking's token and whatever is long and
/// has other characters than our own names, as a misplaced token has, are cut to their first characters.
#[must_use]
pub fn without_secrets(path: &str) -> String {
    let is_ours = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    let secret = secret_part(path);
    let shown = path.split('/').map(|part| {
        let is_secret = secret == Some(part) || part.len() > HARMLESS_LENGTH && !part.chars().all(is_ours);
        if is_secret { format!("{}…", part.chars().take(4).collect::<String>()) } else { part.to_owned() }
    });
    let shown = shown.collect::<Vec<_>>().join("/");
    // A line break that was percent-encoded would start a log line of its own.
    if shown.chars().any(char::is_control) { shown.escape_debug().to_string() } else { shown }
}

/// The URL with its password and its parameters left out: both may hold secrets. Without a scheme nobody
/// knows which part is the password, so the place alone is left.
#[must_use]
pub fn without_password(url: &str) -> String {
    let url = url.split('?').next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.rsplit_once('@').map_or(url, |(_, place)| place).to_owned();
    };
    match rest.rsplit_once('@') {
        Some((user, place)) => {
            let name = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{name}@{place}")
        }
        None => url.to_owned(),
    }
}

/// Database messages come with line breaks and hints; a log line and a start message have one line.
pub fn one_line(error: &impl std::fmt::Display) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_does_not_open_bookings() {
        let token = "AZ3xyq0newbookings123_-4";
        for (path, shown) in [
            ("/bookings/AbCdEfGh/calendar.ics".to_owned(), "/bookings/AbCd…/calendar.ics"),
            ("/bookings/AbCdEfGh".into(), "/bookings/AbCd…"),
            ("//bookings//AbCdEfGh/".into(), "//bookings//AbCd…/"),
            ("/bookings/newCdEfGh".into(), "/bookings/newC…"),
            (format!("/elsewhere/{token}/"), "/elsewhere/AZ3x…/"),
            ("/bookings/new".into(), "/bookings/new"),
            ("/bookings/find".into(), "/bookings/find"),
            ("/bookings".into(), "/bookings"),
            ("/events/midnight-parade/availability".into(), "/events/midnight-parade/availability"),
            ("/static/css/app.0123456789abcdef.css".into(), "/static/css/app.0123456789abcdef.css"),
            ("/x\nGET /\u{1b}[31m".into(), "/x\\nGET /\\u{1b}[31m"),
        ] {
            assert_eq!(without_secrets(&path), shown);
        }
    }
}
