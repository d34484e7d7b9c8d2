//! Where to go after the sign-in: the organizer's page that was asked for. Only pages of ours count, so that no link
//! leads through our sign-in to another site.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::FromRequest;
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header::REFERER;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::resource;

const SIGN_IN: &str = "/admin/sign-in";
const SIGN_IN_CODE: &str = "/admin/sign-in/code";
const HOME: &str = "/admin";
/// Longer than any address of ours.
const LENGTH_MAX: usize = 2_000;
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Marks a form that is not sent but shown again, with what was typed before the session ended.
const RESUMED: &str = "resumed=1";

/// A path and query of an organizer's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnPath(String);

impl ReturnPath {
    /// The page that this text names; `None` when it is none of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let path = text.split('?').next().unwrap_or_default();
        let is_plain = text.len() <= LENGTH_MAX
            && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#'))
            && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_'));
        let is_page = path == HOME || path.starts_with("/admin/") && !path.starts_with(SIGN_IN);
        let is_known = || resource::find(path).is_some_and(|endpoint| endpoint.is_page);
        (is_plain && is_page && is_known()).then(|| Self(text.to_owned()))
    }

    /// The page that a request belongs to: the one that it asks for, the form that it posts, or the page that it
    /// was sent from.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Option<Self> {
        let header = |name: &str| request.headers().get(name).and_then(|it| it.to_str().ok());
        if request.headers().contains_key("HX-Request") {
            return header("HX-Current-URL").and_then(Self::of_url);
        }
        let path = request.match_info().as_str();
        let own = match request.uri().path_and_query() {
            Some(own) if request.method().is_safe() => own.as_str(),
            _ => path,
        };
        // A file is no page, but it is downloaded from one.
        let of_file = || Self::parse(&format!("{}/export", path.strip_suffix("/bookings.csv")?));
        Self::parse(own).or_else(of_file).or_else(|| header(REFERER.as_str()).and_then(Self::of_url))
    }

    /// Of an absolute URL only the path counts, whatever its host is.
    fn of_url(url: &str) -> Option<Self> {
        let (_, after_scheme) = url.split_once("://")?;
        Self::parse(&after_scheme[after_scheme.find('/')?..])
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address to which the form is posted after the sign-in, so that it is shown again and not carried
    /// out.
    #[must_use]
    pub fn to_resume(&self) -> String {
        let separator = if self.0.contains('?') { '&' } else { '?' };
        format!("{}{separator}{RESUMED}", self.0)
    }
}

/// The page that asks for the password, with the way back.
#[must_use]
pub fn sign_in_url(return_path: Option<&ReturnPath>) -> String {
    leading_back(SIGN_IN, return_path)
}

/// The page that asks for the second factor's code, with the way back.
#[must_use]
pub fn code_url(return_path: Option<&ReturnPath>) -> String {
    leading_back(SIGN_IN_CODE, return_path)
}

fn leading_back(page: &str, return_path: Option<&ReturnPath>) -> String {
    match return_path {
        Some(ReturnPath(path)) if path != HOME => {
            format!("{page}?next={}", utf8_percent_encode(path, KEPT))
        }
        _ => page.to_owned(),
    }
}

/// Where the sign-in leads.
#[must_use]
pub fn destination(return_path: Option<&ReturnPath>) -> &str {
    return_path.map_or(HOME, ReturnPath::as_str)
}

/// Whether a form was not sent by its visitor but is shown again after the sign-in: nothing of it is carried out.
pub struct Resumed(pub bool);

impl FromRequest for Resumed {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(request.query_string().split('&').any(|pair| pair == RESUMED))))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn only_the_organizers_pages_are_returned_to() {
        for path in [
            "/admin",
            "/admin/bookings/TK-7F3K-9QXM",
            "/admin/audit-log?action=signed+in&before=4711",
            "/admin/bookings?q=zo%C3%AB&event=midnight-parade",
            "/admin/events/midnight-parade/terms",
            "/admin/account",
        ] {
            assert_eq!(ReturnPath::parse(path).as_ref().map(ReturnPath::as_str), Some(path));
        }
        for path in [
            "",
            "/",
            "/bookings/find",
            "//elsewhere.example/admin",
            "//admin/bookings",
            "/\\elsewhere.example",
            "/admin\\bookings",
            "/admin/..//elsewhere.example",
            "/admin/../bookings",
            "/admin/%2e%2e/bookings",
            "/admin//bookings",
            "/admin/bookings\r\nSet-Cookie: a=b",
            "/admin/bookings#top",
            "/administrator",
            "/admin.elsewhere.example",
            "/admin@elsewhere.example",
            "https://elsewhere.example/admin",
            "javascript:alert(1)",
            "/admin/sign-in",
            "/admin/sign-in?next=/admin/sign-in",
            "/admin/sign-out",
            "/admin/sales",
            "/admin/check-in/turnout",
            "/admin/mails/attempts",
            "/admin/nowhere",
            "/admin/bookings?q=zoë",
            &format!("/admin/bookings?q={}", "x".repeat(LENGTH_MAX)),
        ] {
            assert_eq!(ReturnPath::parse(path), None, "{path}");
        }
    }

    #[test]
    fn a_request_leads_back_to_its_page() {
        let of = |request: TestRequest| ReturnPath::of(&request.to_http_request()).map(|path| path.0);
        let get = |uri: &str| TestRequest::get().uri(uri);
        assert_eq!(of(get("/admin/mails?state=failed")).as_deref(), Some("/admin/mails?state=failed"));
        assert_eq!(of(TestRequest::post().uri("/admin/reseed?resumed=1")).as_deref(), Some("/admin/reseed"));
        let resend = TestRequest::post().uri("/admin/mails/4/attempts");
        let resend = resend.insert_header((REFERER, "https://shop.example/admin/mails?state=failed"));
        assert_eq!(of(resend).as_deref(), Some("/admin/mails?state=failed"));
        let poll = get("/admin/sales").insert_header(("HX-Request", "true"));
        assert_eq!(
            of(poll.insert_header(("HX-Current-URL", "http://a:3000/admin"))).as_deref(),
            Some("/admin")
        );
        for referer in ["https://elsewhere.example/x", "https://elsewhere.example", "about:blank", "/admin"] {
            let action = TestRequest::post().uri("/admin/mails/4/attempts").insert_header((REFERER, referer));
            assert_eq!(of(action), None, "{referer}");
        }
        let file = get("/admin/events/a/bookings.csv");
        assert_eq!(of(file).as_deref(), Some("/admin/events/a/export"), "where a file is downloaded");
    }

    #[test]
    fn the_way_back_is_in_the_address_of_the_sign_in() {
        let to = |path: &str| sign_in_url(ReturnPath::parse(path).as_ref());
        assert_eq!(to("/admin"), "/admin/sign-in");
        assert_eq!(to("//elsewhere.example"), "/admin/sign-in");
        assert_eq!(
            to("/admin/mails?state=failed&before=7"),
            "/admin/sign-in?next=/admin/mails%3Fstate%3Dfailed%26before%3D7"
        );
        assert_eq!(destination(None), "/admin");
    }
}
