//! Rules for every answer, independent of the request.

use crate::hostile::wire::Answer;

/// Parts of a page that would show that an attack worked. The attacks of the table are made of these.
const LIVE: [&str; 8] = [
    "<script>alert",
    "<img src=x",
    "<svg/onload",
    "<b>injected",
    "\" onfocus=alert",
    "' onfocus=alert",
    "href=\"javascript:",
    "injected-host.example",
];

/// Internal details that no visitor may see: words of a library, a database or a panic.
const INSIDES: [&str; 12] = [
    "SQLSTATE",
    "syntax error",
    "diesel",
    "sqlite",
    "postgres",
    "panicked",
    "src/",
    "actix",
    "stack backtrace",
    "unwrap()",
    "Argon2",
    "argon2id",
];

/// Headers that every page must have. Only the HTTP server's own answers to malformed requests may lack them.
const HEADERS: [(&str, &str); 4] = [
    ("content-security-policy", "default-src 'self'"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", ""),
    ("cross-origin-opener-policy", "same-origin"),
];

pub fn breaches(answer: &Answer) -> Vec<String> {
    let mut breaches = Vec::new();
    // A 503 with Retry-After is allowed where a case expects it.
    let is_busy = answer.status == 503 && answer.header("retry-after").is_some();
    if answer.status >= 500 && !is_busy {
        breaches.push(format!("status {}", answer.status));
    }
    for (name, start) in HEADERS {
        if !answer.is_below_the_app() && !answer.header(name).is_some_and(|value| value.starts_with(start)) {
            breaches.push(format!("{name} is missing"));
        }
    }
    for (name, value) in &answer.headers {
        if name.contains("injected")
            || value.starts_with("injected")
            || value.contains("injected-host.example")
        {
            breaches.push(format!("injected: {name}: {value}"));
        }
        if ["server", "x-powered-by", "via"].contains(&name.as_str()) {
            breaches.push(format!("{name}: {value}"));
        }
    }
    breaches.extend(leads_away(answer));
    let text = answer.text();
    breaches.extend(LIVE.into_iter().filter(|it| text.contains(it)).map(|it| format!("lets in {it:?}")));
    breaches.extend(INSIDES.into_iter().filter(|it| text.contains(it)).map(|it| format!("shows {it:?}")));
    breaches
}

/// The target of a redirect if browsers would leave this site for it.
fn leads_away(answer: &Answer) -> Option<String> {
    let location = answer.header("location")?;
    let stays = location.starts_with('/') && !location.starts_with("//") && !location.contains('\\');
    (!stays).then(|| format!("leads to {location}"))
}
