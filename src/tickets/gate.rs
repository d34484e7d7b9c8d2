//! The gate: which concert is let in and what the place is called, remembered by the device that stands
//! there, so that everybody knows where a ticket was used.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use serde::{Deserialize, Serialize};

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
    /// The gate that this device was told to be.
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

/// Reads a gate's name. White space around and within is tidied.
///
/// # Errors
/// What to tell, beside the field.
pub fn parse_name(typed: &str) -> Result<String, &'static str> {
    let name = typed.split_whitespace().collect::<Vec<_>>().join(" ");
    match name.chars().count() {
        0 => {
            Err("Name this gate, for example “North gate”. The name is shown when a ticket is scanned again.")
        }
        1..=NAME_LENGTH_MAX if !name.chars().any(char::is_control) => Ok(name),
        1..=NAME_LENGTH_MAX => Err("Use letters and digits only."),
        _ => Err("Use 40 characters or fewer."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_has_a_short_name() {
        assert_eq!(parse_name("  North \t gate "), Ok("North gate".to_owned()));
        for bad in ["", " ", "a\0b", &"x".repeat(41)] {
            assert!(parse_name(bad).is_err(), "{bad:?}");
        }
    }
}
