//! Random tokens that give access: of sessions, invitations, gates and API clients. The database keeps only
//! their hashes.

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
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// Names a password's hash in a sealed cookie. 16 characters are enough to distinguish hashes: a client cannot
/// choose what is in such a cookie.
#[must_use]
pub fn fingerprint(password_hash: &str) -> String {
    hash(password_hash).chars().take(16).collect()
}
