//! Request keys: each rendered checkout carries a fresh one, and one key books once. A key is signed, so
//! that a booking only ever starts from a form that we made.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use rand::RngExt as _;

use crate::guard::secret::{Purpose, Secrets};
use crate::guard::signing::Signer;

const NONCE_BYTES: usize = 18;
const TAG_BYTES: usize = 18;
/// Base64 turns 3 bytes into 4 characters.
const TEXT_LENGTH: usize = (NONCE_BYTES + TAG_BYTES) / 3 * 4;

/// A key that this site made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey(String);

impl RequestKey {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Mints and recognizes request keys.
pub struct RequestKeys {
    signer: Signer,
}

impl RequestKeys {
    #[must_use]
    pub fn new(secrets: &Secrets) -> Self {
        Self { signer: Signer::new(secrets, Purpose::RequestKeys) }
    }

    /// A key that nobody has seen before.
    #[must_use]
    pub fn mint(&self) -> RequestKey {
        let nonce: [u8; NONCE_BYTES] = dated_nonce();
        let mut bytes = nonce.to_vec();
        bytes.extend_from_slice(&self.signer.sign(&nonce)[..TAG_BYTES]);
        RequestKey(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The key in a form's field; `None` when it is missing, cut or somebody else's.
    #[must_use]
    pub fn recognize(&self, text: &str) -> Option<RequestKey> {
        if text.len() != TEXT_LENGTH {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, tag) = bytes.split_at_checked(NONCE_BYTES)?;
        self.signer.verify(nonce, tag).then(|| RequestKey(text.to_owned()))
    }
}

/// Eighteen bytes that nobody guesses and that never come twice. The time in milliseconds stands first:
/// what is made together then stands together in an index, and a batch of bookings writes a few of its
/// pages instead of one for each booking.
pub(super) fn dated_nonce() -> [u8; 18] {
    let mut nonce: [u8; 18] = rand::rng().random();
    let milliseconds = Utc::now().timestamp_millis().to_be_bytes();
    nonce[..6].copy_from_slice(&milliseconds[2..]);
    nonce
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_keys_are_recognized() {
        let keys = RequestKeys::new(&"a secret".into());
        let key = keys.mint();
        assert_eq!(keys.recognize(key.as_str()), Some(key.clone()));
        assert_ne!(keys.mint(), key);

        let foreign = RequestKeys::new(&"another secret".into()).mint();
        let mut altered = key.as_str().to_owned();
        altered.replace_range(..1, if altered.starts_with('A') { "B" } else { "A" });
        for bad in ["", "abc", foreign.as_str(), &altered, &key.as_str()[1..]] {
            assert_eq!(keys.recognize(bad), None, "{bad}");
        }
        let rotated = RequestKeys::new(&Secrets::new("another secret".into(), vec!["a secret".into()]));
        assert_eq!(rotated.recognize(key.as_str()), Some(key), "a form opened before the change still books");
        assert!(rotated.recognize(foreign.as_str()).is_some());
        assert_eq!(keys.recognize(rotated.mint().as_str()), None, "new forms carry the new signature");
    }
}
