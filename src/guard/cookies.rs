//! Cookies that only this site can make or read: encrypted and signed (AES-256-GCM), so that a name or
//! an address kept in a browser is no business of whoever looks into it.
//!
//! Over TLS their names begin with `__Host-`: browsers then take them only from this very host, over TLS
//! and for all of its paths, so that no neighbor on a sibling domain can plant one (RFC 6265bis, 4.1.3.2).

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, CookieBuilder, CookieJar, Key};
use actix_web::http::header::COOKIE;

use super::secret::{Purpose, Secrets};

const HOST_PREFIX: &str = "__Host-";

/// Cookies of one name that are tried: a neighbor may have planted some beside ours.
const SAME_NAME_MAX: usize = 4;

/// Longest value that is tried, in bytes: browsers keep 4,096 (RFC 6265, section 6.1).
const VALUE_LENGTH_MAX: usize = 4096;

/// Seals and opens cookies with the site's secrets.
#[derive(Clone)]
pub struct Cookies {
    /// The first one seals, each of them opens.
    keys: Vec<Key>,
    is_https: bool,
}

impl Cookies {
    /// `is_https`: whether visitors come over TLS, so that cookies may insist on it.
    #[must_use]
    pub fn new(secrets: &Secrets, is_https: bool) -> Self {
        let keys = secrets.keys(Purpose::Cookies);
        Self { keys: keys.iter().map(|key| Key::derive_from(key)).collect(), is_https }
    }

    /// A cookie with a sealed value that no script reads; the caller adds its lifetime and `SameSite`.
    #[must_use]
    pub fn sealed(&self, name: &str, value: &str) -> CookieBuilder<'static> {
        let name = self.full_name(name);
        let mut jar = CookieJar::new();
        jar.private_mut(&self.keys[0]).add(Cookie::new(name.clone(), value.to_owned()));
        let sealed = jar.get(&name).map(|cookie| cookie.value().to_owned()).unwrap_or_default();
        self.closed(name, sealed)
    }

    /// The value that was sealed; `None` when there is none, or when somebody else made it.
    #[must_use]
    pub fn open(&self, request: &HttpRequest, name: &str) -> Option<String> {
        let name = self.full_name(name);
        let headers = request.headers().get_all(COOKIE);
        // One that no text can be made of hides none of the others.
        let pairs = headers.flat_map(|header| header.as_bytes().split(|byte| *byte == b';'));
        let values = pairs.filter_map(|pair| {
            let (its_name, value) = str::from_utf8(pair).ok()?.split_once('=')?;
            (its_name.trim() == name && value.len() <= VALUE_LENGTH_MAX).then(|| value.trim())
        });
        values.take(SAME_NAME_MAX).find_map(|value| self.unseal(&name, value))
    }

    /// A cookie that makes the browser forget the one of that name.
    #[must_use]
    pub fn removal(&self, name: &str) -> Cookie<'static> {
        self.closed(self.full_name(name), String::new()).max_age(Duration::ZERO).finish()
    }

    fn closed(&self, name: String, value: String) -> CookieBuilder<'static> {
        Cookie::build(name, value).path("/").http_only(true).secure(self.is_https)
    }

    fn full_name(&self, name: &str) -> String {
        let prefix = if self.is_https { HOST_PREFIX } else { "" };
        format!("{prefix}{name}")
    }

    fn unseal(&self, name: &str, value: &str) -> Option<String> {
        let mut jar = CookieJar::new();
        jar.add_original(Cookie::new(name.to_owned(), value.to_owned()));
        self.keys.iter().find_map(|key| Some(jar.private(key).get(name)?.value().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn open(cookies: &Cookies, header: &str) -> Option<String> {
        cookies.open(&TestRequest::default().insert_header((COOKIE, header)).to_http_request(), "buyer")
    }

    #[test]
    fn a_secret_that_was_replaced_still_opens_what_it_sealed() {
        let before = Cookies::new(&"before".into(), false).sealed("buyer", "Ada").finish().to_string();
        let header = before.split(';').next().expect("a pair");
        let rotated = Secrets::new("after".into(), vec!["long ago".into(), "before".into()]);
        assert_eq!(open(&Cookies::new(&rotated, false), header).as_deref(), Some("Ada"));
        assert_eq!(open(&Cookies::new(&"after".into(), false), header), None);
        let after = Cookies::new(&rotated, false).sealed("buyer", "Eve").finish();
        let header = format!("buyer={}", after.value());
        assert_eq!(open(&Cookies::new(&"after".into(), false), &header).as_deref(), Some("Eve"));
    }

    #[test]
    fn what_others_plant_hides_nothing_and_means_nothing() {
        let cookies = Cookies::new(&"a secret".into(), false);
        let ours = cookies.sealed("buyer", "Ada").finish().value().to_owned();
        for header in [
            format!("buyer={ours}"),
            format!("buyer=forged; other; =; ;;; buyer={ours}"),
            format!("x={}; buyer={ours}", "x".repeat(10_000)),
            format!("buyer={}; buyer={ours}", "x".repeat(10_000)),
        ] {
            assert_eq!(open(&cookies, &header).as_deref(), Some("Ada"), "{header}");
        }
        for header in ["", "buyer", "buyer=", "buyer=%00", "BUYER=x", "buyer=====", &format!("toast={ours}")]
        {
            assert_eq!(open(&cookies, header), None, "{header}");
        }
        let renamed = format!("toast={ours}");
        let request = TestRequest::default().insert_header((COOKIE, renamed)).to_http_request();
        assert_eq!(cookies.open(&request, "toast"), None, "a value belongs to its name");
    }

    #[test]
    fn over_tls_cookies_are_bound_to_the_host() {
        let cookies = Cookies::new(&"a secret".into(), true);
        for cookie in [cookies.sealed("session", "x").finish(), cookies.removal("session")] {
            assert_eq!((cookie.name(), cookie.path(), cookie.domain()), ("__Host-session", Some("/"), None));
            assert_eq!((cookie.secure(), cookie.http_only()), (Some(true), Some(true)));
        }
    }
}
