//! What a booking is found by: its reference, which people read aloud, and its token, which only its buyer
//! knows.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use rand::RngExt as _;

use super::request_key;

/// Digits and capitals without 0, 1, I, L, O and U, which people confuse when they read or type a reference.
pub const REFERENCE_ALPHABET: &[u8] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ";

const BASE: u64 = REFERENCE_ALPHABET.len() as u64;
/// How many references there are: 30⁸.
pub(super) const REFERENCES: u64 = BASE.pow(8);

/// A random reference, for databases without a reference key. A clash is rare, and a UNIQUE refuses it.
#[must_use]
pub fn new_reference() -> String {
    reference_of_number(rand::rng().random_range(..REFERENCES))
}

/// The reference with that number, in readable groups.
pub(super) fn reference_of_number(number: u64) -> String {
    let code = digits(number, 8);
    format!("TK-{}-{}", &code[..4], &code[4..])
}

/// The number of a reference; `None`: it is no reference.
pub(super) fn number_of_reference(reference: &str) -> Option<u64> {
    let (first, second) = reference.strip_prefix("TK-")?.split_once('-')?;
    let has_groups = first.len() == 4 && second.len() == 4;
    has_groups.then(|| Some(number(first)? * BASE.pow(4) + number(second)?))?
}

/// The number that digits of this alphabet stand for; `None` if a character is not in the alphabet, or there are too
/// many.
#[must_use]
pub fn number(digits: &str) -> Option<u64> {
    let digit = |character| REFERENCE_ALPHABET.iter().position(|it| *it == character);
    digits
        .bytes()
        .try_fold(0_u64, |number, character| number.checked_mul(BASE)?.checked_add(digit(character)? as u64))
}

/// The lowest `length` digits of a number, in this alphabet.
#[must_use]
pub fn digits(mut number: u64, length: usize) -> String {
    let mut digits = vec![REFERENCE_ALPHABET[0]; length];
    for place in digits.iter_mut().rev() {
        *place = REFERENCE_ALPHABET[(number % BASE) as usize];
        number /= BASE;
    }
    digits.into_iter().map(char::from).collect()
}

/// A reference as somebody types or reads it out: in small letters, without its hyphens or its `TK`. `None`
/// when it can be none.
#[must_use]
pub fn parse_reference(typed: &str) -> Option<String> {
    let letters = typed.chars().filter(|c| !c.is_whitespace() && *c != '-');
    let code = letters.collect::<String>().to_ascii_uppercase();
    let code = code.strip_prefix("TK").filter(|rest| rest.len() == 8).unwrap_or(&code);
    let is_code = code.len() == 8 && code.bytes().all(|b| REFERENCE_ALPHABET.contains(&b));
    is_code.then(|| format!("TK-{}-{}", &code[..4], &code[4..]))
}

/// A new token: the time and 96 random bits.
#[must_use]
pub fn new_token() -> String {
    URL_SAFE_NO_PAD.encode(request_key::dated_nonce(Utc::now()))
}

/// Whether a text can be a token at all; PostgreSQL refuses to even compare some that cannot.
#[must_use]
pub fn is_token(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_readable_and_tokens_fit_a_url() {
        let reference = new_reference();
        assert_eq!(reference.len(), "TK-7F3K-9QXM".len());
        assert!(!reference[3..].contains(['0', '1', 'I', 'L', 'O', 'U']));
        assert_eq!(parse_reference(&reference).as_ref(), Some(&reference));
        assert_eq!(parse_reference(" tk 7f3k-9qxm ").as_deref(), Some("TK-7F3K-9QXM"));
        assert_eq!(parse_reference("tk3k9qxm").as_deref(), Some("TK-TK3K-9QXM"));
        for bad in ["", "TK", "TK-7F3K-9QX", "TK-7F3K-9QX0", "7F3K\09QXM", "ÄÖÜÄ"] {
            assert_eq!(parse_reference(bad), None, "{bad}");
        }
        assert!(is_token(&new_token()) && !is_token("") && !is_token("a\0"));
        assert_ne!(new_token(), new_token());
    }
}
