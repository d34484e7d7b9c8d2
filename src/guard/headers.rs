//! The security headers of every response, including errors, static files and handlers that panicked.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{
    CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, PERMISSIONS_POLICY, STRICT_TRANSPORT_SECURITY,
};
use actix_web::middleware::Next;
use actix_web::web;

use super::{GuardSettings, panics};
use crate::resource::Endpoint;

/// Only our own files, and nothing inline: an injected script or style does not run.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; object-src 'none'; base-uri 'none'; \
     frame-ancestors 'none'; form-action 'self'";

const HEADERS: [(&str, &str); 5] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("referrer-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

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
            add(response.headers_mut(), uses_camera, is_https);
            Ok(response)
        }
        Err(error) => {
            let mut response = error.error_response();
            add(response.headers_mut(), false, is_https);
            Err(InternalError::from_response(error, response).into())
        }
    }
}

fn add(headers: &mut HeaderMap, uses_camera: bool, is_https: bool) {
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let permissions = if uses_camera { PERMISSIONS_WITH_CAMERA } else { PERMISSIONS };
    headers.insert(PERMISSIONS_POLICY, HeaderValue::from_static(permissions));
    if is_https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(STRICT_TRANSPORT));
    }
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(NO_STORE));
    }
}
