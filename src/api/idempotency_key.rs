//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): lets a client resend a booking when it got no
//! response.
//!
//! It becomes the order's request key, and the desk books each key once. The same order with the same key gets the same
//! booking, even while the first request is still running: both wait in the same queue, so there is no 409 for
//! concurrent requests. Refusals are not stored: the same key can be tried again.

use actix_web::{HttpRequest, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::problem::{FieldError, Problem, ProblemType};
use crate::guard::{GuardSettings, api_tokens};

pub const HEADER: &str = "Idempotency-Key";

/// Fewest characters: two clients must not choose the same key by chance.
pub const LENGTH_MIN: usize = 16;
pub const LENGTH_MAX: usize = 255;

/// The request key for the desk. Each API token has a key space of its own. Clients without a token share one: their
/// addresses may change between two attempts.
///
/// # Errors
/// The problem, if the header is missing or invalid.
pub fn of_request(request: &HttpRequest) -> Result<String, Problem> {
    let settings = request.app_data::<web::Data<GuardSettings>>();
    let token = settings.zip(api_tokens::bearer_token(request.headers()));
    let token = token.and_then(|(settings, token)| settings.api_tokens.find(token));
    let owner = token.map(|token| token.name.as_str()).unwrap_or_default();
    Ok(request_key(owner, &read(request)?))
}

/// Longer than the keys of forms, so the two never collide.
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
    fn each_token_has_its_own_key_space() {
        let key = "8e03978e-40d5-43dd";
        assert_eq!(request_key("ada", key), request_key("ada", key));
        assert_ne!(request_key("ada", key), request_key("", key));
        assert_ne!(request_key("a", "da8e03978e"), request_key("ad", "a8e03978e"));
    }
}
