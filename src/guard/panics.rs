//! A handler that panics is answered with an error page, and the connection stays open.

use std::panic::AssertUnwindSafe;

use actix_web::Error as ActixError;
use futures_util::FutureExt as _;

use crate::error::Error;

/// Turns a panic into an error. The panic itself is logged by the panic hook.
pub async fn catch<T>(response: impl Future<Output = Result<T, ActixError>>) -> Result<T, ActixError> {
    let response = AssertUnwindSafe(response).catch_unwind().await;
    response.unwrap_or_else(|_| Err(Error::Internal("a handler panicked".into()).into()))
}
