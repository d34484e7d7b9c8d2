//! The signature of Stripe's webhooks: HMAC-SHA256 over the time, a period and the raw body, in hexadecimal.
//!
//! The header may hold several signatures, and several secrets may be valid while one is replaced: any pair is enough.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::settings::WebhookSecrets;

/// The header's name.
pub const HEADER: &str = "stripe-signature";
/// How far its time may be from now, in seconds: what Stripe's own libraries allow.
const TOLERANCE: i64 = 5 * 60;
/// Signatures that are looked at: two secrets, and room for one more.
const SIGNATURES_MAX: usize = 3;

/// Why a webhook is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureError {
    /// There is no header, or it is not one of Stripe's.
    Malformed,
    /// It was signed with no secret of ours, or its body is another one.
    Forged,
    /// It is genuine, and from another time: somebody may be sending it again, or a clock is wrong.
    OtherTime,
}

/// Verifies a webhook. `now`: seconds since 1970. The body counts as it came, byte by byte.
///
/// # Errors
/// Why it is refused.
pub fn verify(header: &str, body: &[u8], secrets: &WebhookSecrets, now: i64) -> Result<(), SignatureError> {
    let (mut time, mut signatures) = (None, Vec::new());
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", value)) if time.is_none() => time = value.parse::<i64>().ok().map(|at| (at, value)),
            Some(("v1", value)) if signatures.len() < SIGNATURES_MAX => signatures.extend(from_hex(value)),
            _ => {}
        }
    }
    let (at, written) = time.ok_or(SignatureError::Malformed)?;
    if signatures.is_empty() {
        return Err(SignatureError::Malformed);
    }
    let is_genuine = secrets.iter().any(|secret| {
        let mac = mac(secret, written, body);
        // Compares in constant time.
        signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
    });
    match (is_genuine, now.abs_diff(at) <= TOLERANCE.unsigned_abs()) {
        (false, _) => Err(SignatureError::Forged),
        (true, false) => Err(SignatureError::OtherTime),
        (true, true) => Ok(()),
    }
}

/// The header that Stripe would send. For tests, and for the fake Stripe that they ask.
#[must_use]
pub fn sign(body: &[u8], secret: &str, at: i64) -> String {
    let signature = hex::encode(mac(secret, &at.to_string(), body).finalize().into_bytes());
    format!("t={at},v1={signature}")
}

fn mac(secret: &str, time: &str, body: &[u8]) -> Hmac<Sha256> {
    // HMAC takes a key of any length, so this cannot fail.
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.chain_update(time).chain_update(".").chain_update(body)
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_0123456789abcdef";
    const BODY: &[u8] = br#"{"id":"evt_1","object":"event"}"#;
    const AT: i64 = 1_795_900_000;
    /// From another implementation: Python's hmac module.
    const SIGNATURE: &str = "a672c48b704893cce329fd541df63e44f1fb4d8e262a8a794b3526e8cb141362";

    fn secrets(value: &str) -> WebhookSecrets {
        WebhookSecrets::parse(value).expect("secrets")
    }

    fn check(header: &str, at: i64) -> Result<(), SignatureError> {
        verify(header, BODY, &secrets(SECRET), at)
    }

    #[test]
    fn a_signature_is_what_others_compute() {
        assert_eq!(sign(BODY, SECRET, AT), format!("t={AT},v1={SIGNATURE}"));
        assert_eq!(check(&format!("t={AT},v1={SIGNATURE}"), AT), Ok(()));
        assert_eq!(check(&format!("t={AT}, v0=00, v1={SIGNATURE}"), AT), Ok(()));
    }

    #[test]
    fn another_body_time_or_secret_is_forged() {
        let header = sign(BODY, SECRET, AT);
        assert_eq!(verify(&header, b"{}", &secrets(SECRET), AT), Err(SignatureError::Forged));
        let later = header.replace(&AT.to_string(), &(AT + 1).to_string());
        assert_eq!(check(&later, AT), Err(SignatureError::Forged), "the time is signed too");
        assert_eq!(check(&sign(BODY, "whsec_another_secret", AT), AT), Err(SignatureError::Forged));
    }

    #[test]
    fn five_minutes_are_tolerated() {
        let header = sign(BODY, SECRET, AT);
        for (now, result) in [
            (AT + 300, Ok(())),
            (AT - 300, Ok(())),
            (AT + 301, Err(SignatureError::OtherTime)),
            (AT - 301, Err(SignatureError::OtherTime)),
            (i64::MAX, Err(SignatureError::OtherTime)),
        ] {
            assert_eq!(check(&header, now), result, "{now}");
        }
    }

    #[test]
    fn both_secrets_are_valid_while_one_is_replaced() {
        let both = secrets("whsec_the_new_one_1234,whsec_0123456789abcdef");
        let (old, new) = (sign(BODY, SECRET, AT), sign(BODY, "whsec_the_new_one_1234", AT));
        assert_eq!(verify(&old, BODY, &both, AT), Ok(()));
        assert_eq!(verify(&new, BODY, &both, AT), Ok(()));
        let twice = format!("{new},{}", old.split_once(',').expect("a signature").1);
        assert_eq!(check(&twice, AT), Ok(()), "signed with both");
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        let many = format!("t={AT}{}", format!(",v1={}", "0".repeat(64)).repeat(1000));
        for bad in ["", "t=", "v1=", "t=x,v1=y", &format!("t={AT}"), &format!("t={AT},v1=00"), "v1,t,=,,"] {
            assert_eq!(check(bad, AT), Err(SignatureError::Malformed), "{bad}");
        }
        assert_eq!(check(&many, AT), Err(SignatureError::Forged));
        let sign = format!("t={AT},v1=+{}", "0".repeat(63));
        assert_eq!(check(&sign, AT), Err(SignatureError::Malformed));
    }
}
