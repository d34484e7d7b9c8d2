//! The JSON API. It uses the same desk, board, rules and rate limits as the site; what is here only reads and
//! writes JSON.
//!
//! [`v1`] is the API. [`compat`] is that of the product this one replaces, for its existing clients. Neither reads
//! cookies: tokens in the request say who may do what, so no visitor's browser can be made to act for its owner.
//!
//! [`middleware`] handles CORS and turns errors into JSON. [`openapi`] generates the document of it all, and [`docs`]
//! shows it as a page.
//!
//! Rules of the shop do not belong here: they are in the features.

pub mod body;
mod client;
pub mod compat;
mod distinct_fields;
pub mod docs;
mod documented_types;
mod examples;
pub mod idempotency_key;
pub mod middleware;
pub mod openapi;
mod organizer;
pub mod problem;
pub mod v1;

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, RETRY_AFTER};

use self::problem::{Problem, ProblemType};

/// Whether a path belongs to the compat API, whose errors have a form of their own.
fn is_compat(path: &str) -> bool {
    let is_or_is_below =
        |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    is_or_is_below("/api/tickets") || is_or_is_below("/api/bookings")
}

/// An error in the form of the API that the path belongs to.
#[must_use]
pub fn refusal(path: &str, problem: &Problem) -> HttpResponse {
    if is_compat(path) { compat::refusal(problem) } else { problem.response() }
}

/// An error of a middleware or of the router, in JSON and with its headers. `None` if it is JSON already, or no
/// error.
#[must_use]
pub fn in_json(path: &str, answer: &HttpResponse<impl Sized>) -> Option<HttpResponse<BoxBody>> {
    let is_error = answer.status().is_client_error() || answer.status().is_server_error();
    if !is_error || is_json(answer.headers()) {
        return None;
    }
    let mut problem = Problem::new(ProblemType::of_status(answer.status()));
    if let Some(seconds) = wait_seconds(answer) {
        problem = problem.with_detail(format!("Too many requests. Try again in {seconds} seconds."));
    }
    let mut translated = refusal(path, &problem);
    let of_the_body = [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING];
    for (name, value) in answer.headers().iter().filter(|(name, _)| !of_the_body.contains(name)) {
        translated.headers_mut().insert(name.clone(), value.clone());
    }
    Some(translated)
}

/// How long a client that was rate limited has to wait.
fn wait_seconds(answer: &HttpResponse<impl Sized>) -> Option<&str> {
    let is_limited = answer.status() == StatusCode::TOO_MANY_REQUESTS;
    answer.headers().get(RETRY_AFTER).filter(|_| is_limited)?.to_str().ok()
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    content_type.starts_with("application/json") || content_type.starts_with("application/problem+json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::is_api;

    #[test]
    fn each_path_belongs_to_its_api() {
        for (path, api, first) in [
            ("/api/tickets", true, true),
            ("/api/bookings/1", true, true),
            ("/api/ticketsx", true, false),
            ("/api/v1/bookings", true, false),
            ("/api", true, false),
            ("/apis", false, false),
            ("/bookings", false, false),
        ] {
            assert_eq!((is_api(path), is_compat(path)), (api, first), "{path}");
        }
    }
}
