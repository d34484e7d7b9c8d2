//! What stands between the network and the pages: the secret that signs, the cookies that it seals, the
//! headers on every response, the refusal of what other sites send in a visitor's name and of what no page
//! of ours sends at all, whose request it is, how often one may ask, and what of it is logged.

pub mod api_tokens;
pub mod client_address;
pub mod cookies;
pub mod form;
pub mod headers;
pub mod limits;
pub mod origin;
pub mod request_log;
pub mod secret;
pub mod shape;
mod store;

use actix_web::ResponseError as _;
use actix_web::body::EitherBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};

use crate::error::Error;

/// The answer to a request that goes no further. As a response, not as an error: what is wrapped around
/// adds its headers to responses and logs them.
fn refuse<B>(request: ServiceRequest, error: Error) -> ServiceResponse<EitherBody<B>> {
    request.into_response(error.error_response()).map_into_right_body()
}
