//! The buyer: a name and an email address, parsed from what was typed, and remembered for the next
//! booking in a sealed cookie.

mod contact;
mod email;
mod name;
mod search_text;

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use serde::{Deserialize, Serialize};

pub use self::contact::Contact;
pub use self::email::{EmailError, normalized_email, parse_email, unusual_normalized_email};
pub use self::name::{NameError, parse_name};
pub use self::search_text::fold;
use super::request_key::{RequestKey, RequestKeys};
use crate::guard::cookies::Cookies;

/// The name of the cookie that remembers a buyer.
const COOKIE: &str = "buyer";
const REMEMBERED_DAYS: i64 = 180;

/// Who books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buyer {
    pub name: String,
    pub contact: Contact,
}

impl Buyer {
    /// The buyer of an earlier booking from this browser.
    #[must_use]
    pub fn remembered(cookies: &Cookies, request: &HttpRequest) -> Option<Self> {
        serde_json::from_str(&cookies.open(request, COOKIE)?).ok()
    }

    /// The cookie that remembers this buyer.
    #[must_use]
    pub fn cookie(&self, cookies: &Cookies) -> Cookie<'static> {
        let value = serde_json::to_string(self).unwrap_or_default();
        let cookie = cookies.sealed(COOKIE, &value);
        cookie.same_site(SameSite::Lax).max_age(Duration::days(REMEMBERED_DAYS)).finish()
    }

    /// The cookie that makes a browser forget its buyer.
    #[must_use]
    pub fn forgetting_cookie(cookies: &Cookies) -> Cookie<'static> {
        cookies.removal(COOKIE)
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
    pub fn new(request_keys: &RequestKeys, buyer: Buyer) -> Self {
        Self { buyer, request_key: request_keys.generate() }
    }

    /// For the buyer of an earlier booking from this browser.
    #[must_use]
    pub fn of_returning_buyer(
        cookies: &Cookies,
        request_keys: &RequestKeys,
        request: &HttpRequest,
    ) -> Option<Self> {
        Some(Self::new(request_keys, Buyer::remembered(cookies, request)?))
    }
}
