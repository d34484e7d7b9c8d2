//! Cross-site request forgery: only our own pages may change anything.
//!
//! Browsers name the source of a request in `Sec-Fetch-Site`, which a page cannot forge, and in `Origin`,
//! which older browsers send too. Whichever is present must name this site. A request with neither passes:
//! programs send neither, and no browser of the last years does. Older ones do: Firefox sent no `Origin` with
//! forms before version 70 and no `Sec-Fetch-Site` before 90. Their users are protected by `SameSite` on
//! every cookie of ours. Never relax it.
//!
//! The API reads no cookies, and other sites' pages cannot send its content type without a preflight. So it accepts
//! requests from anywhere, unless they carry cookies: then the same rule applies.
//!
//! A page whose address is a key sends no referrer, and browsers then send `Origin: null`. That passes if
//! `Sec-Fetch-Site` says that the page is ours, or if the request goes to an address that is a key: another site does
//! not know it.
//!
//! `PUBLIC_URL`, where it is set, is the only origin that counts: another domain that points at our address
//! is not ours. Without it, the host that the browser sends counts. Another domain that points here then
//! passes, but it gets no cookies of ours: browsers send them only to the name that they were set under.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{COOKIE, HOST, HeaderMap, ORIGIN};
use actix_web::middleware::Next;
use actix_web::web;

use super::{GuardSettings, own_host, refuse};
use crate::error::Error;
use crate::resource::{is_api, is_secret_path};

/// Refuses a change that another site's page requests, before any handler runs.
///
/// # Errors
/// Only those of the inner services.
pub async fn same_origin<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let settings = request.app_data::<web::Data<GuardSettings>>();
    let public_url = settings.and_then(|settings| settings.public_url.as_deref());
    let path = request.match_info().as_str();
    let is_open_to_all = || is_api(path) && !request.headers().contains_key(COOKIE);
    let is_ours = || is_ours(request.headers(), public_url, || is_secret_path(path));
    if !request.method().is_safe() && !is_open_to_all() && !is_ours() {
        let other_name = public_url
            .filter(|url| is_own_page(request.headers()) || own_host::is_foreign(request.headers(), url));
        let error = other_name.map_or(Error::CrossSite, |url| Error::OtherAddress { own: url.to_owned() });
        return Ok(refuse(request, error));
    }
    Ok(next.call(request).await?.map_into_left_body())
}

/// Whether a page of this server sends the request, under whatever address: another port or scheme, or an IP
/// address. Such a request is refused too, but its visitor is told the public address.
fn is_own_page(headers: &HeaderMap) -> bool {
    let origin = text(headers, ORIGIN.as_str()).and_then(|origin| origin.split_once("://"));
    let is_own_origin = origin.map(|(_, host)| Some(host) == text(headers, HOST.as_str()));
    is_own_origin.unwrap_or_else(|| text(headers, "sec-fetch-site") == Some("same-origin"))
}

fn is_ours(headers: &HeaderMap, public_url: Option<&str>, is_secret: impl Fn() -> bool) -> bool {
    let site = text(headers, "sec-fetch-site");
    let is_own_page = site.is_none_or(|site| matches!(site, "same-origin" | "none"));
    let is_own_host = || public_url.is_none_or(|url| own_host::is_own(headers, url));
    let is_own_origin = text(headers, ORIGIN.as_str()).is_none_or(|origin| match public_url {
        _ if origin == "null" => is_secret() || site == Some("same-origin") && is_own_host(),
        Some(ours) => origin == ours,
        None => {
            // Only the browser knows whether a proxy speaks TLS to it, so the scheme is not compared.
            let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            host.is_some() && host == text(headers, HOST.as_str())
        }
    });
    is_own_page && is_own_origin
}

/// The header's text. If it is unreadable or sent twice, the text is empty, which never counts as ours.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut all = headers.get_all(name);
    let only = all.next()?.to_str().unwrap_or_default();
    Some(if all.next().is_some() { "" } else { only })
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn ours(headers: &[(&'static str, &'static str)], public_url: Option<&str>) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        is_ours(&map, public_url, || false)
    }

    #[test]
    fn a_page_without_a_referrer_is_known_by_its_site_or_by_the_address_that_it_knows() {
        let same_origin = ("sec-fetch-site", "same-origin");
        let null = ("origin", "null");
        assert!(ours(&[same_origin, null], None));
        assert!(ours(&[same_origin, null, ("host", "shop:80")], Some("https://shop")));
        let proxied = [same_origin, null, ("host", "inner"), ("x-forwarded-host", "shop")];
        assert!(ours(&proxied, Some("https://shop")));
        assert!(!ours(&[("sec-fetch-site", "none"), null], None), "a sandboxed page");
        assert!(!ours(&[null], None));

        let to_a_key = |headers: &[(&'static str, &'static str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            is_ours(&map, Some("https://shop"), || true)
        };
        assert!(to_a_key(&[null]) && to_a_key(&[null, same_origin]));
        for site in ["cross-site", "same-site"] {
            assert!(!to_a_key(&[null, ("sec-fetch-site", site)]), "{site}");
        }
        assert!(!to_a_key(&[("origin", "https://evil")]));
    }

    #[test]
    fn only_our_own_pages_change_anything() {
        assert!(ours(&[("sec-fetch-site", "same-origin")], None));
        assert!(ours(&[("sec-fetch-site", "none")], None));
        assert!(ours(&[("origin", "http://a:3000"), ("host", "a:3000")], None));
        assert!(ours(&[("origin", "https://a"), ("host", "a")], None));
        assert!(ours(&[], None));

        for site in ["cross-site", "same-site", "", "Same-Origin", "same-origin, none"] {
            assert!(!ours(&[("sec-fetch-site", site)], None), "{site}");
            assert!(
                !ours(&[("sec-fetch-site", site), ("origin", "http://a"), ("host", "a")], None),
                "{site}"
            );
        }
        for origin in ["http://evil", "null", "", "a:3000", "ftp://a:3000", "http://a", "http://a:3000/"] {
            assert!(!ours(&[("origin", origin), ("host", "a:3000")], None), "{origin}");
        }
        assert!(!ours(&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], None));
        assert!(!ours(&[("origin", "http://a"), ("origin", "http://evil"), ("host", "a")], None));
        assert!(!ours(&[("origin", "http://a")], None), "no host to compare with");
    }

    #[test]
    fn with_a_public_url_that_alone_counts() {
        let public_url = Some("https://shop");
        assert!(ours(&[("origin", "https://shop"), ("host", "inner:3000")], public_url));
        assert!(ours(&[("sec-fetch-site", "same-origin"), ("origin", "https://shop")], public_url));
        for origin in ["http://shop", "https://shop:444", "https://www.shop", "http://inner:3000", "null"] {
            let headers = [("sec-fetch-site", "same-origin"), ("origin", origin), ("host", "inner:3000")];
            assert!(!ours(&headers, public_url), "{origin}");
            assert!(!ours(&headers[1..], public_url), "{origin}");
        }
    }
}
