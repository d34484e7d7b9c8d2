//! What no answer may be, whatever was asked.

use crate::hostile::wire::Answer;

/// What an attack would look like in a page that lets it in. The attacks of the table are made of these.
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

/// What no visitor may read: the words of a library, a database or a panic.
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

/// A page, or the shortest answer of the server below the app to what is not even a request.
const HEADERS: [(&str, &str); 4] = [
    ("content-security-policy", "default-src 'self'"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", ""),
    ("cross-origin-opener-policy", "same-origin"),
];

pub fn breaches(answer: &Answer) -> Vec<String> {
    let mut breaches = Vec::new();
    // "Come back in a moment" is an answer where a case expects it.
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

/// Where a redirect leads that does not stay on this site, as browsers read it.
fn leads_away(answer: &Answer) -> Option<String> {
    let location = answer.header("location")?;
    let stays = location.starts_with('/') && !location.starts_with("//") && !location.contains('\\');
    (!stays).then(|| format!("leads to {location}"))
}
