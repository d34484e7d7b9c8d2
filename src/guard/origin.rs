//! Cross-site request forgery: a state change is only taken from our own pages.
//!
//! Browsers say where a request comes from in `Sec-Fetch-Site`, which a page cannot forge; those too old
//! for it send `Origin`. A request with neither comes from no browser, so it carries nobody's cookies by
//! surprise, and passes.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HOST, HeaderMap, ORIGIN};
use actix_web::middleware::Next;
use actix_web::web;

use crate::app::App;
use crate::error::Error;

/// Refuses a state change that another site's page asks for.
///
/// # Errors
/// [`Error::CrossSite`], before any handler runs.
pub async fn same_origin(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let public_url = request.app_data::<web::Data<App>>().and_then(|app| app.config.public_url.as_deref());
    if !request.method().is_safe() && !is_ours(request.headers(), public_url) {
        return Err(Error::CrossSite.into());
    }
    next.call(request).await
}

fn is_ours(headers: &HeaderMap, public_url: Option<&str>) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = text(ORIGIN.as_str()) else { return true };
    if public_url == Some(origin) {
        return true;
    }
    let host = origin.split_once("://").map(|(_, host)| host);
    host.is_some() && host == text(HOST.as_str())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn ours(headers: &[(&'static str, &'static str)], public_url: Option<&str>) -> bool {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        is_ours(&headers, public_url)
    }

    #[test]
    fn only_our_own_pages_change_anything() {
        assert!(ours(&[("sec-fetch-site", "same-origin")], None));
        assert!(ours(&[("origin", "http://a:3000"), ("host", "a:3000")], None));
        assert!(ours(&[("origin", "https://shop"), ("host", "inner:3000")], Some("https://shop")));
        assert!(ours(&[], None));

        assert!(!ours(&[("sec-fetch-site", "cross-site")], None));
        assert!(!ours(&[("sec-fetch-site", "same-site")], None));
        assert!(!ours(&[("sec-fetch-site", "cross-site"), ("origin", "http://a"), ("host", "a")], None));
        assert!(!ours(&[("origin", "http://evil"), ("host", "a:3000")], None));
        assert!(!ours(&[("origin", "null"), ("host", "a:3000")], None));
    }
}
