//! The security headers of every response, including errors, static files and handlers that panicked.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{
    CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, PERMISSIONS_POLICY, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY,
};
use actix_web::middleware::Next;
use actix_web::web;

use super::{GuardSettings, panics};
use crate::resource::{self, Endpoint};

/// Only our own files, and nothing inline: an injected script or style does not run.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; object-src 'none'; base-uri 'none'; \
     frame-ancestors 'none'; form-action 'self'";

const HEADERS: [(&str, &str); 4] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Other sites learn nothing of where a visitor was.
const REFERRER: &str = "same-origin";
/// For an address that is a key: even our own server and its proxies get no referrer, because it would be in
/// their logs.
const NO_REFERRER: &str = "no-referrer";

const PERMISSIONS: &str = "camera=(), microphone=(), geolocation=(), payment=()";
const PERMISSIONS_WITH_CAMERA: &str = "camera=(self), microphone=(), geolocation=(), payment=()";

/// A year, subdomains included (OWASP ASVS 5.0, 3.4.1). Without `preload`: only the owner of the whole domain should
/// ask for that.
const STRICT_TRANSPORT: &str = "max-age=31536000; includeSubDomains";

/// For every response that has no `Cache-Control` of its own.
const NO_STORE: &str = "no-store";

/// Adds the headers to every response. A handler that panics is answered with an error page.
///
/// # Errors
/// An inner middleware's error, as a response with the same headers.
pub async fn secure_headers(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let is_https = request.app_data::<web::Data<GuardSettings>>().is_some_and(|settings| settings.is_https);
    // In a block of its own, so that the routing inside `call` is covered too.
    match panics::catch(async { next.call(request).await }).await {
        Ok(mut response) => {
            let endpoint = response.request().app_data::<&'static Endpoint>();
            let uses_camera = endpoint.is_some_and(|endpoint| endpoint.uses_camera);
            let is_secret = match endpoint {
                Some(endpoint) => endpoint.is_secret(),
                None => resource::is_secret_path(response.request().match_info().as_str()),
            };
            add(response.headers_mut(), uses_camera, is_secret, is_https);
            Ok(response)
        }
        Err(error) => {
            let mut response = error.error_response();
            // The address may be a key, so the response allows no referrer.
            add(response.headers_mut(), false, true, is_https);
            Err(InternalError::from_response(error, response).into())
        }
    }
}

fn add(headers: &mut HeaderMap, uses_camera: bool, is_secret: bool, is_https: bool) {
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let permissions = if uses_camera { PERMISSIONS_WITH_CAMERA } else { PERMISSIONS };
    headers.insert(PERMISSIONS_POLICY, HeaderValue::from_static(permissions));
    if !headers.contains_key(REFERRER_POLICY) {
        let policy = if is_secret { NO_REFERRER } else { REFERRER };
        headers.insert(REFERRER_POLICY, HeaderValue::from_static(policy));
    }
    if is_https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(STRICT_TRANSPORT));
    }
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(NO_STORE));
    }
}
