//! One log line for each request: method, path, status, milliseconds. Queries, headers and forms are left out: they
//! hold names, addresses and secrets. `RUST_LOG=techkraft::request=warn` turns the lines off.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;

use crate::resource;
use crate::resource::without_secrets;

const TARGET: &str = "techkraft::request";

/// Logs each request, including those that another middleware refuses.
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
    let status = match &response {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    let milliseconds = started.elapsed().as_secs_f64() * 1000.0;
    log::info!(target: TARGET, "{method} {path} {} {milliseconds:.3}ms", status.as_u16());
    response
}
