//! One log line for each request: method, path, status, milliseconds. Queries, headers and forms are left out: they
//! hold names, addresses and secrets. `RUST_LOG=techkraft::request=warn` turns the lines off.
//!
//! Refused requests cost their sender nothing, so they must not fill the log, nor push other lines out of it.
//! A rate limited request has no line: the limiter names its client once a minute. Of the requests that a middleware
//! has answered before they were counted, or that have another refusal's status, 60 a minute have a line.

use std::num::NonZeroU32;
use std::time::Instant;

use actix_web::HttpMessage as _;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::Next;

use super::Uncounted;
use crate::log_limit::{LineLimit, a_minute};
use crate::resource;
use crate::resource::without_secrets;

const TARGET: &str = "techkraft::request";

/// How many lines about refused requests are logged in a minute.
const REFUSALS_A_MINUTE: NonZeroU32 = NonZeroU32::new(60).unwrap();

static REFUSALS: LineLimit = LineLimit::new(|| a_minute(REFUSALS_A_MINUTE));

/// Logs each request, including those that another middleware refuses, but not the requests of monitoring.
///
/// # Errors
/// Only those of the inner services.
pub async fn log_requests(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let path = request.match_info().as_str();
    let is_logged = log::log_enabled!(target: TARGET, log::Level::Info);
    if !is_logged || resource::find(path).is_some_and(|endpoint| endpoint.is_monitoring) {
        return next.call(request).await;
    }
    let (method, path) = (request.method().clone(), without_secrets(path));
    let started = Instant::now();
    let response = next.call(request).await;
    let (status, is_uncounted) = match &response {
        Ok(response) => (response.status(), response.request().extensions().contains::<Uncounted>()),
        Err(error) => (error.as_response_error().status_code(), false),
    };
    let is_refused = is_uncounted || is_refusal(status);
    let milliseconds = started.elapsed().as_secs_f64() * 1000.0;
    if is_due(status, is_refused) {
        let left_out = if is_refused { REFUSALS.take_left_out() } else { 0 };
        let more = if left_out > 0 {
            format!(" ({left_out} earlier refused requests not logged)")
        } else {
            String::new()
        };
        log::info!(target: TARGET, "{method} {path} {} {milliseconds:.3}ms{more}", status.as_u16());
    }
    response
}

/// Whether a request gets a line.
fn is_due(status: StatusCode, is_refused: bool) -> bool {
    match status {
        _ if !is_refused => true,
        StatusCode::TOO_MANY_REQUESTS => {
            REFUSALS.leave_out();
            false
        }
        _ => REFUSALS.is_due(),
    }
}

/// Whether the status is one that requests are refused with. Some handlers answer with it too.
fn is_refusal(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 403 | 405 | 408 | 411 | 413 | 414 | 415 | 417 | 421 | 429 | 431)
}
