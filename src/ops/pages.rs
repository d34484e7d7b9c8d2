//! `/healthz`, `/readyz`, `/metrics`: plain text; `/readyz` also as JSON. They are neither cached nor logged.
//!
//! What a server is made of and how it is doing is for operators. Where anybody can read, `/readyz` says READY or not,
//! and nothing else.

use std::fmt::Write as _;

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use super::metrics::CONTENT_TYPE as METRICS_TYPE;
use super::readiness::{ReadinessReport, ReadinessStatus};
use super::{OperationsConfig, Ops};
use crate::error::Error;
use crate::resource::{get, urls};

/// All three, on the port of `OPS_BIND`.
pub(super) fn on_own_port(port: &mut ServiceConfig) {
    port.service(urls::HEALTH.resource().route(get().to(health)))
        .service(urls::READINESS.resource().route(get().to(readiness)))
        .service(urls::METRICS.resource().route(get().to(metrics)));
}

/// Those on the site's own port: none if `OPS_BIND` is set, and the metrics and details only where nobody but this
/// machine can read them.
pub fn beside_site(config: &OperationsConfig) -> impl FnOnce(&mut ServiceConfig) + use<> {
    let (has_own_port, is_private) = (config.bind.is_some(), config.is_private);
    move |site| match (has_own_port, is_private) {
        (true, _) => {}
        (false, true) => on_own_port(site),
        (false, false) => {
            site.service(urls::HEALTH.resource().route(get().to(health)))
                .service(urls::READINESS.resource().route(get().to(readiness_without_details)));
        }
    }
}

/// `GET /healthz`: the liveness probe. It does not check the database, since a restart would not fix it.
async fn health() -> HttpResponse {
    plain(StatusCode::OK, "ALIVE\n".into())
}

/// `GET /readyz`: the readiness probe, 200 or 503, with the result of each check.
async fn readiness(request: HttpRequest, ops: web::Data<Ops>) -> Result<HttpResponse, Error> {
    let report = ops.readiness.report(&ops).await;
    let status = status_code(report.status);
    let accept = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("application/json")) {
        let json = serde_json::to_string(&report).map_err(|e| Error::Internal(e.to_string()))?;
        return Ok(answer(status, "application/json", json));
    }
    Ok(plain(status, table(&report)))
}

/// The same for everybody: 200 or 503, and the status in a word.
async fn readiness_without_details(ops: web::Data<Ops>) -> HttpResponse {
    let status = ops.readiness.report(&ops).await.status;
    plain(status_code(status), format!("{}\n", status.name()))
}

fn status_code(status: ReadinessStatus) -> StatusCode {
    match status {
        ReadinessStatus::Ready => StatusCode::OK,
        ReadinessStatus::NotReady | ReadinessStatus::Draining => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// `GET /metrics`, in Prometheus's text format.
async fn metrics(ops: web::Data<Ops>) -> Result<HttpResponse, Error> {
    let report = ops.readiness.report(&ops).await;
    let text = ops.metrics.render(&ops.watched, &report).await.map_err(|e| Error::Internal(e.to_string()))?;
    Ok(answer(StatusCode::OK, METRICS_TYPE, text))
}

fn table(report: &ReadinessReport) -> String {
    let mut table = format!("{}\n", report.status.name());
    for part in &report.parts {
        let verdict = if part.ok { "ok" } else { "NOT OK" };
        // Writing to a string cannot fail.
        let _ = writeln!(table, "{:<10}  {verdict:<6}  {:>8.3} ms  {}", part.name, part.ms, part.found);
    }
    table
}

fn plain(status: StatusCode, text: String) -> HttpResponse {
    answer(status, "text/plain; charset=utf-8", text)
}

fn answer(status: StatusCode, content_type: &'static str, text: String) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_TYPE, content_type))
        .body(text)
}
