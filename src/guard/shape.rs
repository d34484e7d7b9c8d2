//! What a request may look like at all: refused here is what no page of ours sends and no handler reads,
//! before anything of it is read.

use actix_web::HttpMessage as _;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::middleware::Next;

use super::refuse;
use crate::api::body::JSON;
use crate::error::Error;
use crate::resource::is_api;

/// The most that a body may hold, in bytes: several times the longest name and address.
pub const BODY_BYTES_MAX: usize = 16 * 1024;

/// The most characters of an address after the host: what RFC 9110, section 4.1, asks servers to take.
const URL_LENGTH_MAX: usize = 8_000;

/// The most fields of a form or of a query; the longest of ours has eight.
pub const FIELDS_MAX: usize = 32;

/// The one type of body that is read, but for the API's, which is [`JSON`].
pub const FORM: &str = "application/x-www-form-urlencoded";

/// Refuses what has the wrong shape.
///
/// # Errors
/// None of its own.
pub async fn well_shaped<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    match fault(&request) {
        Some(error) => {
            let mut response = refuse(request, error);
            // Whatever stands behind it on the same connection is not to be trusted either.
            response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
            Ok(response)
        }
        None => Ok(next.call(request).await?.map_into_left_body()),
    }
}

fn fault(request: &ServiceRequest) -> Option<Error> {
    let wrong = |what: &str, status| Some(Error::Unreadable(what.into(), status));
    if request.uri().path_and_query().is_some_and(|it| it.as_str().len() > URL_LENGTH_MAX) {
        return wrong("the address is too long", StatusCode::URI_TOO_LONG);
    }
    if request.query_string().split('&').count() > FIELDS_MAX {
        return wrong("too many fields in the query", StatusCode::UNPROCESSABLE_ENTITY);
    }
    let headers = request.headers();
    // A few bytes of brotli can be gigabytes of zeros, and no browser compresses what it sends.
    if headers.contains_key(CONTENT_ENCODING) {
        return wrong("the body is encoded", StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > BODY_BYTES_MAX as u64) {
        return wrong("the body is too long", StatusCode::PAYLOAD_TOO_LARGE);
    }
    // One reader would believe the length, another the chunks (RFC 9112, section 6.3).
    if headers.contains_key(CONTENT_LENGTH) && headers.contains_key(TRANSFER_ENCODING) {
        return wrong("the body has two lengths", StatusCode::BAD_REQUEST);
    }
    let has_body = length.is_some_and(|length| length > 0) || headers.contains_key(TRANSFER_ENCODING);
    // A program that has got the method wrong is better told that: the router does, and nobody reads the body.
    let is_api = is_api(request.match_info().as_str());
    if has_body && request.method().is_safe() && !is_api {
        return wrong("a request to read has a body", StatusCode::BAD_REQUEST);
    }
    let expected = if is_api { JSON } else { FORM };
    if has_body && !request.content_type().eq_ignore_ascii_case(expected) {
        return wrong("the body is of another type", StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    None
}
