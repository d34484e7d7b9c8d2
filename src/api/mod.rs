//! The API: programs see what is on sale and book as people do. The same desk, the same board, the same rules
//! and rate limits stand behind it; what is here only reads and writes JSON.
//!
//! [`v1`] is the API as it should be. [`compat`] is the contract of the product that we follow, kept as it is for
//! the clients that know it. Neither reads a cookie: who may do what is said by tokens in the request, so that
//! nobody's browser can be made to act for its owner.
//!
//! [`middleware`] stands before both: other sites' pages, when they are allowed in, and errors in JSON. [`openapi`] is
//! the document of it all, made from the code, and [`docs`] the same as a page.

pub mod body;
pub mod compat;
pub mod docs;
pub mod idempotency_key;
pub mod middleware;
pub mod openapi;
pub mod problem;
pub mod v1;

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, RETRY_AFTER};

use self::problem::{Problem, ProblemType};

/// Whether it is one of the first contract, whose errors have a form of their own.
fn is_compat(path: &str) -> bool {
    let is_or_is_below =
        |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    is_or_is_below("/api/tickets") || is_or_is_below("/api/bookings")
}

/// An error in the words of the contract that the path belongs to.
#[must_use]
pub fn refusal(path: &str, problem: &Problem) -> HttpResponse {
    if is_compat(path) { compat::refusal(problem.status(), problem.detail()) } else { problem.response() }
}

/// The answer of whatever stands before the pages, or of the router, in JSON, with its headers. `None`: it is
/// JSON already, or no error.
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
fn wait_seconds<'a>(answer: &'a HttpResponse<impl Sized>) -> Option<&'a str> {
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
    fn paths_belong_to_contracts() {
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
