//! The headers that every response carries, errors and static files included.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;

/// Everything from ourselves, and nothing inline: a script or style that somebody smuggles in is dead.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; \
     base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

/// The one page that scans tickets with the camera.
const CAMERA_PATH: &str = "/admin/check-in";
const CAMERA_POLICY: &str = "camera=(self), microphone=(), geolocation=(), payment=()";

const HEADERS: [(&str, &str); 6] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("referrer-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=()"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Adds the headers on the way out.
///
/// # Errors
/// None of its own.
pub async fn secure_headers(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let may_use_camera = request.path() == CAMERA_PATH;
    let mut response = next.call(request).await?;
    for (name, value) in HEADERS {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if may_use_camera {
        let policy = HeaderValue::from_static(CAMERA_POLICY);
        response.headers_mut().insert(HeaderName::from_static("permissions-policy"), policy);
    }
    Ok(response)
}
