//! What the counted hear: that it was too often, and how much is left.

use actix_web::http::header::{
    CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use actix_web::{HttpResponse, ResponseError as _};

use super::{Allowance, Class, TooOften, seconds_up};
use crate::error::Error;

/// draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// 429: a page for people, a line for the rest. The API turns the line into its JSON.
pub fn too_often(refusal: &TooOften) -> HttpResponse {
    let seconds = refusal.wait_seconds();
    let mut response = match refusal.class {
        Class::Polls | Class::StaticFiles | Class::Api | Class::ApiToken => HttpResponse::TooManyRequests()
            .insert_header((CACHE_CONTROL, "no-store"))
            .content_type("text/plain; charset=utf-8")
            .body(format!("Too many requests. Try again in {seconds} seconds.\n")),
        Class::Pages | Class::Bookings | Class::SignIn => {
            Error::TooOften { wait_seconds: seconds }.error_response()
        }
    };
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, seconds.into());
    let name = refusal.class.name();
    insert(headers, POLICY, format!("\"{name}\";q={};w={}", refusal.rate.burst(), window(refusal.rate)));
    insert(headers, LIMIT, format!("\"{name}\";r=0;t={seconds}"));
    response
}

/// Says how much is left: `r` requests now, and the whole burst again after `t` seconds.
pub fn tell(headers: &mut HeaderMap, allowance: Allowance) {
    let Allowance { class, rate, remaining } = allowance;
    let name = class.name();
    let used_up = rate.burst().saturating_sub(remaining);
    let reset = seconds_up(rate.interval() * used_up);
    insert(headers, POLICY, format!("\"{name}\";q={};w={}", rate.burst(), window(rate)));
    insert(headers, LIMIT, format!("\"{name}\";r={remaining};t={reset}"));
}

/// 401 (RFC 6750, section 3): a token that nobody knows is a mistake, and not the same as none.
pub fn unknown_token() -> HttpResponse {
    let mut response = HttpResponse::Unauthorized().insert_header((CACHE_CONTROL, "no-store")).finish();
    let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response
}

fn window(rate: super::Rate) -> u64 {
    seconds_up(rate.refill())
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: String) {
    // Names and numbers are always a value.
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}
