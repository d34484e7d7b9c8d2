//! Which secrets are none: whoever can guess the secret can sign in as anybody.

/// Fewest characters of a secret: 128 bits when each is a hexadecimal digit (NIST SP 800-131A asks for 112).
const LENGTH_MIN: usize = 32;

/// What is said of a secret that is refused everywhere.
pub const TOO_SHORT: &str = "too short to be safe";

/// Fewest different characters. Of 32 random hexadecimal digits fewer than 8 differ once in ten million.
const DIFFERENT_MIN: usize = 8;

/// What stands in examples, in letters alone. What a secret has besides must be long enough by itself.
const PLACEHOLDERS: [&str; 24] = [
    "change",
    "replace",
    "secret",
    "password",
    "passphrase",
    "example",
    "sample",
    "placeholder",
    "default",
    "insecure",
    "unsafe",
    "yourkey",
    "signingkey",
    "keyhere",
    "production",
    "development",
    "techkraft",
    "tickets",
    "qwerty",
    "letmein",
    "foobar",
    "loremipsum",
    "donotuse",
    "correcthorsebatterystaple",
];

/// Why a secret is too weak; `None` when nothing speaks against it.
#[must_use]
pub fn weakness(secret: &str) -> Option<&'static str> {
    if secret.chars().count() < LENGTH_MIN {
        return Some(TOO_SHORT);
    }
    let rest = without_placeholders(secret);
    if rest.chars().count() < LENGTH_MIN && rest.len() < letters(secret).len() {
        return Some("a placeholder, which everybody knows");
    }
    let characters: Vec<char> = secret.chars().collect();
    if different(&characters) < DIFFERENT_MIN {
        return Some("made of too few different characters");
    }
    if repeats(&characters) {
        return Some("the same again and again");
    }
    if is_in_order(&characters) {
        return Some("characters in their order, which are easy to guess");
    }
    None
}

/// Letters and digits, with those digits that people write for letters as letters.
fn letters(text: &str) -> String {
    let plain = |c: char| match c {
        '0' => 'o',
        '1' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        _ => c.to_ascii_lowercase(),
    };
    text.chars().map(plain).filter(|c| c.is_alphanumeric()).collect()
}

fn without_placeholders(secret: &str) -> String {
    PLACEHOLDERS.iter().fold(letters(secret), |rest, word| rest.replace(word, ""))
}

fn different(characters: &[char]) -> usize {
    let mut different = characters.to_vec();
    different.sort_unstable();
    different.dedup();
    different.len()
}

/// Whether a part of it, half at most, makes the whole when it is written again and again.
fn repeats(characters: &[char]) -> bool {
    (1..=characters.len() / 2)
        .any(|period| characters.iter().zip(&characters[period..]).all(|(one, next)| one == next))
}

/// Whether most characters follow on the one before, as in "abcdef" or "987654".
fn is_in_order(characters: &[char]) -> bool {
    let steps = characters.windows(2).filter(|pair| (pair[0] as u32).abs_diff(pair[1] as u32) <= 1).count();
    steps * 2 > characters.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_guesses_is_weak() {
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
        ] {
            assert!(weakness(weak).is_some(), "{weak}");
        }
    }

    #[test]
    fn random_ones_and_long_passphrases_are_not() {
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
