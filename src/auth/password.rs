//! Passwords: which ones are accepted, and how they are hashed.
//!
//! The hash is argon2id with the parameters of the OWASP Password Storage Cheat Sheet: 19 MiB, 2 passes, 1 lane.
//! A hash with other parameters is replaced at the next sign-in.
//!
//! A new password has 15 characters or more, because it may be the only factor (NIST SP 800-63B-4, 3.1.1.2; OWASP
//! ASVS 5.0, 6.2.1). They may be of any kind (6.2.5), and are compared exactly as typed (6.2.8).

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use rand::RngExt as _;
use zxcvbn::{Score, zxcvbn};

/// Fewest characters, as Unicode counts them.
pub const LENGTH_MIN: usize = 15;
/// Most characters: twice what OWASP ASVS 5.0, 6.2.9 asks for.
pub const LENGTH_MAX: usize = 128;

/// Only the first characters are judged: zxcvbn's time grows with the square of the length.
const JUDGED_LENGTH: usize = 48;

/// Words that an attacker of this site tries first (OWASP ASVS 5.0, 6.1.2). zxcvbn treats them as common words.
const WORDS_OF_THIS_SITE: [&str; 11] = [
    "techkraft",
    "tickets",
    "ticket",
    "techkrafttickets",
    "concert",
    "organizer",
    "admin",
    "midnight",
    "parade",
    "midnightparade",
    "midnight-parade",
];

/// Kibibytes, passes and lanes.
const PARAMETERS: (u32, u32, u32) = (19 * 1024, 2, 1);

/// Compared when no account has the username, so that the check takes as long as with one. A match counts for
/// nothing.
const NO_ACCOUNT_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm8gYWNjb3VudCBoYXMgaQ$pHbkeFz2QmVQXo3cBvS4zDq0n6yT1uWfKjRl8aIx5hM";

/// Why a new password is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordWeakness {
    #[error("too short: use at least {LENGTH_MIN} characters")]
    TooShort,
    #[error("too long: use at most {LENGTH_MAX} characters")]
    TooLong,
    #[error("too easy to guess: avoid common words, names, dates and keyboard patterns")]
    TooEasy,
}

/// Accepts a password that is long enough and that zxcvbn gives its highest score: it is none of the common
/// passwords (OWASP ASVS 5.0, 6.2.4), and not made of names, repetitions, sequences and keyboard patterns. Takes up
/// to a tenth of a second.
pub fn check(password: &str) -> Result<(), PasswordWeakness> {
    check_length(password)?;
    let judged: String = password.chars().take(JUDGED_LENGTH).collect();
    match zxcvbn(&judged, &WORDS_OF_THIS_SITE).score() {
        Score::Four => Ok(()),
        _ => Err(PasswordWeakness::TooEasy),
    }
}

/// Accepts a length, without the costly rest of [`check`].
pub fn check_length(password: &str) -> Result<(), PasswordWeakness> {
    match password.chars().count() {
        ..LENGTH_MIN => Err(PasswordWeakness::TooShort),
        LENGTH_MIN..=LENGTH_MAX => Ok(()),
        _ => Err(PasswordWeakness::TooLong),
    }
}

/// The PHC string to store in place of the password. Takes tens of milliseconds on purpose.
///
/// # Errors
/// When the system has no randomness for the salt.
pub fn hash(password: &str) -> Result<String, argon2::password_hash::Error> {
    Ok(hasher().hash_password(password.as_bytes())?.to_string())
}

/// Whether the hash is that of the password. Without a hash the result is `false`, after the same time.
#[must_use]
pub fn verify(password: &str, hash: Option<&str>) -> bool {
    let matches = PasswordHash::new(hash.unwrap_or(NO_ACCOUNT_HASH))
        .is_ok_and(|stored| hasher().verify_password(password.as_bytes(), &stored).is_ok());
    matches && hash.is_some()
}

/// Whether a hash was made with other parameters than today's.
#[must_use]
pub fn is_outdated(hash: &str) -> bool {
    let Ok(stored) = PasswordHash::new(hash) else { return true };
    let is_current = stored.algorithm.as_str() == "argon2id"
        && stored.version == Some(Version::V0x13.into())
        && Params::try_from(&stored).is_ok_and(|it| (it.m_cost(), it.t_cost(), it.p_cost()) == PARAMETERS);
    !is_current
}

fn hasher() -> Argon2<'static> {
    let (memory, passes, lanes) = PARAMETERS;
    let parameters = Params::new(memory, passes, lanes, None).unwrap_or(Params::DEFAULT);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
}

/// A password of 20 letters and digits: 98 bits.
#[must_use]
pub fn generate() -> String {
    random_groups(4)
}

/// Letters and digits in groups of five, which are easy to type from a screen: 24.5 bits a group.
#[must_use]
pub fn random_groups(groups: usize) -> String {
    const ALPHABET: &[u8] = b"23456789abcdefghjkmnpqrstvwxyz";
    let mut random = rand::rng();
    let mut group = || -> String {
        (0..5).map(|_| char::from(ALPHABET[random.random_range(..ALPHABET.len())])).collect()
    };
    (0..groups).map(|_| group()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_of_an_account_matches() {
        let password = generate();
        let hash = hash(&password).expect("there is randomness");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(!is_outdated(&hash) && !is_outdated(NO_ACCOUNT_HASH), "both take equally long to compare");
        assert!(verify(&password, Some(&hash)));
        assert!(!verify("another", Some(&hash)));
        assert!(!verify(&password, None));
    }

    #[test]
    fn a_hash_with_other_parameters_matches_and_is_outdated() {
        for (algorithm, version, memory, passes) in [
            (Algorithm::Argon2id, Version::V0x13, 8 * 1024, 2),
            (Algorithm::Argon2id, Version::V0x13, 19 * 1024, 1),
            (Algorithm::Argon2id, Version::V0x10, 19 * 1024, 2),
            (Algorithm::Argon2i, Version::V0x13, 19 * 1024, 2),
        ] {
            let parameters = Params::new(memory, passes, 1, None).expect("parameters");
            let old = Argon2::new(algorithm, version, parameters).hash_password(b"a password of old");
            let old = old.expect("there is randomness").to_string();
            assert!(is_outdated(&old), "{old}");
            assert!(verify("a password of old", Some(&old)), "{old}");
            assert!(!verify("a password of new", Some(&old)), "{old}");
        }
        assert!(is_outdated("") && is_outdated("$2b$10$x"));
    }

    #[test]
    fn short_and_common_passwords_are_refused() {
        for (password, weakness) in [
            ("", PasswordWeakness::TooShort),
            ("fourteen chars", PasswordWeakness::TooShort),
            (&"é".repeat(14), PasswordWeakness::TooShort),
            (&"x".repeat(129), PasswordWeakness::TooLong),
            ("passwordpassword", PasswordWeakness::TooEasy),
            ("P@ssw0rdP@ssw0rd", PasswordWeakness::TooEasy),
            ("123456789012345", PasswordWeakness::TooEasy),
            ("1q2w3e4r5t6y7u8i", PasswordWeakness::TooEasy),
            ("qwertyuiopasdfgh", PasswordWeakness::TooEasy),
            ("aaaaaaaaaaaaaaaa", PasswordWeakness::TooEasy),
            ("iloveyouforever", PasswordWeakness::TooEasy),
            ("manchesterunited", PasswordWeakness::TooEasy),
            ("changeme1234567", PasswordWeakness::TooEasy),
            ("TechKraftTickets1", PasswordWeakness::TooEasy),
            ("Midnight-Parade-2027", PasswordWeakness::TooEasy),
            ("admin admin admin 1", PasswordWeakness::TooEasy),
        ] {
            assert_eq!(check(password), Err(weakness), "{password:?}");
        }
    }

    #[test]
    fn other_passwords_are_accepted() {
        let long = generate().repeat(5);
        for password in [
            generate().as_str(),
            "correct horse battery staple",
            "a long new password",
            "пятнадцать белых слонов",
            "  spaces count as  ",
            "🎟️ two for the rail, please 🎟️",
            &long,
        ] {
            assert_eq!(check(password), Ok(()), "{password:?}");
        }
    }
}
