//! Codes of six digits that an app generates from a secret and the time (TOTP, RFC 6238): HMAC-SHA-1 and steps of 30
//! seconds, which is what every such app does.

use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;

const STEP_SECONDS: i64 = 30;
const DIGITS: u32 = 6;
/// In bytes: the 160 bits that RFC 4226, section 4, recommends.
const SECRET_LENGTH: usize = 20;
/// A code is accepted one step early or late: clocks differ, and people type slowly.
const STEPS_APART: i64 = 1;

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What the codes of an account are generated from.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSecret([u8; SECRET_LENGTH]);

impl TotpSecret {
    #[must_use]
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// In Base32 (RFC 4648), as people type it into an app. 160 bits fill it without padding.
    #[must_use]
    pub fn base32(&self) -> String {
        let groups = self.0.chunks(5).flat_map(|chunk| {
            let bits = chunk.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            (0..8).rev().map(move |place| char::from(BASE32[(bits >> (5 * place)) as usize & 31]))
        });
        groups.collect()
    }

    /// `None` if the text is not a secret in this form.
    #[must_use]
    pub fn from_base32(text: &str) -> Option<Self> {
        let digits: Option<Vec<u64>> = text
            .bytes()
            .map(|byte| BASE32.iter().position(|digit| *digit == byte).map(|digit| digit as u64))
            .collect();
        let bytes: Vec<u8> = digits?
            .chunks(8)
            .flat_map(|chunk| {
                let bits = chunk.iter().fold(0, |bits, digit| bits << 5 | digit);
                (0..5).rev().map(move |place| (bits >> (8 * place)) as u8)
            })
            .collect();
        Some(Self(bytes.try_into().ok()?))
    }

    /// What the QR code says to the app.
    #[must_use]
    pub fn url(&self, issuer: &str, account: &str) -> String {
        let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let (issuer, account) = (encoded(issuer), encoded(account));
        format!("otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}", self.base32())
    }

    /// The step of a code that is good at this time (Unix, in seconds) and later than `after`, the step of the last
    /// code that was accepted.
    #[must_use]
    pub fn accept(&self, code: u32, now: i64, after: i64) -> Option<i64> {
        let current = now.div_euclid(STEP_SECONDS);
        let steps = current - STEPS_APART..=current + STEPS_APART;
        steps.filter(|step| *step > after).find(|step| self.code(*step) == code)
    }

    /// The code of a step (RFC 4226, section 5.3).
    #[must_use]
    pub fn code(&self, step: i64) -> u32 {
        // HMAC takes a key of any length, so this cannot fail.
        let mac = Hmac::<Sha1>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        let hash = mac.chain_update(step.to_be_bytes()).finalize().into_bytes();
        let offset = usize::from(hash[hash.len() - 1] & 0xf);
        let chosen = hash[offset..offset + 4].iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        (chosen & 0x7fff_ffff) % 10_u32.pow(DIGITS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of the tests of RFC 6238, appendix B.
    fn secret() -> TotpSecret {
        TotpSecret(*b"12345678901234567890")
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        // The RFC's codes have eight digits. Ours are the last six of them.
        for (time, code) in [
            (59, 287_082),
            (1_111_111_109, 81_804),
            (1_111_111_111, 50_471),
            (1_234_567_890, 5_924),
            (2_000_000_000, 279_037),
            (20_000_000_000, 353_130),
        ] {
            assert_eq!(secret().code(time / STEP_SECONDS), code, "{time}");
            assert_eq!(secret().accept(code, time, -1), Some(time / STEP_SECONDS), "{time}");
        }
    }

    #[test]
    fn a_code_is_good_a_step_early_and_late_and_once() {
        let (now, step) = (1_234_567_890, 1_234_567_890 / STEP_SECONDS);
        for apart in -1..=1 {
            let code = secret().code(step + apart);
            assert_eq!(secret().accept(code, now, 0), Some(step + apart));
            assert_eq!(secret().accept(code, now, step + apart), None, "used");
            assert_eq!(secret().accept(code, now, step + 2), None, "older than one that was used");
        }
        for apart in [-2, 2] {
            assert_eq!(secret().accept(secret().code(step + apart), now, 0), None);
        }
        assert_eq!(TotpSecret([7; 20]).accept(secret().code(step), now, 0), None, "of another secret");
    }

    #[test]
    fn an_app_reads_the_secret() {
        assert_eq!(secret().base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        for secret in [secret(), TotpSecret::random(), TotpSecret([0; 20]), TotpSecret([255; 20])] {
            assert!(TotpSecret::from_base32(&secret.base32()) == Some(secret));
        }
        for other in
            ["", "GEZDGNBVGY3TQOJQ", "gezdgnbvgy3tqojqgezdgnbvgy3tqojq", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1"]
        {
            assert!(TotpSecret::from_base32(other).is_none(), "{other}");
        }
        assert_eq!(
            secret().url("TechKraft Tickets", "box.office"),
            "otpauth://totp/TechKraft%20Tickets:box%2Eoffice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=TechKraft%20Tickets"
        );
    }
}
