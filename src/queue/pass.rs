//! Passes: a visitor who is served may send one booking form within ten minutes. A pass is the request key of
//! that form: the database books each request key once, so a pass books once and costs nothing more.
//!
//! The key depends only on the room's draw, the place, and the time of the place's one row in the log of
//! passes. So a cookie that was copied to a hundred browsers gets the same pass in each of them.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, NaiveDateTime, TimeDelta};
use sha2::{Digest as _, Sha256};

use super::{PASS_LASTS, Room};
use crate::guard::cookies::Cookies;
use crate::guard::secret::{Purpose, Secrets};
use crate::guard::signing::Signer;

/// Six bytes of time in milliseconds, four of the concert and its draw, eight of the place.
const HEAD_BYTES: usize = 18;
/// Three more than a request key has: the length tells the two apart, so a form without a pass costs no HMAC for it.
const TAG_BYTES: usize = 21;
/// In characters. Base64 turns 3 bytes into 4.
pub const TEXT_LENGTH: usize = (HEAD_BYTES + TAG_BYTES) / 3 * 4;
/// How far two servers may differ about the database's time.
const CLOCKS_APART_MAX: TimeDelta = TimeDelta::seconds(5);

/// A pass that this site made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    text: String,
    /// UTC.
    pub expires_at: NaiveDateTime,
}

/// Why a booking may not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassError {
    /// There is none, or it is not valid here: forged, for another concert, or of an earlier draw.
    Missing,
    Expired,
}

impl Pass {
    /// As a form carries it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The valid pass that a browser keeps for a concert's room.
    #[must_use]
    pub fn of_request(
        cookies: &Cookies,
        passes: &Passes,
        request: &HttpRequest,
        room: &Room,
        now: NaiveDateTime,
    ) -> Option<Self> {
        passes.check(room, &cookies.open(request, &cookie_name(room.event_id))?, now).ok()
    }

    /// The cookie that keeps it while it is valid.
    #[must_use]
    pub fn cookie(&self, cookies: &Cookies, event_id: i64) -> Cookie<'static> {
        let cookie = cookies.sealed(&cookie_name(event_id), &self.text);
        cookie.same_site(SameSite::Lax).max_age(Duration::seconds(PASS_LASTS.num_seconds())).finish()
    }

    /// The cookie that makes the browser forget its pass for a concert.
    #[must_use]
    pub fn removal(cookies: &Cookies, event_id: i64) -> Cookie<'static> {
        cookies.removal(&cookie_name(event_id))
    }
}

/// One for each concert.
fn cookie_name(event_id: i64) -> String {
    format!("pass-{event_id}")
}

/// Makes and verifies passes.
#[derive(Clone)]
pub struct Passes {
    signer: Signer,
}

impl Passes {
    #[must_use]
    pub fn new(secrets: &Secrets) -> Self {
        Self { signer: Signer::new(secrets, Purpose::QueuePasses) }
    }

    /// The pass of a place, issued at `issued_at`.
    #[must_use]
    pub fn pass(&self, room: &Room, number: &str, issued_at: NaiveDateTime) -> Pass {
        let mut bytes = Vec::with_capacity(HEAD_BYTES + TAG_BYTES);
        bytes.extend_from_slice(&issued_at.and_utc().timestamp_millis().to_be_bytes()[2..]);
        bytes.extend_from_slice(&room_bytes(room));
        bytes.extend_from_slice(&Sha256::digest(number)[..8]);
        let tag = self.signer.sign(&bytes);
        bytes.extend_from_slice(&tag[..TAG_BYTES]);
        Pass { text: URL_SAFE_NO_PAD.encode(bytes), expires_at: issued_at + PASS_LASTS }
    }

    /// Whether a text is a pass of this site, for any concert and time.
    #[must_use]
    pub fn is_pass(&self, text: &str) -> bool {
        self.open(text).is_some()
    }

    /// Whether a text is a pass of that room's draw, and good at that time (UTC). Costs one HMAC.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, room: &Room, text: &str, now: NaiveDateTime) -> Result<Pass, PassError> {
        let head = self.open(text).ok_or(PassError::Missing)?;
        let milliseconds = head[..6].iter().fold(0, |sum, byte| sum << 8 | i64::from(*byte));
        let issued_at = DateTime::from_timestamp_millis(milliseconds).ok_or(PassError::Missing)?.naive_utc();
        if head[6..10] != room_bytes(room) || issued_at > now + CLOCKS_APART_MAX {
            return Err(PassError::Missing);
        }
        let expires_at = issued_at + PASS_LASTS;
        if now < expires_at {
            Ok(Pass { text: text.to_owned(), expires_at })
        } else {
            Err(PassError::Expired)
        }
    }

    fn open(&self, text: &str) -> Option<[u8; HEAD_BYTES]> {
        if text.len() != TEXT_LENGTH {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (head, tag) = bytes.split_at_checked(HEAD_BYTES)?;
        if self.signer.verify(head, tag) { head.try_into().ok() } else { None }
    }
}

/// Tells the draws of all concerts apart.
fn room_bytes(room: &Room) -> [u8; 4] {
    let digest = Sha256::digest(format!("{} {}", room.event_id, room.draw_name()));
    let [first, second, third, fourth, ..] = <[u8; 32]>::from(digest);
    [first, second, third, fourth]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::tests::{at, room};

    const NUMBER: &str = "0123456789abcdef0123";

    fn of(event_id: i64) -> Room {
        Room { event_id, ..room() }
    }

    #[test]
    fn a_pass_is_good_for_ten_minutes_at_its_concert() {
        let passes = Passes::new(&"a secret".into());
        let pass = passes.pass(&of(7), NUMBER, at(0));
        let check = |event_id, seconds| passes.check(&of(event_id), pass.as_str(), at(seconds));
        assert_eq!(check(7, 0), Ok(pass.clone()));
        assert_eq!(check(7, 599), Ok(pass.clone()));
        assert_eq!(check(7, 600), Err(PassError::Expired));
        assert_eq!(check(8, 0), Err(PassError::Missing));
        assert_eq!(check(7, -5), Ok(pass.clone()), "a clock that is behind a little");
        assert_eq!(check(7, -6), Err(PassError::Missing));
        let again = Room { seed_hash: "0".repeat(64), ..of(7) };
        assert_eq!(passes.check(&again, pass.as_str(), at(0)), Err(PassError::Missing), "of an earlier draw");
    }

    #[test]
    fn one_place_has_one_pass_and_others_have_others() {
        let passes = Passes::new(&"a secret".into());
        let pass = passes.pass(&of(7), NUMBER, at(0));
        assert_eq!(passes.pass(&of(7), NUMBER, at(0)), pass);
        assert_ne!(passes.pass(&of(7), "1123456789abcdef0123", at(0)), pass);
        assert_ne!(passes.pass(&of(8), NUMBER, at(0)), pass);
        assert_ne!(passes.pass(&of(7), NUMBER, at(1)), pass);
    }

    #[test]
    fn a_pass_cannot_be_forged_or_altered() {
        let passes = Passes::new(&"a secret".into());
        let pass = passes.pass(&of(7), NUMBER, at(0)).as_str().to_owned();
        let foreign = Passes::new(&"another".into()).pass(&of(7), NUMBER, at(0)).as_str().to_owned();
        let mut bad = vec![String::new(), "x".repeat(TEXT_LENGTH), foreign, pass[1..].to_owned()];
        for index in 0..TEXT_LENGTH {
            let mut altered = pass.clone().into_bytes();
            altered[index] = if altered[index] == b'A' { b'B' } else { b'A' };
            bad.push(String::from_utf8(altered).expect("ASCII"));
        }
        for text in bad {
            assert_eq!(passes.check(&of(7), &text, at(1)), Err(PassError::Missing), "{text}");
        }
        let rotated = Passes::new(&Secrets::new("new".into(), vec!["a secret".into()]));
        assert!(rotated.check(&of(7), &pass, at(1)).is_ok(), "a replaced secret still lets it pass");
    }
}
