//! Passwords: which ones are taken, and how they are kept.
//!
//! They are kept as argon2id hashes with the parameters of the OWASP Password Storage Cheat Sheet: 19 MiB, 2
//! passes, 1 lane. One that was kept with others is hashed anew at the next sign-in.
//!
//! A new one has 15 characters or more, because it is the only thing that is asked for (NIST SP 800-63B-4,
//! 3.1.1.2; OWASP ASVS 5.0, 6.2.1), and may be made of any (6.2.5). It is compared as it was typed (6.2.8).

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use rand::RngExt as _;
use zxcvbn::{Score, zxcvbn};

/// Fewest characters, as Unicode counts them.
pub const LENGTH_MIN: usize = 15;
/// Most characters: twice what OWASP ASVS 5.0, 6.2.9 asks for, and few enough to be looked at in no time.
pub const LENGTH_MAX: usize = 128;

/// Characters from the start whose strength is judged: the time for it grows with the square.
const JUDGED_LENGTH: usize = 48;

/// Words that whoever guesses tries here first (OWASP ASVS 5.0, 6.1.2). They count for nothing in a password.
const WORDS_OF_THIS_SITE: [&str; 10] = [
    "techkraft",
    "tickets",
    "ticket",
    "concert",
    "organizer",
    "organizer",
    "admin",
    "password",
    "midnight",
    "parade",
];

/// Kibibytes, passes and lanes.
const PARAMETERS: (u32, u32, u32) = (19 * 1024, 2, 1);

/// Why a new password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    #[error("Too short: use 15 characters or more, such as four or five words.")]
    TooShort,
    #[error("Too long: use 128 characters or fewer.")]
    TooLong,
    #[error(
        "Too easy to guess: it is made of common words, names, dates, rows of keys, or words of this site."
    )]
    TooEasy,
}

/// Whether the length will do. Cheap.
///
/// # Errors
/// [`Weakness::TooShort`] or [`Weakness::TooLong`].
pub fn check_length(password: &str) -> Result<(), Weakness> {
    match password.chars().count() {
        ..LENGTH_MIN => Err(Weakness::TooShort),
        LENGTH_MIN..=LENGTH_MAX => Ok(()),
        _ => Err(Weakness::TooLong),
    }
}

/// Whether it is one of those that are tried first: the common passwords of zxcvbn's lists (OWASP ASVS 5.0,
/// 6.2.4), and what is made of them, of names, repetitions, sequences and rows of keys. Takes a tenth of a
/// second for the oddest ones.
///
/// # Errors
/// The [`Weakness`].
pub fn check(password: &str) -> Result<(), Weakness> {
    check_length(password)?;
    let judged: String = password.chars().take(JUDGED_LENGTH).collect();
    let mut without_words = judged.to_lowercase();
    for word in WORDS_OF_THIS_SITE {
        without_words = without_words.replace(word, "");
    }
    // "Safely unguessable": more than 10⁸ guesses, a century and more at a hundred an hour.
    let is_strong = |text: &str| zxcvbn(text, &WORDS_OF_THIS_SITE).score() >= Score::Three;
    if is_strong(&judged) && is_strong(&without_words) { Ok(()) } else { Err(Weakness::TooEasy) }
}

/// Compared when there is no account of that name, so that this takes as long. No password matches it, because
/// a match without an account counts for nothing.
const NO_ACCOUNT_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm8gYWNjb3VudCBoYXMgaQ$pHbkeFz2QmVQXo3cBvS4zDq0n6yT1uWfKjRl8aIx5hM";

/// The PHC string to keep in place of the password. Takes tens of milliseconds on purpose.
///
/// # Errors
/// When the system has no randomness for the salt.
pub fn hash(password: &str) -> Result<String, argon2::password_hash::Error> {
    Ok(hasher().hash_password(password.as_bytes())?.to_string())
}

/// Whether the password is the one that was hashed. Without a hash it is not, and takes as long.
#[must_use]
pub fn verify(password: &str, hash: Option<&str>) -> bool {
    let matches = PasswordHash::new(hash.unwrap_or(NO_ACCOUNT_HASH))
        .is_ok_and(|kept| hasher().verify_password(password.as_bytes(), &kept).is_ok());
    matches && hash.is_some()
}

/// Whether a hash was made with other parameters than those of today.
#[must_use]
pub fn is_outdated(hash: &str) -> bool {
    let Ok(kept) = PasswordHash::new(hash) else { return true };
    let is_current = kept.algorithm.as_str() == "argon2id"
        && kept.version == Some(Version::V0x13.into())
        && Params::try_from(&kept).is_ok_and(|it| (it.m_cost(), it.t_cost(), it.p_cost()) == PARAMETERS);
    !is_current
}

fn hasher() -> Argon2<'static> {
    let (memory, passes, lanes) = PARAMETERS;
    let parameters = Params::new(memory, passes, lanes, None).unwrap_or(Params::DEFAULT);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
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
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(!is_outdated(&hash) && !is_outdated(NO_ACCOUNT_HASH), "both take equally long to compare");
        assert!(verify(&password, Some(&hash)));
        assert!(!verify("another", Some(&hash)));
        assert!(!verify(&password, None));
    }

    #[test]
    fn a_hash_with_other_parameters_still_opens_and_is_outdated() {
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
    fn what_is_tried_first_is_not_taken() {
        for (password, weakness) in [
            ("", Weakness::TooShort),
            ("fourteen chars", Weakness::TooShort),
            (&"é".repeat(14), Weakness::TooShort),
            (&"x".repeat(129), Weakness::TooLong),
            ("passwordpassword", Weakness::TooEasy),
            ("P@ssw0rdP@ssw0rd", Weakness::TooEasy),
            ("123456789012345", Weakness::TooEasy),
            ("1q2w3e4r5t6y7u8i", Weakness::TooEasy),
            ("qwertyuiopasdfgh", Weakness::TooEasy),
            ("aaaaaaaaaaaaaaaa", Weakness::TooEasy),
            ("iloveyouforever", Weakness::TooEasy),
            ("manchesterunited", Weakness::TooEasy),
            ("changeme1234567", Weakness::TooEasy),
            ("TechKraftTickets1", Weakness::TooEasy),
            ("Midnight-Parade-2027", Weakness::TooEasy),
            ("admin admin admin 1", Weakness::TooEasy),
        ] {
            assert_eq!(check(password), Err(weakness), "{password:?}");
        }
    }

    #[test]
    fn every_other_is() {
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
