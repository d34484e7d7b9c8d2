//! The gate: the concert whose tickets are admitted, and the name of the place. The device that stands there
//! remembers both, so that everybody knows where a ticket was used.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use icu_normalizer::ComposingNormalizerBorrowed;
use serde::{Deserialize, Serialize};

use crate::booking::buyer::{NameError, fold, parse_text};
use crate::guard::cookies::Cookies;

const NAME_LENGTH_MAX: usize = 40;
const COOKIE: &str = "gate";
const REMEMBERED_DAYS: i64 = 90;

/// Where a device stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Gate {
    /// The concert's slug.
    pub event: String,
    /// "North gate"
    pub gate: String,
}

impl Gate {
    /// The gate that this device was set to.
    #[must_use]
    pub fn remembered(cookies: &Cookies, request: &HttpRequest) -> Option<Self> {
        serde_json::from_str(&cookies.open(request, COOKIE)?).ok()
    }

    /// The cookie that remembers it.
    #[must_use]
    pub fn cookie(&self, cookies: &Cookies) -> Cookie<'static> {
        let value = serde_json::to_string(self).unwrap_or_default();
        let cookie = cookies.sealed(COOKIE, &value).same_site(SameSite::Strict);
        cookie.max_age(Duration::days(REMEMBERED_DAYS)).finish()
    }
}

/// Reads a gate's name. White space around and within is tidied, wide letters become plain ones (Unicode's
/// form NFKC), and invisible characters are dropped or refused, as in names of buyers.
///
/// # Errors
/// The message to show beside the field.
pub fn parse_name(typed: &str) -> Result<String, &'static str> {
    const TOO_LONG: &str = "Use 40 characters or fewer.";
    let plain = ComposingNormalizerBorrowed::new_nfkc().normalize(typed);
    match parse_text(&plain) {
        Ok(name) if name.chars().count() > NAME_LENGTH_MAX => Err(TOO_LONG),
        Ok(name) => Ok(name),
        Err(NameError::Missing) => {
            Err("Name this gate, for example “North gate”. The name is shown when a ticket is scanned again.")
        }
        Err(NameError::TooLong) => Err(TOO_LONG),
        Err(_) => Err("Use letters and digits only."),
    }
}

/// Whether people take two names for the same gate: "North gate" and "north gate".
#[must_use]
pub fn is_same_name(one: &str, other: &str) -> bool {
    let letters = |name: &str| fold(name).chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    letters(one) == letters(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_has_a_short_name() {
        assert_eq!(parse_name("  North \t gate "), Ok("North gate".to_owned()));
        for (typed, name) in
            [("1", "1"), ("Ｎorth", "North"), ("North\u{200e}", "North"), ("Nor\u{2060}th", "North")]
        {
            assert_eq!(parse_name(typed).as_deref(), Ok(name));
        }
        for bad in ["", " ", "\u{200b}", "a\0b", "No\u{202e}rth", "No\u{3164}rth", "--", &"x".repeat(41)] {
            assert!(parse_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_that_read_the_same_are_the_same_gate() {
        for other in ["north gate", "NORTH  GATE", "Ｎorth gate", "North-Gate", "Nörth gate"] {
            assert!(is_same_name("North gate", other), "{other}");
        }
        assert!(!is_same_name("North gate", "North gate 2"));
    }
}
