//! Passwords: argon2id hashes with the parameters that OWASP recommends (19 MiB, 2 passes, 1 lane), and
//! the generated password of the first start.

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use rand::RngExt as _;

/// Fewest characters of a password that a person chooses (NIST SP 800-63B asks for 8 or more).
pub const LENGTH_MIN: usize = 10;

/// Checked when the account does not exist, so that this takes as long as when it does.
static NOBODYS_HASH: LazyLock<Option<String>> = LazyLock::new(|| hash(&generate()).ok());

/// The PHC string to keep in place of the password. Takes tens of milliseconds on purpose.
///
/// # Errors
/// When the system has no randomness for the salt.
pub fn hash(password: &str) -> Result<String, argon2::password_hash::Error> {
    Ok(Argon2::default().hash_password(password.as_bytes())?.to_string())
}

/// Whether the password is the one that was hashed. Without a hash it is not, and takes as long.
#[must_use]
pub fn verify(password: &str, hash: Option<&str>) -> bool {
    let Some(kept) = hash.or(NOBODYS_HASH.as_deref()) else { return false };
    let matches = PasswordHash::new(kept)
        .is_ok_and(|kept| Argon2::default().verify_password(password.as_bytes(), &kept).is_ok());
    matches && hash.is_some()
}

/// A password of 20 letters and digits in groups: 98 bits, and still read off a screen.
#[must_use]
pub fn generate() -> String {
    const ALPHABET: &[u8] = b"23456789abcdefghjkmnpqrstvwxyz";
    let mut random = rand::rng();
    let mut group = || -> String {
        (0..5).map(|_| char::from(ALPHABET[random.random_range(..ALPHABET.len())])).collect()
    };
    [group(), group(), group(), group()].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_of_an_account_opens() {
        let password = generate();
        let hash = hash(&password).expect("there is randomness");
        assert!(hash.starts_with("$argon2id$"));
        assert!(verify(&password, Some(&hash)));
        assert!(!verify("another", Some(&hash)));
        assert!(!verify(&password, None));
    }
}
