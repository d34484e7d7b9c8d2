//! Signatures with the site's secret (HMAC-SHA256).

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::secret::{Key, Purpose, Secrets};

/// The whole signature. Callers may store a shorter one.
pub type Signature = [u8; 32];

/// Signs and verifies for one purpose.
#[derive(Clone)]
pub struct Signer {
    /// The first one signs, each of them verifies: signatures stay valid when the secret is replaced.
    macs: Vec<Hmac<Sha256>>,
}

impl Signer {
    #[must_use]
    pub fn new(secrets: &Secrets, purpose: Purpose) -> Self {
        // HMAC takes a key of any length, so this cannot fail.
        let mac = |key: &Key| Hmac::new_from_slice(key).expect("HMAC takes a key of any length");
        Self { macs: secrets.keys(purpose).iter().map(mac).collect() }
    }

    /// The signature under the current secret.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        sign_with(&self.macs[0], message)
    }

    /// Whether this is the start of a signature of ours. Compares in constant time.
    #[must_use]
    pub fn verify(&self, message: &[u8], truncated: &[u8]) -> bool {
        self.macs.iter().any(|mac| mac.clone().chain_update(message).verify_truncated_left(truncated).is_ok())
    }

    /// The signatures under each of the secrets, for callers that shorten them in their own way.
    pub fn signatures(&self, message: &[u8]) -> impl Iterator<Item = Signature> {
        self.macs.iter().map(move |mac| sign_with(mac, message))
    }
}

fn sign_with(mac: &Hmac<Sha256>, message: &[u8]) -> Signature {
    mac.clone().chain_update(message).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_valid_for_its_message_its_purpose_and_its_secret() {
        let signer = Signer::new(&"a secret".into(), Purpose::RequestKeys);
        let signature = signer.sign(b"a message");
        assert!(signer.verify(b"a message", &signature) && signer.verify(b"a message", &signature[..18]));
        assert!(
            !signer.verify(b"another message", &signature) && !signer.verify(b"a message", &signature[1..])
        );
        assert!(!Signer::new(&"a secret".into(), Purpose::TicketCodes).verify(b"a message", &signature));
        assert!(!Signer::new(&"another".into(), Purpose::RequestKeys).verify(b"a message", &signature));
        let rotated = Secrets::new("another".into(), vec!["a secret".into()]);
        let rotated = Signer::new(&rotated, Purpose::RequestKeys);
        assert!(rotated.verify(b"a message", &signature));
        assert_ne!(rotated.sign(b"a message"), signature, "the current secret signs");
        assert!(rotated.signatures(b"a message").any(|it| it == signature));
    }
}
