//! How a URL of the site is declared: its pattern, and the methods that it takes.

use actix_web::guard::{Any, Get, Head};
use actix_web::web::{self, to};
use actix_web::{HttpResponse, Resource, Route};

use crate::error::Error;

/// The pattern of a route, which every resource carries: `/bookings/{token}`, never what stands in its place.
#[derive(Debug, Clone, Copy)]
pub struct Pattern(pub &'static str);

/// Whether a path, percent-decoded as the routes are matched with it, belongs to the API.
#[must_use]
pub fn is_api(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

/// Health, readiness and metrics: monitoring asks for them all the time, so they are not logged or rate limited.
pub const HEALTH: &str = "/healthz";
pub const READINESS: &str = "/readyz";
pub const METRICS: &str = "/metrics";

/// Whether a path is one of those.
#[must_use]
pub fn is_for_monitoring(path: &str) -> bool {
    matches!(path, HEALTH | READINESS | METRICS)
}

/// A page: GET and HEAD.
pub fn page(path: &'static str) -> Resource {
    web::resource(path).app_data(Pattern(path)).default_service(only("GET, HEAD"))
}

/// A form: it is shown and posted back.
pub fn form(path: &'static str) -> Resource {
    web::resource(path).app_data(Pattern(path)).default_service(only("GET, HEAD, POST"))
}

/// An action: POST only.
pub fn act(path: &'static str) -> Resource {
    web::resource(path).app_data(Pattern(path)).default_service(only("POST"))
}

/// `GET`, and `HEAD` with it.
pub fn get() -> Route {
    web::route().guard(Any(Get()).or(Head()))
}

fn only(allowed: &'static str) -> Route {
    to(move || async move { Err::<HttpResponse, _>(Error::MethodNotAllowed { allowed }) })
}
