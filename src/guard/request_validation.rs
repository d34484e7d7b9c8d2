//! Refuses requests that no page or API client of ours sends, before their body is read.

use actix_web::HttpMessage as _;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::middleware::Next;

use super::refuse;
use crate::error::Error;
use crate::resource::{self, BODY_BYTES_MAX, is_api};

/// Longest URL after the host, in bytes: what RFC 9110, section 4.1, asks servers to accept.
const URL_LENGTH_MAX: usize = 8_000;

/// Most fields of a form or a query; ours have at most eight.
pub const FIELDS_MAX: usize = 32;

/// The content type of the site's forms.
pub const FORM: &str = "application/x-www-form-urlencoded";
/// The content type of the API. A page of another site cannot send it without a preflight (a form cannot at all), so
/// no visitor's browser can be made to book.
pub const JSON: &str = "application/json";

/// Refuses malformed requests.
///
/// # Errors
/// Only those of the inner services.
pub async fn validate_requests<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    match fault(&request) {
        Some(error) => {
            let mut response = refuse(request, error);
            // What follows on the same connection cannot be trusted either.
            response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
            Ok(response)
        }
        None => Ok(next.call(request).await?.map_into_left_body()),
    }
}

fn fault(request: &ServiceRequest) -> Option<Error> {
    let wrong = |what: &str, status| Some(Error::Unreadable(what.into(), status));
    if request.uri().path_and_query().is_some_and(|it| it.as_str().len() > URL_LENGTH_MAX) {
        return wrong("the URL is too long", StatusCode::URI_TOO_LONG);
    }
    if request.query_string().split('&').count() > FIELDS_MAX {
        return wrong("too many fields in the query", StatusCode::UNPROCESSABLE_ENTITY);
    }
    let headers = request.headers();
    // A few compressed bytes can expand to gigabytes, and no browser compresses what it sends.
    if headers.contains_key(CONTENT_ENCODING) {
        return wrong("the body has a content encoding", StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let body_max = || resource::find(request.match_info().as_str()).map_or(BODY_BYTES_MAX, |it| it.body_max);
    if length.is_some_and(|length| length > BODY_BYTES_MAX as u64 && length > body_max() as u64) {
        return wrong("the body is too long", StatusCode::PAYLOAD_TOO_LARGE);
    }
    // Request smuggling: one reader would use the length, another the chunks (RFC 9112, section 6.3).
    if headers.contains_key(CONTENT_LENGTH) && headers.contains_key(TRANSFER_ENCODING) {
        return wrong("the body has both a length and chunks", StatusCode::BAD_REQUEST);
    }
    let has_body = length.is_some_and(|length| length > 0) || headers.contains_key(TRANSFER_ENCODING);
    // API clients that use the wrong method get the router's 405 instead, and their body is not read.
    let is_api = is_api(request.match_info().as_str());
    if has_body && request.method().is_safe() && !is_api {
        return wrong("a GET or HEAD request has a body", StatusCode::BAD_REQUEST);
    }
    let expected = if is_api { JSON } else { FORM };
    if has_body && !request.content_type().eq_ignore_ascii_case(expected) {
        return wrong("the body has the wrong content type", StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    None
}
