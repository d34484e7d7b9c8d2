//! Cookies that only this site can make or read: their values are sealed, so nobody else who looks into the browser
//! reads a name or an address there.
//!
//! Over TLS their names begin with `__Host-`: browsers then accept them only from this host, over TLS and for all
//! paths, so that no sibling domain can plant one (RFC 6265bis, 4.1.3.2).

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, CookieBuilder};
use actix_web::http::header::COOKIE;
use chrono::Utc;

use super::sealing::Sealer;
use super::secret::{Purpose, Secrets};

const HOST_PREFIX: &str = "__Host-";

/// Most cookies of one name that are tried: a sibling domain may have planted some beside ours.
const SAME_NAME_MAX: usize = 4;

/// Longest value that is tried, in bytes: browsers keep up to 4,096 (RFC 6265, section 6.1).
const VALUE_LENGTH_MAX: usize = 4096;

/// Makes and reads the site's cookies.
#[derive(Clone)]
pub struct Cookies {
    sealer: Sealer,
    is_https: bool,
}

impl Cookies {
    /// `is_https`: whether visitors come over TLS, so that cookies may insist on it.
    #[must_use]
    pub fn new(secrets: &Secrets, is_https: bool) -> Self {
        Self { sealer: Sealer::new(secrets, Purpose::Cookies), is_https }
    }

    /// A cookie with a sealed value that scripts cannot read. The caller adds its lifetime and `SameSite`.
    #[must_use]
    pub fn sealed(&self, name: &str, value: &str) -> CookieBuilder<'static> {
        let name = self.full_name(name);
        let sealed = self.sealer.seal(&name, value);
        self.http_only(name, sealed)
    }

    /// The same with an end inside the seal: a copy of the cookie is worth nothing after it. Read by
    /// [`Cookies::open_dated`].
    #[must_use]
    pub fn dated(&self, name: &str, value: &str, lifetime: Duration) -> CookieBuilder<'static> {
        let until = Utc::now().timestamp() + lifetime.whole_seconds();
        self.sealed(name, &format!("{until} {value}")).max_age(lifetime)
    }

    /// The value of a cookie of [`Cookies::dated`] that has not ended.
    #[must_use]
    pub fn open_dated(&self, request: &HttpRequest, name: &str) -> Option<String> {
        let opened = self.open(request, name)?;
        let (until, value) = opened.split_once(' ')?;
        (Utc::now().timestamp() < until.parse().ok()?).then(|| value.to_owned())
    }

    /// The value of a cookie; `None` if there is none, or if it was not made here.
    #[must_use]
    pub fn open(&self, request: &HttpRequest, name: &str) -> Option<String> {
        if !request.headers().contains_key(COOKIE) {
            return None;
        }
        let name = self.full_name(name);
        let headers = request.headers().get_all(COOKIE);
        // Split as bytes: one that is not UTF-8 must not hide the others.
        let pairs = headers.flat_map(|header| header.as_bytes().split(|byte| *byte == b';'));
        let values = pairs.filter_map(|pair| {
            let (its_name, value) = str::from_utf8(pair).ok()?.split_once('=')?;
            (its_name.trim() == name && value.len() <= VALUE_LENGTH_MAX).then(|| value.trim())
        });
        values.take(SAME_NAME_MAX).find_map(|value| self.sealer.open(&name, value))
    }

    /// A cookie that makes the browser delete the one of that name.
    #[must_use]
    pub fn removal(&self, name: &str) -> Cookie<'static> {
        self.http_only(self.full_name(name), String::new()).max_age(Duration::ZERO).finish()
    }

    fn http_only(&self, name: String, value: String) -> CookieBuilder<'static> {
        Cookie::build(name, value).path("/").http_only(true).secure(self.is_https)
    }

    fn full_name(&self, name: &str) -> String {
        let prefix = if self.is_https { HOST_PREFIX } else { "" };
        format!("{prefix}{name}")
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
    fn a_replaced_secret_still_opens_its_cookies() {
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
    fn planted_cookies_neither_hide_ours_nor_count() {
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

    /// Seen to fail without the check of the date.
    #[test]
    fn a_copy_of_a_dated_cookie_ends() {
        let cookies = Cookies::new(&"a secret".into(), false);
        for (seconds, value) in [(60, Some("a token")), (0, None), (-1, None)] {
            let cookie = cookies.dated("new", "a token", Duration::seconds(seconds)).finish();
            let header = (COOKIE, format!("new={}", cookie.value()));
            let request = TestRequest::default().insert_header(header).to_http_request();
            assert_eq!(cookies.open_dated(&request, "new").as_deref(), value, "{seconds}");
        }
        let undated = format!("new={}", cookies.sealed("new", "a token").finish().value());
        let request = TestRequest::default().insert_header((COOKIE, undated)).to_http_request();
        assert_eq!(cookies.open_dated(&request, "new"), None);
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
