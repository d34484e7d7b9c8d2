//! Here are your bookings: the link that lists all of an address's.

use askama::Template;
use chrono::Utc;

use super::{Letter, Stationery, Unwritten};
use crate::booking::lookup::LINK_LIFETIME;

#[derive(Template)]
#[template(path = "mail/booking_link.html")]
struct Html<'a> {
    email: &'a str,
    url: &'a str,
    minutes: i64,
}

#[derive(Template)]
#[template(path = "mail/booking_link.txt", whitespace = "preserve")]
struct Text<'a> {
    email: &'a str,
    url: &'a str,
    minutes: i64,
}

/// Writes it. Its link opens from now on, so that a mail that had to wait is not over when it comes.
///
/// # Errors
/// As [`super::write`].
pub fn write(email: &str, stationery: &Stationery) -> Result<Letter, Unwritten> {
    let url = &*format!("{}{}", stationery.public_url, stationery.booking_links.path(email, Utc::now()));
    let minutes = LINK_LIFETIME.num_minutes();
    let failed = |e: askama::Error| Unwritten::Failed(format!("template: {e}"));
    Ok(Letter {
        subject: "Your bookings".into(),
        text: Text { email, url, minutes }.render().map_err(failed)?,
        html: Html { email, url, minutes }.render().map_err(failed)?,
        ..Letter::default()
    })
}
