//! The headers that every response carries, errors, static files and crashed pages included.

use std::panic::AssertUnwindSafe;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{
    CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, PERMISSIONS_POLICY, STRICT_TRANSPORT_SECURITY,
};
use actix_web::middleware::Next;
use actix_web::web;
use futures_util::FutureExt as _;

use super::cookies::Cookies;
use crate::error::Error;

/// Everything from ourselves, and nothing inline: a script or style that somebody smuggles in is dead.
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

/// The pages that may ask for the camera.
const CAMERA_PATHS: [&str; 1] = ["/admin/check-in"];

/// A year, and for every name below the site's own (OWASP ASVS 5.0, 3.4.1). Not `preload`: that is for the
/// owner of the whole domain to ask for.
const STRICT_TRANSPORT: &str = "max-age=31536000; includeSubDomains";

/// What says nothing about caches is kept by none.
const NOT_KEPT: &str = "no-store";

/// Adds the headers on the way out. A handler that panics is answered with the page of an error of ours.
///
/// # Errors
/// What an inner middleware said, as a response with the same headers.
pub async fn secure_headers(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let permissions = permissions_policy(request.path());
    let is_https = request.app_data::<web::Data<Cookies>>().is_some_and(|cookies| cookies.is_https());
    let answer = AssertUnwindSafe(async { next.call(request).await }).catch_unwind().await;
    // The panic itself is logged where it happens, by the hook.
    let answer = answer.unwrap_or_else(|_| Err(Error::Internal("a handler panicked".into()).into()));
    match answer {
        Ok(mut response) => {
            add(response.headers_mut(), permissions, is_https);
            Ok(response)
        }
        Err(error) => {
            let mut response = error.error_response();
            add(response.headers_mut(), permissions, is_https);
            Err(InternalError::from_response(error, response).into())
        }
    }
}

fn permissions_policy(path: &str) -> &'static str {
    if CAMERA_PATHS.contains(&path) { PERMISSIONS_WITH_CAMERA } else { PERMISSIONS }
}

fn add(headers: &mut HeaderMap, permissions: &'static str, is_https: bool) {
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.insert(PERMISSIONS_POLICY, HeaderValue::from_static(permissions));
    if is_https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(STRICT_TRANSPORT));
    }
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(NOT_KEPT));
    }
}
