//! One line for each request: method, path, status, milliseconds. No query, no header, no form: those hold
//! names, addresses and secrets. `RUST_LOG=techkraft::request=warn` leaves the lines out.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;

use crate::log_safe::without_secrets;
use crate::resource::is_for_monitoring;

const TARGET: &str = "techkraft::request";

/// Logs the request when it is answered, or refused by whatever stands before the pages.
///
/// # Errors
/// None of its own.
pub async fn log_requests(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    // Its lines are put together only when somebody reads them, and machines ask again and again.
    let is_logged = log::log_enabled!(target: TARGET, log::Level::Info);
    if !is_logged || is_for_monitoring(request.match_info().as_str()) {
        return next.call(request).await;
    }
    let (method, path) = (request.method().clone(), without_secrets(request.match_info().as_str()));
    let begun = Instant::now();
    let answer = next.call(request).await;
    let status = match &answer {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    let milliseconds = begun.elapsed().as_secs_f64() * 1000.0;
    log::info!(target: TARGET, "{method} {path} {} {milliseconds:.3}ms", status.as_u16());
    answer
}
