//! What of a URL or an error may stand in a log line: no secret, and on one line.

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
