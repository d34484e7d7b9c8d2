//! Request keys: each checkout form carries a fresh one, and one key books once. A key is signed, so that a
//! booking only starts from a form that this site made, and dated, so that the age of the form is known.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt as _;

use crate::guard::secret::{Purpose, Secrets};
use crate::guard::signing::Signer;
use crate::queue::pass::{self, Passes};

const NONCE_BYTES: usize = 18;
const TAG_BYTES: usize = 18;
/// Base64 turns 3 bytes into 4 characters.
const TEXT_LENGTH: usize = (NONCE_BYTES + TAG_BYTES) / 3 * 4;
const _: () = assert!(TEXT_LENGTH != pass::TEXT_LENGTH, "the length tells a key from a pass");

/// A key that this site made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey(String);

impl RequestKey {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Makes and verifies request keys.
pub struct RequestKeys {
    signer: Signer,
    passes: Passes,
}

impl RequestKeys {
    #[must_use]
    pub fn new(secrets: &Secrets) -> Self {
        Self { signer: Signer::new(secrets, Purpose::RequestKeys), passes: Passes::new(secrets) }
    }

    /// A new key.
    #[must_use]
    pub fn generate(&self) -> RequestKey {
        self.generate_at(Utc::now())
    }

    /// The key of a form that was made then.
    #[must_use]
    pub fn generate_at(&self, made_at: DateTime<Utc>) -> RequestKey {
        let nonce: [u8; NONCE_BYTES] = dated_nonce(made_at);
        let mut bytes = nonce.to_vec();
        bytes.extend_from_slice(&self.signer.sign(&nonce)[..TAG_BYTES]);
        RequestKey(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The pass in a form's field: the form keeps it, whatever is wrong with the rest.
    #[must_use]
    pub fn kept_pass(&self, text: &str) -> Option<RequestKey> {
        self.passes.is_pass(text).then(|| RequestKey(text.to_owned()))
    }

    /// The key in a form's field, which may be a waiting room's pass; `None` when it is missing, cut off or not signed
    /// by this site.
    #[must_use]
    pub fn verify(&self, text: &str) -> Option<RequestKey> {
        if text.len() != TEXT_LENGTH {
            return self.kept_pass(text);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, tag) = bytes.split_at_checked(NONCE_BYTES)?;
        self.signer.verify(nonce, tag).then(|| RequestKey(text.to_owned()))
    }
}

/// Why a form has no key to book with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestKeyError {
    /// The honeypot field is filled in.
    Honeypot,
    Invalid,
}

/// Eighteen unguessable, unique bytes. They start with the time in milliseconds, so keys that are made
/// together are neighbors in an index: a batch of bookings writes a few of its pages, not one per booking.
pub(super) fn dated_nonce(made_at: DateTime<Utc>) -> [u8; 18] {
    let mut nonce: [u8; 18] = rand::rng().random();
    let milliseconds = made_at.timestamp_millis().to_be_bytes();
    nonce[..6].copy_from_slice(&milliseconds[2..]);
    nonce
}

/// How far the clock of the server that made a form may be ahead of the clock of the one that reads it.
const CLOCKS_APART_MAX: TimeDelta = TimeDelta::seconds(5);

/// How old a form may be when it is sent. Younger ones come from programs, older ones were forgotten. Both
/// get a fresh form with everything typed still in it, so a person who was wrongly rejected books one click
/// later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormAges {
    /// Zero: no minimum.
    pub least: Duration,
    pub most: Duration,
}

impl Default for FormAges {
    fn default() -> Self {
        Self { least: Duration::from_millis(150), most: Duration::from_secs(12 * 3600) }
    }
}

/// Why a form is rejected for its age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormAgeError {
    TooYoung,
    TooOld,
}

impl FormAges {
    /// No minimum, for load tests.
    #[must_use]
    pub fn of_any_speed() -> Self {
        Self { least: Duration::ZERO, ..Self::default() }
    }

    /// Checks the age of the form that carried the key.
    ///
    /// # Errors
    /// Too young or too old.
    pub fn check(&self, request_key: &str, now: DateTime<Utc>) -> Result<(), FormAgeError> {
        // A key without a readable time is not ours and was rejected earlier.
        let made_at = made_at(request_key).ok_or(FormAgeError::TooOld)?;
        let age = now - made_at;
        let is_from_a_clock_ahead = age < TimeDelta::zero() && age >= -CLOCKS_APART_MAX;
        match age.to_std() {
            Ok(age) if age > self.most => Err(FormAgeError::TooOld),
            Ok(age) if age >= self.least => Ok(()),
            _ if is_from_a_clock_ahead => Ok(()),
            _ => Err(FormAgeError::TooYoung),
        }
    }
}

/// The first 48 bits of a key: milliseconds since 1970.
fn made_at(request_key: &str) -> Option<DateTime<Utc>> {
    let start = URL_SAFE_NO_PAD.decode(request_key.get(..8)?).ok()?;
    let milliseconds = start.iter().fold(0, |sum, byte| sum << 8 | i64::from(*byte));
    DateTime::from_timestamp_millis(milliseconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::tests::room;

    #[test]
    fn only_our_own_keys_are_recognized() {
        let keys = RequestKeys::new(&"a secret".into());
        let key = keys.generate();
        assert_eq!(keys.verify(key.as_str()), Some(key.clone()));
        assert_ne!(keys.generate(), key);

        let foreign = RequestKeys::new(&"another secret".into()).generate();
        let mut altered = key.as_str().to_owned();
        altered.replace_range(..1, if altered.starts_with('A') { "B" } else { "A" });
        for bad in ["", "abc", foreign.as_str(), &altered, &key.as_str()[1..]] {
            assert_eq!(keys.verify(bad), None, "{bad}");
        }
        let rotated = RequestKeys::new(&Secrets::new("another secret".into(), vec!["a secret".into()]));
        assert_eq!(rotated.verify(key.as_str()), Some(key), "a form opened before the change still books");
        assert!(rotated.verify(foreign.as_str()).is_some());
        assert_eq!(keys.verify(rotated.generate().as_str()), None, "new forms carry the new signature");
    }

    #[test]
    fn a_pass_is_a_key_with_an_age() {
        let keys = RequestKeys::new(&"a secret".into());
        let issued_at = Utc::now();
        let pass =
            Passes::new(&"a secret".into()).pass(&room(), "0123456789abcdef0123", issued_at.naive_utc());
        assert_eq!(keys.verify(pass.as_str()).as_ref().map(RequestKey::as_str), Some(pass.as_str()));
        assert_eq!(keys.kept_pass(pass.as_str()), keys.verify(pass.as_str()));
        assert_eq!(keys.kept_pass(keys.generate().as_str()), None);
        let ages = FormAges::default();
        assert_eq!(ages.check(pass.as_str(), issued_at), Err(FormAgeError::TooYoung), "from no form");
        assert_eq!(ages.check(pass.as_str(), issued_at + TimeDelta::seconds(1)), Ok(()));
        let foreign =
            Passes::new(&"another".into()).pass(&room(), "0123456789abcdef0123", issued_at.naive_utc());
        assert_eq!(keys.verify(foreign.as_str()), None);
    }

    #[test]
    fn a_form_books_only_within_its_ages() {
        let key = RequestKeys::new(&"a secret".into()).generate().as_str().to_owned();
        let made_at = made_at(&key).expect("it is dated");
        assert!((Utc::now() - made_at).num_seconds() < 5, "{made_at}");
        let ages = FormAges { least: Duration::from_millis(150), most: Duration::from_secs(3600) };
        let after = |milliseconds| ages.check(&key, made_at + TimeDelta::milliseconds(milliseconds));
        for (milliseconds, found) in [
            (0, Err(FormAgeError::TooYoung)),
            (149, Err(FormAgeError::TooYoung)),
            (150, Ok(())),
            (3_600_000, Ok(())),
            (3_600_001, Err(FormAgeError::TooOld)),
            (-1, Ok(())),
            (-5_000, Ok(())),
            (-5_001, Err(FormAgeError::TooYoung)),
            (-3_600_000, Err(FormAgeError::TooYoung)),
        ] {
            assert_eq!(after(milliseconds), found, "{milliseconds}");
        }
        assert_eq!(FormAges::of_any_speed().check(&key, made_at), Ok(()));
    }
}
