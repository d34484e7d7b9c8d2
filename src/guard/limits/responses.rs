//! What clients are told: that they sent too many requests, and how many they have left.

use actix_web::http::header::{
    CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use actix_web::{HttpResponse, ResponseError as _};

use super::{Allowance, Rate, RateClass, RateLimited, seconds_up};
use crate::error::Error;

/// draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// 429: a page for people, or one line of text where no person reads the response. The API's middleware turns
/// that line into JSON.
pub fn too_many_requests(is_api: bool, limited: &RateLimited) -> HttpResponse {
    let seconds = limited.wait_seconds();
    let mut response = match limited.class {
        _ if is_api => plain(seconds),
        RateClass::Polls | RateClass::StaticFiles => plain(seconds),
        _ => Error::RateLimited { wait_seconds: seconds }.error_response(),
    };
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, seconds.into());
    set_policy(headers, limited.class, limited.rate);
    set(headers, LIMIT, format!("\"{}\";r=0;t={seconds}", limited.class.name()));
    response
}

/// How many requests are left: `r` now, and the whole burst after `t` seconds.
pub fn add_allowance(headers: &mut HeaderMap, allowance: Allowance) {
    let Allowance { class, rate, remaining } = allowance;
    let used_up = rate.burst().saturating_sub(remaining);
    let reset = seconds_up(rate.interval() * used_up);
    set_policy(headers, class, rate);
    set(headers, LIMIT, format!("\"{}\";r={remaining};t={reset}", class.name()));
}

/// 401 (RFC 6750, section 3): a wrong token is an error, not the same as none.
pub fn unknown_token() -> HttpResponse {
    HttpResponse::Unauthorized()
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((WWW_AUTHENTICATE, "Bearer error=\"invalid_token\""))
        .finish()
}

fn plain(seconds: u64) -> HttpResponse {
    HttpResponse::TooManyRequests()
        .insert_header((CACHE_CONTROL, "no-store"))
        .content_type("text/plain; charset=utf-8")
        .body(format!("Too many requests. Try again in {seconds} seconds.\n"))
}

fn set_policy(headers: &mut HeaderMap, class: RateClass, rate: Rate) {
    set(headers, POLICY, format!("\"{}\";q={};w={}", class.name(), rate.burst(), seconds_up(rate.refill())));
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: String) {
    // Names and numbers are always a valid value.
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}
