//! What the site's URLs are: for each one its pattern, the methods it takes, its rate limit, and whether it may use
//! the camera, is cached by proxies or holds a secret. The table is [`urls`].
//!
//! [`crate::routes`] adds the handlers. Middlewares that run before routing call [`find`]; those that run after it
//! read the `&'static Endpoint` that every resource carries as app data.
//!
//! Handlers and anything about a feature do not belong here.

mod log_path;
mod rate_class;
pub mod urls;

use actix_web::guard::{Any, Get, Head};
use actix_web::http::Method;
use actix_web::web::{self, PayloadConfig, to};
use actix_web::{HttpResponse, Resource, Route};

pub use self::log_path::without_secrets;
pub use self::rate_class::RateClass;
use crate::error::Error;

/// The placeholder whose value alone gives access to something.
const KEY_PLACEHOLDER: &str = "{token}";
/// Placeholders of which a log shows only the first characters.
const SECRET_PLACEHOLDERS: [&str; 2] = [KEY_PLACEHOLDER, "{reference}"];

/// Largest body, in bytes: several times the longest name and address.
pub const BODY_BYTES_MAX: usize = 16 * 1024;
/// Largest body of a form with a long text: ten thousand letters of a script that a form writes with nine bytes each.
pub const LONG_BODY_BYTES_MAX: usize = 112 * 1024;

/// Largest body with a file, in bytes. A file above its own limit is read to its end: its form is shown again.
pub const UPLOAD_BYTES_MAX: usize = 32 * 1024 * 1024;

/// One URL of the site.
#[derive(Debug)]
pub struct Endpoint {
    /// As actix reads it: `/bookings/{token}`.
    pub pattern: &'static str,
    /// For the header `Allow`.
    pub methods: &'static str,
    read_class: RateClass,
    write_class: RateClass,
    /// Whether its page may ask for the camera.
    pub uses_camera: bool,
    /// Whether the sign-in may lead back to it. Only read for the organizer's pages.
    pub is_page: bool,
    /// Whether proxies keep the response, which is the same for everybody.
    pub is_cached: bool,
    /// Whether monitoring asks for it all the time: it is neither logged nor rate limited.
    pub is_monitoring: bool,
    /// The largest body, in bytes.
    pub body_max: usize,
    /// Whether a file may be sent: with a form, or by itself through the API.
    pub takes_file: bool,
}

impl Endpoint {
    const fn new(pattern: &'static str, methods: &'static str) -> Self {
        Self {
            pattern,
            methods,
            read_class: RateClass::Pages,
            write_class: RateClass::Pages,
            uses_camera: false,
            is_page: true,
            is_cached: false,
            is_monitoring: false,
            body_max: BODY_BYTES_MAX,
            takes_file: false,
        }
    }

    /// A page: GET and HEAD.
    const fn page(pattern: &'static str) -> Self {
        Self::new(pattern, "GET, HEAD")
    }

    /// A form: it is shown and posted back.
    const fn form(pattern: &'static str) -> Self {
        Self::new(pattern, "GET, HEAD, POST")
    }

    /// An action: POST only.
    const fn action(pattern: &'static str) -> Self {
        Self { is_page: false, ..Self::new(pattern, "POST") }
    }

    /// Of the API: something that is switched on and off.
    const fn switch(pattern: &'static str) -> Self {
        Self { is_page: false, ..Self::new(pattern, "POST, DELETE") }
    }

    /// Of the API, with methods that no page has.
    const fn with_methods(pattern: &'static str, methods: &'static str) -> Self {
        Self { is_page: false, ..Self::new(pattern, methods) }
    }

    /// A part of a page, or a file: it is no page of its own.
    const fn part(self) -> Self {
        Self { is_page: false, ..self }
    }

    const fn class(self, class: RateClass) -> Self {
        Self { read_class: class, write_class: class, ..self }
    }

    const fn post_class(self, class: RateClass) -> Self {
        Self { write_class: class, ..self }
    }

    const fn camera(self) -> Self {
        Self { uses_camera: true, ..self }
    }

    const fn cached(self) -> Self {
        Self { is_cached: true, ..self }
    }

    /// Its form has a long text, in any script.
    const fn long_text(self) -> Self {
        Self { body_max: LONG_BODY_BYTES_MAX, ..self }
    }

    /// Its form has a file, or a file is sent by itself.
    const fn with_file(self) -> Self {
        Self { takes_file: true, ..self }
    }

    const fn monitoring(self) -> Self {
        Self { is_monitoring: true, ..self }
    }

    /// The actix resource, to which [`crate::routes`] adds the handlers. Other methods are refused with 405.
    pub fn resource(&'static self) -> Resource {
        let methods = self.methods;
        let refuse =
            move || async move { Err::<HttpResponse, _>(Error::MethodNotAllowed { allowed: methods }) };
        let resource = web::resource(self.pattern).app_data(self).default_service(to(refuse));
        if self.body_max == BODY_BYTES_MAX {
            return resource;
        }
        resource.app_data(PayloadConfig::new(self.body_max))
    }

    /// The rate limit that counts a request.
    #[must_use]
    pub fn rate_class(&self, method: &Method) -> RateClass {
        let class = if method.is_safe() { self.read_class } else { self.write_class };
        let is_organizers = self.pattern == "/admin" || self.pattern.starts_with("/admin/");
        if class == RateClass::Pages && is_organizers { RateClass::Admin } else { class }
    }

    /// Whether a path is this URL's. Allocates nothing: the rate limiter asks for each request.
    fn matches(&self, path: &str) -> bool {
        let (mut pattern, mut path) = (self.pattern, path);
        while let Some((literal, rest)) = pattern.split_once('{') {
            let Some(value) = path.strip_prefix(literal) else { return false };
            let (placeholder, rest) = rest.split_once('}').unwrap_or((rest, ""));
            if placeholder.ends_with(":.*") {
                return true;
            }
            let end = value.find('/').unwrap_or(value.len());
            if end == 0 {
                return false;
            }
            (pattern, path) = (rest, &value[end..]);
        }
        path == pattern
    }

    /// Whether its address is a key: anybody who knows the address may open it.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.pattern.contains(KEY_PLACEHOLDER)
    }

    /// Which part of the path is secret, counted without empty parts.
    fn secret_index(&self) -> Option<usize> {
        parts(self.pattern).position(|part| SECRET_PLACEHOLDERS.contains(&part))
    }
}

/// The URL that a path belongs to. The path is percent-decoded, as actix matches it: `match_info().as_str()`.
#[must_use]
pub fn find(path: &str) -> Option<&'static Endpoint> {
    urls::ALL.iter().copied().find(|endpoint| endpoint.matches(path))
}

/// Whether a percent-decoded path is a key, or has one in it.
#[must_use]
pub fn is_secret_path(path: &str) -> bool {
    find(path).map_or_else(|| secret_part(path).is_some(), Endpoint::is_secret)
}

/// Whether a percent-decoded path belongs to the API, paths that do not exist included.
#[must_use]
pub fn is_api(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

/// The part of a path that gives access to something. A token is also found in a path with doubled slashes or
/// with extra parts after it.
#[must_use]
pub fn secret_part(path: &str) -> Option<&str> {
    let found: Vec<&str> = parts(path).collect();
    for endpoint in urls::ALL {
        let pattern: Vec<&str> = parts(endpoint.pattern).collect();
        let fits = |count: usize| {
            found.len() >= count
                && pattern.iter().zip(&found).take(count).all(|(it, part)| it.starts_with('{') || it == part)
        };
        match endpoint.secret_index() {
            Some(index) if fits(index + 1) => return Some(found[index]),
            None if pattern.len() == found.len() && fits(found.len()) => return None,
            _ => {}
        }
    }
    None
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}

/// `GET`, and `HEAD` with it.
pub fn get() -> Route {
    web::route().guard(Any(Get()).or(Head()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_url_is_found_by_its_own_path() {
        for endpoint in urls::ALL {
            let path = endpoint.pattern.replace("{name:.*}", "css/app.css");
            let path = path.replace('{', "a-").replace('}', "");
            assert!(std::ptr::eq(find(&path).expect(&path), *endpoint), "{path}");
        }
        for path in
            ["", "/nowhere", "/bookings/", "/bookings//", "/bookings/a/b", "/events//availability", "/api"]
        {
            assert!(find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn each_url_has_its_rate_class() {
        for (method, path, class) in [
            (Method::GET, "/", RateClass::Pages),
            (Method::GET, "/bookings/new", RateClass::Pages),
            (Method::HEAD, "/bookings", RateClass::Pages),
            (Method::POST, "/bookings", RateClass::Bookings),
            (Method::PUT, "/bookings", RateClass::Bookings),
            (Method::POST, "/bookings/abc/cancellation", RateClass::Bookings),
            (Method::POST, "/buyer/forget", RateClass::Pages),
            (Method::GET, "/admin/sign-in", RateClass::Admin),
            (Method::POST, "/admin/sign-in", RateClass::SignIn),
            (Method::GET, "/admin/password", RateClass::Admin),
            (Method::POST, "/admin/password", RateClass::SignIn),
            (Method::POST, "/admin/sign-out", RateClass::Admin),
            (Method::GET, "/admin/sales", RateClass::Admin),
            (Method::GET, "/admin/events/x/bookings.csv", RateClass::Admin),
            (Method::POST, "/bookings/find", RateClass::Bookings),
            (Method::GET, "/events/x/availability", RateClass::Polls),
            (Method::GET, "/events/x", RateClass::Pages),
            (Method::GET, "/events/x/queue", RateClass::Pages),
            (Method::POST, "/events/x/queue", RateClass::Places),
            (Method::GET, "/events/x/queue/line", RateClass::Polls),
            (Method::GET, "/static/css/app.css", RateClass::StaticFiles),
            (Method::GET, "/favicon.ico", RateClass::StaticFiles),
            (Method::POST, "/gates/abc", RateClass::Gates),
            (Method::POST, "/admin/check-in", RateClass::Gates),
            (Method::GET, "/events/x/preview.png", RateClass::Previews),
            (Method::GET, "/tickets/abc", RateClass::Pages),
            (Method::POST, "/api/v1/bookings", RateClass::Bookings),
            (Method::GET, "/api/v1/events", RateClass::Api),
        ] {
            assert_eq!(find(path).expect(path).rate_class(&method), class, "{method} {path}");
        }
    }

    #[test]
    fn addresses_that_are_keys_are_known() {
        for path in
            ["/bookings/AbCd", "/tickets/AbCd", "/gates/AbCd/turnout", "//bookings//AbCd", "/bookings/AbCd/x"]
        {
            assert!(is_secret_path(path), "{path}");
        }
        for path in
            ["/", "/bookings", "/bookings/new", "/bookings/find", "/admin/bookings/TK-7F3K-9QXM", "/nowhere"]
        {
            assert!(!is_secret_path(path), "{path}");
        }
    }

    #[test]
    fn a_secret_is_found_wherever_a_path_puts_it() {
        for (path, secret) in [
            ("/bookings/AbCd", Some("AbCd")),
            ("/bookings/AbCd/calendar.ics", Some("AbCd")),
            ("/bookings/AbCd/no/such/page", Some("AbCd")),
            ("/tickets/AbCd", Some("AbCd")),
            ("/tickets/AbCd/calendar.ics", Some("AbCd")),
            ("//bookings//AbCd/", Some("AbCd")),
            ("/api/v1/bookings/AbCd", Some("AbCd")),
            ("/admin/bookings/TK-7F3K-9QXM/cancellation", Some("TK-7F3K-9QXM")),
            ("/gates/AbCd", Some("AbCd")),
            ("/gates/AbCd/turnout", Some("AbCd")),
            ("/bookings/new", None),
            ("/bookings", None),
            ("/events/midnight-parade/availability", None),
            ("/elsewhere/AbCd", None),
        ] {
            assert_eq!(secret_part(path), secret, "{path}");
        }
    }
}
