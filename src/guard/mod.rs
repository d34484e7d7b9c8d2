//! What stands between the network and the handlers: cookies, the site's secret, CSRF, rate limits, the client's
//! address, response headers, the request log, and what a request may look like at all.
//!
//! Features and pages do not belong here: this module knows URLs only as [`crate::resource`] describes them.

pub mod api_tokens;
pub mod client_address;
pub mod cookies;
pub mod csrf;
pub mod digits;
pub mod form;
pub mod headers;
pub mod limits;
pub mod multipart;
pub mod own_host;
pub mod panics;
pub mod request_log;
pub mod request_validation;
pub mod sealing;
pub mod secret;
pub mod signing;
mod store;
pub mod typed_number;

use actix_web::body::EitherBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::{HttpMessage as _, HttpResponse, ResponseError as _};

use self::api_tokens::{ApiBookings, ApiTokens};
use self::client_address::TrustedProxies;
use crate::error::Error;

/// The settings that the middlewares share. The server gives them to actix as app data.
#[derive(Debug, Clone, Default)]
pub struct GuardSettings {
    /// The one origin that may post forms; `None`: the host that the browser names.
    pub public_url: Option<String>,
    /// Whether visitors come over TLS.
    pub is_https: bool,
    /// Whether only this machine reaches the server.
    pub is_private: bool,
    pub trusted_proxies: TrustedProxies,
    pub api_tokens: ApiTokens,
    pub api_bookings: ApiBookings,
}

/// Answers a request that goes no further. As a response, not as an error: the middlewares around this one add
/// headers to responses and log them.
fn refuse<B>(request: ServiceRequest, error: Error) -> ServiceResponse<EitherBody<B>> {
    stop(request, error.error_response())
}

/// Marks a request that reaches no rate limit, because a middleware answers it.
struct Uncounted;

/// Says so of a request: the request log then limits its lines.
pub fn mark_uncounted(request: &ServiceRequest) {
    request.extensions_mut().insert(Uncounted);
}

/// Answers a request that goes no further with that response.
fn stop<B>(request: ServiceRequest, response: HttpResponse) -> ServiceResponse<EitherBody<B>> {
    mark_uncounted(&request);
    request.into_response(response).map_into_right_body()
}
