//! The envelope of the shared board's messages and snapshots in Redis: a signature that only servers of this site can
//! make, and the time when it was made. Messages of other writers and messages that are repeated later are ignored.

use std::time::Duration;

use chrono::NaiveDateTime;

use crate::guard::secret::{Purpose, Secrets};
use crate::guard::signing::{Signature, Signer};

/// Length of the signature, which comes first.
const SIGNATURE: usize = size_of::<Signature>();
/// Length of the time: milliseconds since 1970, big-endian. The JSON follows it.
const TIME: usize = size_of::<i64>();
/// An envelope that is older than this is refused, unless snapshots live longer. While it is younger, the board's
/// versions protect what has changed since (`LOST_AFTER_MS` of the board).
const AGE_MAX: Duration = Duration::from_secs(30);

/// Signs and verifies for one site.
pub struct Envelopes {
    signer: Signer,
    age_max_ms: i64,
}

/// Why an envelope is rejected.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    #[error("it was not signed with this site's secret for this place")]
    Unsigned,
    #[error("it was signed {0} ms before or after now")]
    OutOfTime(u64),
    #[error("it is older than what was shown already")]
    Replayed,
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    #[error("its versions are newer than any that the database can have given")]
    AheadOfTime,
}

/// A verified envelope.
#[derive(Debug, PartialEq, Eq)]
pub struct Opened<'a> {
    pub json: &'a [u8],
    /// By the database's clock, in milliseconds since 1970.
    pub sent_ms: i64,
}

impl Envelopes {
    /// Envelopes may be as old as `AGE_MAX`, or as a snapshot may live in Redis if that is longer.
    #[must_use]
    pub fn new(secrets: &Secrets, snapshot_life: Duration) -> Self {
        let age_max_ms = i64::try_from(AGE_MAX.max(snapshot_life).as_millis()).unwrap_or(i64::MAX);
        Self { signer: Signer::new(secrets, Purpose::SharedBoardMessages), age_max_ms }
    }

    /// Signs this for one place: the name of a key or a channel. Moved to another place it is not valid.
    #[must_use]
    pub fn seal(&self, place: &str, json: &str, now: NaiveDateTime) -> Vec<u8> {
        let time = now.and_utc().timestamp_millis().to_be_bytes();
        let signature = self.signer.sign(&signed(place, &time, json.as_bytes()));
        [&signature[..], &time, json.as_bytes()].concat()
    }

    /// Verifies what was found at a place.
    ///
    /// # Errors
    /// If it is not from this site, or if it is from another time.
    pub fn open<'a>(
        &self,
        place: &str,
        envelope: &'a [u8],
        now: NaiveDateTime,
    ) -> Result<Opened<'a>, Distrust> {
        let (signature, rest) = envelope.split_at_checked(SIGNATURE).ok_or(Distrust::Unsigned)?;
        let (time, json) = rest.split_first_chunk::<TIME>().ok_or(Distrust::Unsigned)?;
        if !self.signer.verify(&signed(place, time, json), signature) {
            return Err(Distrust::Unsigned);
        }
        let sent_ms = i64::from_be_bytes(*time);
        let apart = now.and_utc().timestamp_millis().abs_diff(sent_ms);
        if apart > self.age_max_ms.unsigned_abs() {
            return Err(Distrust::OutOfTime(apart));
        }
        Ok(Opened { json, sent_ms })
    }
}

/// Names of keys and channels contain no NUL byte, so two different messages never give the same bytes to
/// sign.
fn signed(place: &str, time: &[u8; TIME], json: &[u8]) -> Vec<u8> {
    [place.as_bytes(), &[0], time, json].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{TimeDelta, Utc};

    const LIFE: Duration = Duration::from_secs(4);

    #[test]
    fn an_envelope_is_valid_for_its_site_its_place_and_its_time() {
        let (envelopes, now) = (Envelopes::new(&"a secret".into(), LIFE), Utc::now().naive_utc());
        let sealed = envelopes.seal("news", "[1]", now);
        let opened = envelopes.open("news", &sealed, now).expect("ours");
        assert_eq!((opened.json, opened.sent_ms), (&b"[1]"[..], now.and_utc().timestamp_millis()));
        assert_eq!(envelopes.open("board", &sealed, now), Err(Distrust::Unsigned), "moved");
        let other = Envelopes::new(&"another".into(), LIFE);
        assert_eq!(other.open("news", &sealed, now), Err(Distrust::Unsigned), "of another site");
        for byte in 0..sealed.len() {
            let mut forged = sealed.clone();
            forged[byte] ^= 1;
            assert_eq!(envelopes.open("news", &forged, now), Err(Distrust::Unsigned), "byte {byte}");
            assert_eq!(envelopes.open("news", &sealed[..byte], now), Err(Distrust::Unsigned), "{byte} bytes");
        }
        for seconds in [-31, 31] {
            let then = now + TimeDelta::seconds(seconds);
            assert_eq!(envelopes.open("news", &sealed, then), Err(Distrust::OutOfTime(31_000)));
        }
        assert!(envelopes.open("news", &sealed, now + TimeDelta::seconds(29)).is_ok());
    }

    #[test]
    fn a_secret_that_was_replaced_still_opens() {
        let now = Utc::now().naive_utc();
        let sealed = Envelopes::new(&"old".into(), LIFE).seal("news", "[]", now);
        let rotated = Envelopes::new(&Secrets::new("new".into(), vec!["old".into()]), LIFE);
        assert!(rotated.open("news", &sealed, now).is_ok());
    }
}
