//! Cookies that only this site can make or read: encrypted and signed (AES-256-GCM), so that a name or
//! an address kept in a browser is no business of whoever looks into it.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, CookieBuilder, CookieJar, Key};

/// Seals and opens cookies with the site's secret.
pub struct Cookies {
    key: Key,
}

impl Cookies {
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self { key: Key::derive_from(secret.as_bytes()) }
    }

    /// A cookie with a sealed value; the caller adds its lifetime and its flags.
    #[must_use]
    pub fn signed(&self, name: &'static str, value: String) -> CookieBuilder<'static> {
        let mut jar = CookieJar::new();
        jar.private_mut(&self.key).add(Cookie::new(name, value));
        let sealed = jar.get(name).map(|cookie| cookie.value().to_owned()).unwrap_or_default();
        Cookie::build(name, sealed)
    }

    /// The value that was sealed; `None` when there is none, or when somebody else made it.
    #[must_use]
    pub fn read_signed(&self, request: &HttpRequest, name: &'static str) -> Option<String> {
        let mut jar = CookieJar::new();
        jar.add_original(request.cookie(name)?.into_owned());
        Some(jar.private(&self.key).get(name)?.value().to_owned())
    }
}

/// A cookie that makes the browser forget the one of that name.
#[must_use]
pub fn removal(name: &'static str) -> Cookie<'static> {
    Cookie::build(name, "").path("/").max_age(Duration::ZERO).http_only(true).finish()
}
