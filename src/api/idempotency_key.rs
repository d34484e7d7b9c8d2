//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): lets a client resend a booking when it got no
//! response.
//!
//! It becomes the order's request key, and the desk books each key once. The same order with the same key gets the same
//! booking, even while the first request is still running: both wait in the same queue, so there is no 409 for
//! concurrent requests. Refusals are not stored: the same key can be tried again.

use actix_web::HttpRequest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{TimeDelta, Utc};
use sha2::{Digest as _, Sha256};

use super::client::ApiClient;
use super::problem::{FieldError, Problem, ProblemType};
use crate::booking::BookingOutcome;

pub const HEADER: &str = "Idempotency-Key";

/// Fewest characters: two clients must not choose the same key by chance.
pub const LENGTH_MIN: usize = 16;
pub const LENGTH_MAX: usize = 255;

/// For how long a key answers with its booking. Later it neither shows the booking nor books again: a key that is found
/// in an old log opens nothing.
const LIFETIME: TimeDelta = TimeDelta::hours(24);

/// The request key for the desk. Each client has a key space of its own: two clients that choose the same key
/// both book.
///
/// # Errors
/// The problem, if the header is missing or invalid.
pub fn of_request(request: &HttpRequest, client: &ApiClient) -> Result<String, Problem> {
    Ok(request_key(&client.key_space(), &read(request)?))
}

/// The outcome of an order, unless its key has booked too long ago.
///
/// # Errors
/// [`ProblemType::IdempotencyKeyExpired`]
pub fn unless_expired(outcome: BookingOutcome) -> Result<BookingOutcome, Problem> {
    match outcome {
        BookingOutcome::Replayed(booking) if Utc::now().naive_utc() - booking.created_at > LIFETIME => {
            Err(Problem::new(ProblemType::IdempotencyKeyExpired))
        }
        outcome => Ok(outcome),
    }
}

/// Has a colon, which the keys of forms never have: so the two never collide.
fn request_key(owner: &str, key: &str) -> String {
    let hash = Sha256::new().chain_update(owner).chain_update([0]).chain_update(key).finalize();
    format!("api:{}", URL_SAFE_NO_PAD.encode(hash))
}

/// Accepts a quoted string (RFC 8941, section 3.3.3), and also a bare one, as many clients send it.
fn read(request: &HttpRequest) -> Result<String, Problem> {
    let mut all = request.headers().get_all(HEADER);
    let Some(only) = all.next() else { return Err(Problem::new(ProblemType::IdempotencyKeyMissing)) };
    let key = only.to_str().ok().filter(|_| all.next().is_none()).and_then(unquoted);
    key.ok_or_else(|| {
        let problem = Problem::new(ProblemType::IdempotencyKeyInvalid);
        let error = FieldError::in_header(HEADER, problem.detail());
        problem.with_errors(vec![error])
    })
}

fn unquoted(value: &str) -> Option<String> {
    let value = value.trim();
    let key = match value.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"')?,
        None => value,
    };
    let is_plain = key.bytes().all(|byte| (b' '..=b'~').contains(&byte) && !matches!(byte, b'"' | b'\\'));
    (is_plain && (LENGTH_MIN..=LENGTH_MAX).contains(&key.len())).then(|| key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_in_quotes_and_bare() {
        let uuid = "8e03978e-40d5-43dd-bc93-6894a57f9324";
        assert_eq!(unquoted(uuid).as_deref(), Some(uuid));
        assert_eq!(unquoted(&format!("\"{uuid}\"")).as_deref(), Some(uuid));
        assert_eq!(unquoted(&"x".repeat(255)).map(|key| key.len()), Some(255));
        for bad in [
            "",
            "\"\"",
            "short",
            &"x".repeat(256),
            "\"8e03978e-40d5-43dd",
            "8e03978e\"40d5-43dd",
            "é8e03978e-40d5-43dd",
        ] {
            assert_eq!(unquoted(bad), None, "{bad}");
        }
    }

    #[test]
    fn each_client_has_its_own_key_space() {
        let key = "8e03978e-40d5-43dd";
        assert_eq!(request_key("ada", key), request_key("ada", key));
        assert_ne!(request_key("ada", key), request_key("", key));
        assert_ne!(request_key("a", "da8e03978e"), request_key("ad", "a8e03978e"));
    }
}
