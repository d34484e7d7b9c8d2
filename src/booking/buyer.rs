//! The buyer: a name and an email address, parsed from what was typed, and remembered for the next
//! booking in a sealed cookie.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use email_address::{EmailAddress, Options};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use super::request_key::RequestKey;
use crate::app::App;

const NAME_LENGTH_MAX: usize = 100;
/// RFC 5321 limits a path to 256 octets, angle brackets included.
const EMAIL_LENGTH_MAX: usize = 254;

/// The name of the cookie that remembers a buyer.
const COOKIE: &str = "buyer";
const REMEMBERED_DAYS: i64 = 180;

/// Who books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buyer {
    pub name: String,
    pub email: String,
}

/// Reads a name. White space around and within is tidied.
///
/// # Errors
/// What to tell the buyer, beside the field.
pub fn parse_name(typed: &str) -> Result<String, &'static str> {
    if typed.chars().any(|c| is_invisible(c) && !c.is_whitespace()) {
        return Err("Please use letters only: this name has characters that cannot be seen.");
    }
    let name = typed.split_whitespace().collect::<Vec<_>>().join(" ");
    match name.chars().count() {
        0 => Err("Please tell us the name for the booking."),
        1..=NAME_LENGTH_MAX if name.chars().any(char::is_alphanumeric) => Ok(name),
        1..=NAME_LENGTH_MAX => Err("Please write the name with letters."),
        _ => Err("That is longer than 100 characters. Please shorten the name."),
    }
}

/// Reads an email address.
///
/// # Errors
/// What to tell the buyer, beside the field.
pub fn parse_email(typed: &str) -> Result<String, &'static str> {
    let email = typed.trim();
    if email.is_empty() {
        return Err("Please tell us the email address for the tickets.");
    }
    let wrong = "Please check the email address: it should look like ada@example.org.";
    if email.len() > EMAIL_LENGTH_MAX || email.chars().any(is_invisible) || email.contains(['"', '<', '>']) {
        return Err(wrong);
    }
    let options = Options::default().without_display_text().without_domain_literal();
    let address = EmailAddress::parse_with_options(email, options).map_err(|_| wrong)?;
    let has_top_level_domain =
        address.domain().rsplit_once('.').is_some_and(|(host, top)| !host.is_empty() && top.len() >= 2);
    if has_top_level_domain { Ok(email.to_owned()) } else { Err(wrong) }
}

/// An address as it is compared: one person's, in whatever case and of whatever code points its letters are
/// typed. In small letters, and in Unicode's normalisation form C.
#[must_use]
pub fn normalised_email(email: &str) -> String {
    email.trim().to_lowercase().nfc().collect()
}

/// The normalised address where it is not simply the address with its ASCII letters in small: that alone SQL
/// can do by itself, the same on both databases, and nearly every address needs no more.
#[must_use]
pub fn unusual_normalised_email(email: &str) -> Option<String> {
    if email.is_ascii() {
        return None;
    }
    let normalised = normalised_email(email);
    (normalised != email.to_ascii_lowercase()).then_some(normalised)
}

/// Control characters, those that change how others are shown without being seen themselves (zero-width,
/// bidirectional and tag characters), and letters that are blank (Unicode Technical Report 36).
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

impl Buyer {
    /// The buyer of an earlier booking from this browser.
    #[must_use]
    pub fn remembered(app: &App, request: &HttpRequest) -> Option<Self> {
        serde_json::from_str(&app.cookies.open(request, COOKIE)?).ok()
    }

    /// The cookie that remembers this buyer.
    #[must_use]
    pub fn cookie(&self, app: &App) -> Cookie<'static> {
        let value = serde_json::to_string(self).unwrap_or_default();
        let cookie = app.cookies.sealed(COOKIE, &value);
        cookie.same_site(SameSite::Lax).max_age(Duration::days(REMEMBERED_DAYS)).finish()
    }

    /// The cookie that makes a browser forget its buyer.
    #[must_use]
    pub fn forgetting_cookie(app: &App) -> Cookie<'static> {
        app.cookies.removal(COOKIE)
    }

    /// What one calls the buyer: the first word of the name.
    #[must_use]
    pub fn first_name(&self) -> &str {
        self.name.split(' ').next().unwrap_or(&self.name)
    }
}

/// What the concert's page holds so that one click books for a returning buyer.
pub struct Express {
    pub buyer: Buyer,
    pub request_key: RequestKey,
}

impl Express {
    /// With a fresh key.
    #[must_use]
    pub fn new(app: &App, buyer: Buyer) -> Self {
        Self { buyer, request_key: app.request_keys.mint() }
    }

    /// For the buyer of an earlier booking from this browser.
    #[must_use]
    pub fn of_returning_buyer(app: &App, request: &HttpRequest) -> Option<Self> {
        Some(Self::new(app, Buyer::remembered(app, request)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_tidied_and_absurd_ones_refused() {
        assert_eq!(parse_name("  Ada   Lovelace "), Ok("Ada Lovelace".into()));
        assert_eq!(parse_name("Zoë 李"), Ok("Zoë 李".into()));
        for bad in
            ["", "   ", "...", "a\u{0}b", "a\u{202e}b", "zero\u{200b}width", "\u{3164}", &"x".repeat(101)]
        {
            assert!(parse_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn one_address_is_one_however_it_is_typed() {
        assert_eq!(normalised_email(" Ada@Example.ORG "), "ada@example.org");
        assert_eq!(normalised_email("JU\u{308}RGEN@example.org"), "j\u{fc}rgen@example.org");
        for email in ["Ada@Example.org", "\u{fc}@example.org", "\u{dc}@example.org", "u\u{308}@example.org"] {
            let kept = unusual_normalised_email(email).unwrap_or_else(|| email.to_ascii_lowercase());
            assert_eq!(kept, normalised_email(email));
        }
        assert_ne!(normalised_email("ada+1@example.org"), normalised_email("ada@example.org"));
    }

    #[test]
    fn emails_need_a_name_and_a_domain() {
        assert_eq!(parse_email(" ada@example.org "), Ok("ada@example.org".into()));
        assert!(parse_email("ada+vip@mail.example.co.uk").is_ok());
        for bad in [
            "",
            "ada",
            "ada@",
            "@example.org",
            "ada@example",
            "ada@[127.0.0.1]",
            "a b@example.org",
            "Ada <ada@example.org>",
            "ada@example.org\nbcc: x@y.zz",
            "a\u{200b}da@example.org",
            &format!("{}@example.org", "x".repeat(250)),
        ] {
            assert!(parse_email(bad).is_err(), "{bad:?}");
        }
    }
}
