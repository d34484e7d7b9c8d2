//! The buyer: a name and an email address, parsed from what was typed, and remembered for the next booking in a sealed
//! cookie where the buyer has asked for that.
//!
//! Changing the buyer of a booking does not belong here: see `booking::correction`.

mod contact;
mod email;
mod invisible;
mod name;
mod scripts;
mod search_text;
mod suggestion;
mod unwrapping;

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use chrono::{TimeDelta, Utc};
use serde::{Deserialize, Serialize};

pub use self::contact::Contact;
pub use self::email::{normalized_email, parse_email, shown_email, unusual_normalized_email};
pub use self::invisible::{is_text, is_visible};
pub use self::name::{NameError, parse_name, parse_text};
pub use self::search_text::{SearchWords, fold, letters_of};
pub use self::suggestion::suggest_email;
pub use self::unwrapping::EmailError;
use super::request_key::{RequestKey, RequestKeys};
use crate::events::Event;
use crate::guard::cookies::Cookies;

/// The name of the cookie that remembers a buyer.
const COOKIE: &str = "buyer";
const REMEMBERED_DAYS: i64 = 180;
/// Shown in place of the hidden part of an address.
const MASK: &str = "•••";

/// Who books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buyer {
    pub name: String,
    pub contact: Contact,
}

/// What the cookie holds.
#[derive(Serialize, Deserialize)]
struct RememberedBuyer {
    /// The buyer who asked to be remembered when booking.
    remembered: Buyer,
    /// When the cookie expires (Unix time). The date is inside the seal, so a copy of the cookie expires too.
    #[serde(default = "undated_until")]
    until: i64,
}

/// The expiry of cookies of the previous release, which have no date: June 1, 2027. By then browsers have
/// dropped the last of them.
fn undated_until() -> i64 {
    1_811_808_000
}

impl Buyer {
    /// The buyer who asked this browser, at an earlier booking, to remember them.
    #[must_use]
    pub fn remembered(cookies: &Cookies, request: &HttpRequest) -> Option<Self> {
        let cookie: RememberedBuyer = serde_json::from_str(&cookies.open(request, COOKIE)?).ok()?;
        (Utc::now().timestamp() < cookie.until).then_some(cookie.remembered)
    }

    /// The cookie that remembers this buyer.
    #[must_use]
    pub fn cookie(&self, cookies: &Cookies) -> Cookie<'static> {
        let until = (Utc::now() + TimeDelta::days(REMEMBERED_DAYS)).timestamp();
        let cookie = RememberedBuyer { remembered: self.clone(), until };
        let value = serde_json::to_string(&cookie).unwrap_or_default();
        let cookie = cookies.sealed(COOKIE, &value);
        cookie.same_site(SameSite::Lax).max_age(Duration::days(REMEMBERED_DAYS)).finish()
    }

    /// The cookie that makes a browser forget its buyer.
    #[must_use]
    pub fn forgetting_cookie(cookies: &Cookies) -> Cookie<'static> {
        cookies.removal(COOKIE)
    }

    /// The first word of the name, to greet the buyer.
    #[must_use]
    pub fn first_name(&self) -> &str {
        self.name.split(' ').next().unwrap_or(&self.name)
    }

    /// As much of the address as its owner needs to recognize it, without revealing it to anybody else:
    /// `a•••@example.org`.
    #[must_use]
    pub fn masked_email(&self) -> String {
        let email = self.shown_email();
        let (local, domain) = email.rsplit_once('@').unwrap_or_default();
        local.chars().take(1).chain(MASK.chars()).chain(['@']).chain(domain.chars()).collect()
    }
}

/// What the concert's page holds so that one click books for a returning buyer. The form carries neither the
/// name nor the address, which stay in the cookie; the page shows the first name and a masked address.
pub struct Express {
    pub buyer: Buyer,
    pub request_key: RequestKey,
    /// Of the concert.
    pub slug: String,
    /// Whether one click only holds the tickets and leads to the payment.
    pub is_paid_online: bool,
}

impl Express {
    /// With a fresh key.
    #[must_use]
    pub fn new(request_keys: &RequestKeys, buyer: Buyer, event: &Event) -> Self {
        let (slug, is_paid_online) = (event.slug.clone(), event.is_paid_online());
        Self { buyer, request_key: request_keys.generate(), slug, is_paid_online }
    }

    /// For the buyer that this browser remembers.
    #[must_use]
    pub fn of_returning_buyer(
        cookies: &Cookies,
        request_keys: &RequestKeys,
        request: &HttpRequest,
        event: &Event,
    ) -> Option<Self> {
        Some(Self::new(request_keys, Buyer::remembered(cookies, request)?, event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seen to fail without the check of the date.
    #[test]
    fn a_copy_of_the_cookie_ends_and_those_of_the_release_before_are_still_read() {
        let cookies = Cookies::new(&"a secret".into(), false);
        let read = |value: &str| {
            let cookie = cookies.sealed(COOKIE, value).finish();
            let header = ("cookie", format!("{COOKIE}={}", cookie.value()));
            let request = actix_web::test::TestRequest::default().insert_header(header).to_http_request();
            Buyer::remembered(&cookies, &request)
        };
        let ada = Buyer::with_email("Ada", "ada@example.org");
        let value = |until: &str| {
            let buyer = serde_json::to_string(&ada).unwrap();
            format!("{{\"remembered\":{buyer}{until}}}")
        };
        let now = Utc::now().timestamp();
        assert_eq!(read(&value(&format!(",\"until\":{}", now + 60))), Some(ada.clone()));
        assert_eq!(read(&value(&format!(",\"until\":{now}"))), None);
        assert_eq!(read(&value("")).is_some(), now < undated_until());
    }

    #[test]
    fn an_address_is_masked_but_for_its_first_letter_and_its_domain() {
        let masked = |email| Buyer::with_email("Ada", email).masked_email();
        assert_eq!(masked("lovelace@example.org"), "l•••@example.org");
        assert_eq!(masked("a@example.org"), "a•••@example.org");
        assert_eq!(masked("ünal@example.org"), "ü•••@example.org");
    }
}
