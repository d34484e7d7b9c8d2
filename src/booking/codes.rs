//! What a booking is found by: its reference, which is read out aloud, and its token, which only its buyer knows.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use rand::RngExt as _;

use super::request_key;

/// Digits and capitals that nobody mistakes for one another when they are read out or typed.
pub const REFERENCE_ALPHABET: &[u8] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A new reference in readable groups. 30⁸ of them make a clash rare, and the schema refuses it.
#[must_use]
pub fn new_reference() -> String {
    let mut random = rand::rng();
    let mut group = || -> String {
        (0..4)
            .map(|_| char::from(REFERENCE_ALPHABET[random.random_range(..REFERENCE_ALPHABET.len())]))
            .collect()
    };
    format!("TK-{}-{}", group(), group())
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
