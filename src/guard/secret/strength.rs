//! Whether a secret is hard to guess: with it, anybody could sign in as anyone.

use zxcvbn::zxcvbn;

/// Fewest characters: 128 bits if each is a hexadecimal digit (NIST SP 800-131A asks for 112).
const LENGTH_MIN: usize = 32;

/// Only the first characters are judged: zxcvbn's time grows with the square of the length.
const JUDGED_LENGTH: usize = 64;

/// Fewest guesses for the whole secret, as a power of ten. zxcvbn's estimate ends at 10^19.3, far below 32 random
/// characters, so this finds repetitions, sequences and keyboard patterns, but not a row of common words.
const WHOLE_MIN: f64 = 19.0;
/// Fewest guesses for all its words, multiplied, as a power of ten. A secret in hexadecimal digits has 10^27
/// or more; five words of an example have 10^16.
const WORDS_MIN: f64 = 20.0;
/// Longest piece that counts as one word: zxcvbn's estimate for 16 random characters is below its maximum.
const WORD_LENGTH_MAX: usize = 16;

/// Words that an attacker of this site tries first.
const WORDS_OF_THIS_SITE: [&str; 4] = ["techkraft", "tickets", "changeme", "secret"];

/// The message for a secret that is refused everywhere.
pub const TOO_SHORT: &str = "too short to be safe";

/// Why a secret is too weak; `None` if it is strong.
#[must_use]
pub fn weakness(secret: &str) -> Option<&'static str> {
    if secret.chars().count() < LENGTH_MIN {
        return Some(TOO_SHORT);
    }
    let judged: String = secret.chars().take(JUDGED_LENGTH).collect();
    let is_strong = guesses(&judged) >= WHOLE_MIN && guesses_of_words(&judged) >= WORDS_MIN;
    (!is_strong).then_some("too easy to guess")
}

fn guesses_of_words(secret: &str) -> f64 {
    let words = secret.split(['-', '_', '.', ' ']).map(|word| word.chars().collect::<Vec<_>>());
    words
        .flat_map(|word| word.chunks(WORD_LENGTH_MAX).map(String::from_iter).collect::<Vec<_>>())
        .map(|word| guesses(&word))
        .sum()
}

fn guesses(text: &str) -> f64 {
    zxcvbn(text, &WORDS_OF_THIS_SITE).guesses_log10().max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessable_secrets_are_weak() {
        for weak in [
            "",
            "short",
            "changeme-changeme-changeme-changeme",
            "ch4ng3m3-to-a-long-random-value!",
            "please-change-this-secret-key-in-production",
            "secretsecretsecretsecretsecretsecret1",
            "my-super-secret-key-for-techkraft",
            "your-256-bit-secret-your-256-bit-secret",
            "the example of SECRET_KEY in README",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "abababababababababababababababababab",
            "0123456789abcdef0123456789abcdef",
            "0123456789abcdef0123456789abcdef0123456789",
            "abcdefghijklmnopqrstuvwxyz0123456789",
            "zyxwvutsrqponmlkjihgfedcba9876543210",
            "qwertyuiopasdfghjklzxcvbnm1234567890",
            "00000000000000000000000000000001",
            "correct horse battery staple 2024",
            "q3Jt0Zr9pXw1mVbKq3Jt0Zr9pXw1mVbK",
        ] {
            assert!(weakness(weak).is_some(), "{weak}");
        }
    }

    #[test]
    fn random_secrets_and_long_passphrases_are_strong() {
        for strong in [
            "6f1ed002ab5595859014ebf0951522d9",
            "c2d0b7c1a4de8e4a9f1f6f3f0e6c55d9b1f4db5a4c9a58e7a1c6bb0cf0a5d3e2",
            "q3Jt0Zr9pXw1mVbK7yUeA5sLdHf2GcN8",
            "techkraft-production-q3Jt0Zr9pXw1mVbK7yUeA5sLdHf2GcN8",
            "nine purple otters juggle brass kettles at dawn",
        ] {
            assert_eq!(weakness(strong), None, "{strong}");
        }
    }
}
