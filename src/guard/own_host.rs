//! One site, one address: a page that is opened under another name of the server is shown at `PUBLIC_URL`. Its forms
//! would be refused there, and its cookies belong to that name alone.
//!
//! Some requests are not redirected: those that change something, monitoring, the API, which programs may
//! call by an inner name, and requests to hosts that only a proxy or an operator uses, which are IP addresses
//! and names without a dot. A trusted proxy may also name the visitor's host in `X-Forwarded-Host`. The
//! target is always `PUBLIC_URL`, so no request can choose another site.
//!
//! Without `PUBLIC_URL` the server does not know its own name. But a server that only this machine reaches
//! has no public name: a request under one comes from a site that has pointed its name here (DNS rebinding),
//! and is refused.

use std::net::IpAddr;

use actix_web::HttpResponse;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{HOST, HeaderMap, LOCATION};
use actix_web::middleware::Next;
use actix_web::web;

use super::{GuardSettings, refuse, stop};
use crate::error::Error;
use crate::resource::{find, is_api};

const FORWARDED_HOST: &str = "x-forwarded-host";

/// Sends a visitor who reads a page under another name of this server to `PUBLIC_URL`.
///
/// # Errors
/// Only those of the inner services.
pub async fn redirect_to_own_host<B: MessageBody>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    forget_claimed_host(&mut request);
    let path = request.match_info().as_str();
    let is_left_alone = || {
        !request.method().is_safe()
            || is_api(path)
            || find(path).is_some_and(|endpoint| endpoint.is_monitoring)
    };
    // The host is compared first: nearly every request names the site's own, and its path need not be looked up.
    let settings = request.app_data::<web::Data<GuardSettings>>();
    let redirect_to = settings
        .and_then(|settings| settings.public_url.as_ref())
        .filter(|url| is_foreign(request.headers(), url) && !is_left_alone());
    if settings.is_some_and(|settings| is_rebound(request.headers(), settings)) {
        let error = Error::Unreadable("the host is not this server".into(), StatusCode::MISDIRECTED_REQUEST);
        return Ok(refuse(request, error));
    }
    match redirect_to {
        Some(public_url) => {
            let place = request.uri().path_and_query().map_or("/", |it| it.as_str());
            let place = if place.starts_with('/') { place } else { "/" };
            let location = (LOCATION, format!("{public_url}{place}"));
            let redirect = HttpResponse::PermanentRedirect().insert_header(location).finish();
            Ok(stop(request, redirect))
        }
        None => Ok(next.call(request).await?.map_into_left_body()),
    }
}

/// Takes `X-Forwarded-Host` out of a request that comes from no trusted proxy: a page that has pointed its name here
/// could send it.
fn forget_claimed_host(request: &mut ServiceRequest) {
    if !request.headers().contains_key(FORWARDED_HOST) {
        return;
    }
    let settings = request.app_data::<web::Data<GuardSettings>>();
    let is_trusted = request.peer_addr().is_some_and(|peer| {
        settings.is_some_and(|settings| settings.trusted_proxies.include(peer.ip().to_canonical()))
    });
    if !is_trusted {
        request.headers_mut().remove(FORWARDED_HOST);
    }
}

/// Whether a public name leads to a server that has none.
fn is_rebound(headers: &HeaderMap, settings: &GuardSettings) -> bool {
    let name = || headers.get(HOST).and_then(|value| value.to_str().ok()).map(host);
    settings.is_private && settings.public_url.is_none() && name().is_some_and(is_public)
}

/// Whether a browser has reached the site under a name that is not its own.
pub(super) fn is_foreign(headers: &HeaderMap, public_url: &str) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(host);
    let own = public_url.split_once("://").map_or(public_url, |(_, rest)| rest);
    let names_site = |name: &str| name.eq_ignore_ascii_case(host(own));
    // A trailing dot, which stands for the DNS root, leaves the name the same but changes the origin: forms
    // would be refused.
    let is_rooted =
        |host: &str| host.trim_end_matches(|c: char| c.is_ascii_digit() || c == ':').ends_with('.');
    let ends_with_dot = headers.get(HOST).and_then(|value| value.to_str().ok()).is_some_and(is_rooted);
    match text(HOST.as_str()) {
        Some(name) => {
            is_public(name)
                && (ends_with_dot || !names_site(name))
                && !text(FORWARDED_HOST).is_some_and(names_site)
        }
        None => false,
    }
}

/// Whether a browser has reached the site under its own name.
pub(super) fn is_own(headers: &HeaderMap, public_url: &str) -> bool {
    let own = public_url.split_once("://").map_or(public_url, |(_, rest)| rest);
    let named = [HOST.as_str(), FORWARDED_HOST].map(|name| headers.get(name)).into_iter().flatten();
    let mut names = named.filter_map(|value| value.to_str().ok()).map(host);
    names.any(|name| name.eq_ignore_ascii_case(host(own)))
}

/// The name of a host, without the port, which a proxy may have changed, and without a trailing dot. Each
/// proxy may append a host: the first one is the visitor's.
fn host(text: &str) -> &str {
    let text = text.split(',').next().unwrap_or_default().trim();
    let name = match text.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => text,
    };
    name.strip_suffix('.').unwrap_or(name)
}

/// Whether visitors use such a name: not an address, nor a name without a dot, nor one that always means this machine
/// (RFC 6761, section 6.3).
fn is_public(name: &str) -> bool {
    name.contains('.')
        && name.parse::<IpAddr>().is_err()
        && !name.starts_with('[')
        && !name.to_ascii_lowercase().ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn foreign(headers: &[(&'static str, &'static str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        is_foreign(&map, "https://tickets.example.org")
    }

    #[test]
    fn other_names_are_foreign_and_inner_ones_are_not() {
        for host in [
            "www.tickets.example.org",
            "example.org",
            "tickets.example.com:443",
            "evil.example",
            "tickets.example.org.",
            "tickets.example.org.:443",
        ] {
            assert!(foreign(&[("host", host)]), "{host}");
            assert!(!foreign(&[("host", host), ("x-forwarded-host", "tickets.example.org")]), "{host}");
            assert!(foreign(&[("host", host), ("x-forwarded-host", "www.tickets.example.org")]), "{host}");
        }
        for host in [
            "tickets.example.org",
            "Tickets.Example.org:443",
            "tickets.example.org:3000",
            "127.0.0.1:3000",
            "10.0.0.5",
            "[::1]:3000",
            "[2001:db8::1]",
            "localhost:3000",
            "shop.Localhost:3000",
            "techkraft",
            "",
        ] {
            assert!(!foreign(&[("host", host)]), "{host}");
        }
        assert!(!foreign(&[]), "no host at all");
    }
}
