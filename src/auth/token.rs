//! Random tokens that open something to the browser that holds one. The database keeps their hashes alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// A new token of 256 random bits; OWASP ASVS 5.0, 7.2.3 asks for 128.
#[must_use]
pub fn random() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// What the database keeps of a token. A token is random, so one round without a salt is enough.
#[must_use]
pub fn hash(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
