//! Refuses requests that no page or API client of ours sends, before their body is read.

use actix_web::HttpMessage as _;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderValue, TRANSFER_ENCODING,
};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;

use super::refuse;
use crate::error::Error;
use crate::resource::{self, BODY_BYTES_MAX, RateClass, UPLOAD_BYTES_MAX, is_api};

/// Longest URL after the host, in bytes: what RFC 9110, section 4.1, asks servers to accept.
const URL_LENGTH_MAX: usize = 8_000;

/// Longest head, in bytes: the request's line and all headers. Browsers send one to two thousand, and cookies of other
/// sites on the same domain.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Longest `Accept-Encoding` that is read, in bytes. Browsers send thirty; a client that sends more gets no encoding.
const ACCEPT_ENCODING_MAX: usize = 256;

/// How many fields a form or a query may have. A cancellation has one for each ticket, so a booking of more tickets has
/// to be canceled in parts. So many fields are read in a fraction of a millisecond.
pub const FIELDS_MAX: usize = 512;

/// The content type of the site's forms.
pub const FORM: &str = "application/x-www-form-urlencoded";
/// The content type of the forms that send a file, accepted only where a URL takes one.
const MULTIPART: &str = "multipart/form-data";
/// The content type of the API. A page of another site cannot send it without a preflight (a form cannot at all), so
/// no visitor's browser can be made to book.
pub const JSON: &str = "application/json";

/// Refuses malformed requests.
///
/// # Errors
/// Only those of the inner services.
pub async fn validate_requests<B: MessageBody>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    drop_long_accept_encoding(request.headers_mut());
    match fault(&request) {
        Some(error) => {
            let mut response = refuse(request, error);
            // What follows on the same connection cannot be trusted either.
            response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
            Ok(response)
        }
        None => {
            let mut response = next.call(request).await?;
            // The rest of the body may have no end.
            if response.status() == StatusCode::PAYLOAD_TOO_LARGE {
                response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
            }
            Ok(response.map_into_left_body())
        }
    }
}

/// Drops an `Accept-Encoding` that is too long: each reader of this header looks at all of its parts one by
/// one.
fn drop_long_accept_encoding(headers: &mut HeaderMap) {
    let length: usize = headers.get_all(ACCEPT_ENCODING).map(HeaderValue::len).sum();
    if length > ACCEPT_ENCODING_MAX {
        headers.remove(ACCEPT_ENCODING);
    }
}

/// About the length of the head. The method, the version, and blanks around names and values are not counted.
fn head_bytes(request: &ServiceRequest) -> usize {
    let line = request.uri().path_and_query().map_or(0, |it| it.as_str().len());
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    line + headers.sum::<usize>()
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
    if head_bytes(request) > HEAD_BYTES_MAX {
        return wrong("the headers are too long", StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    // A few compressed bytes can expand to gigabytes, and no browser compresses what it sends.
    if headers.contains_key(CONTENT_ENCODING) {
        return wrong("the body has a content encoding", StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let is_multipart = request.content_type().eq_ignore_ascii_case(MULTIPART);
    let endpoint = || resource::find(request.match_info().as_str());
    let is_api = is_api(request.match_info().as_str());
    let is_file = || {
        let is_right = if is_api { request.content_type().starts_with("image/") } else { is_multipart };
        is_right && endpoint().is_some_and(|endpoint| endpoint.takes_file)
    };
    let body_max = || match endpoint() {
        _ if is_file() => UPLOAD_BYTES_MAX,
        endpoint => endpoint.map_or(BODY_BYTES_MAX, |it| it.body_max),
    };
    if length.is_some_and(|length| length > BODY_BYTES_MAX as u64 && length > body_max() as u64) {
        return wrong("the body is too long", StatusCode::PAYLOAD_TOO_LARGE);
    }
    // Request smuggling: one reader would use the length, another the chunks (RFC 9112, section 6.3).
    if headers.contains_key(CONTENT_LENGTH) && headers.contains_key(TRANSFER_ENCODING) {
        return wrong("the body has both a length and chunks", StatusCode::BAD_REQUEST);
    }
    let has_body = length.is_some_and(|length| length > 0) || headers.contains_key(TRANSFER_ENCODING);
    // API clients that use the wrong method get the router's 405 instead, and their body is not read.
    if has_body && request.method().is_safe() && !is_api {
        return wrong("a GET or HEAD request has a body", StatusCode::BAD_REQUEST);
    }
    let takes_json =
        || is_api || endpoint().is_some_and(|it| it.rate_class(&Method::POST) == RateClass::Webhooks);
    let expected = if has_body && takes_json() { JSON } else { FORM };
    if has_body && !request.content_type().eq_ignore_ascii_case(expected) && !is_file() {
        return wrong("the body has the wrong content type", StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    None
}
