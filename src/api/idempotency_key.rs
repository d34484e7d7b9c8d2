//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): a client names its booking, so that it
//! can send it again when it has not heard the answer.
//!
//! It becomes the order's request key, of which the desk books each once. So the same order with the same key
//! finds its booking, also while the first is still on its way: it waits in the same line, so there is nothing
//! to answer 409 for. A refusal has taken nothing and is not remembered: the same key may try again.

use actix_web::HttpRequest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::problem::{FieldError, Problem, ProblemType};
use crate::guard::api_tokens::{self, ApiTokens};

pub const HEADER: &str = "Idempotency-Key";

/// Fewest characters: a key that two clients think of is a key that neither can use.
pub const LENGTH_MIN: usize = 16;
pub const LENGTH_MAX: usize = 255;

/// The key of a request, as the desk's request key. Tokens have their keys to themselves; those without one
/// share theirs, as their addresses change while they try.
///
/// # Errors
/// What is wrong with it.
pub fn of_request(request: &HttpRequest, tokens: &ApiTokens) -> Result<String, Problem> {
    let token = api_tokens::borne(request.headers()).and_then(|token| tokens.find(token));
    let owner = token.map(|token| token.name.as_str()).unwrap_or_default();
    Ok(request_key(owner, &read(request)?))
}

/// Of no form's: those are not as long.
fn request_key(owner: &str, key: &str) -> String {
    let hash = Sha256::new().chain_update(owner).chain_update([0]).chain_update(key).finalize();
    format!("api:{}", URL_SAFE_NO_PAD.encode(hash))
}

/// As a Structured Header's string, in quotes (RFC 8941, section 3.3.3), or bare, as many clients send it.
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
    fn each_token_has_its_own_keys() {
        let key = "8e03978e-40d5-43dd";
        assert_eq!(request_key("ada", key), request_key("ada", key));
        assert_ne!(request_key("ada", key), request_key("", key));
        assert_ne!(request_key("a", "da8e03978e"), request_key("ad", "a8e03978e"));
    }
}
