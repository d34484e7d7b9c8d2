//! Makes a path safe for a log line.

use super::secret_part;

/// Longest part of a path that cannot be a secret.
const HARMLESS_LENGTH: usize = 15;

/// A percent-decoded path for a log: on one line, and without secrets. The [`secret_part`], such as a booking's
/// token or reference, is cut to its first characters. So is every long part with characters that our own names
/// do not have, such as a misplaced token.
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
