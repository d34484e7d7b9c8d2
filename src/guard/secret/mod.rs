//! The site's secret, from which all keys for signing and sealing are derived. [`loading`] loads it,
//! [`strength`] judges it. With `SECRET_KEY_PREVIOUS` the secret can be replaced without signing anybody out.
//!
//! What is signed or sealed does not belong here: see [`super::signing`] and [`super::sealing`].

mod loading;
mod strength;

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

pub use self::loading::{SECRET_ENDING, SecretConfig, find, make};
pub use self::strength::{TOO_SHORT, weakness};

/// What a key is for. Each purpose has its own key, so that nothing made for one is valid for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Cookies,
    RequestKeys,
    /// The shared board's keys in Redis.
    SharedBoard,
    /// The messages that servers send each other through Redis.
    SharedBoardMessages,
    TicketCodes,
    /// The names of rate limited clients in Redis.
    RateLimits,
    BookingLinks,
    TicketLinks,
    Invitations,
    /// Of waiting rooms.
    QueuePasses,
    /// Of waiting rooms, too.
    QueuePlaceLinks,
    SecondFactors,
    /// Identifies a secret in the database without revealing it.
    Fingerprint,
}

impl Purpose {
    /// Never change or reuse a label: what was signed under it must stay valid.
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Cookies => b"techkraft cookies 1",
            Self::RequestKeys => b"techkraft request keys 1",
            Self::SharedBoard => b"techkraft shared board 1",
            Self::SharedBoardMessages => b"techkraft shared board messages 1",
            Self::TicketCodes => b"techkraft ticket codes 1",
            Self::RateLimits => b"techkraft rate limits 1",
            Self::BookingLinks => b"techkraft booking links 1",
            Self::TicketLinks => b"techkraft ticket links 1",
            Self::Invitations => b"techkraft invitations 1",
            Self::QueuePasses => b"techkraft queue passes 1",
            Self::SecondFactors => b"techkraft second factors 1",
            Self::QueuePlaceLinks => b"techkraft queue place links 1",
            Self::Fingerprint => b"techkraft fingerprint 1",
        }
    }
}

/// 256 bits for one purpose.
pub type Key = [u8; 32];

/// The current secret, and the previous ones, under which signatures stay valid.
#[derive(Clone, PartialEq, Eq)]
pub struct Secrets {
    current: String,
    previous: Vec<String>,
}

impl Secrets {
    #[must_use]
    pub fn new(current: String, mut previous: Vec<String>) -> Self {
        previous.retain(|secret| *secret != current);
        Self { current, previous }
    }

    /// The key for signing and sealing.
    #[must_use]
    pub fn key(&self, purpose: Purpose) -> Key {
        derive(&self.current, purpose)
    }

    /// An identifier for each secret that reveals nothing about it: that of the current one first.
    #[must_use]
    pub fn fingerprints(&self) -> Vec<String> {
        let hex = |key: Key| hex::encode(&key[..8]);
        self.keys(Purpose::Fingerprint).into_iter().map(hex).collect()
    }

    /// The keys for verifying and opening: the current one first.
    #[must_use]
    pub fn keys(&self, purpose: Purpose) -> Vec<Key> {
        let secrets = std::iter::once(&self.current).chain(&self.previous);
        secrets.map(|secret| derive(secret, purpose)).collect()
    }
}

impl From<&str> for Secrets {
    fn from(secret: &str) -> Self {
        Self::new(secret.to_owned(), Vec::new())
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets(1 and {} previous)", self.previous.len())
    }
}

/// Derives a key: the first block of HKDF-Expand, with the purpose's label as info (RFC 5869, section 2.3).
fn derive(secret: &str, purpose: Purpose) -> Key {
    // HMAC takes keys of any length, so this cannot fail.
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.chain_update(purpose.label()).chain_update([1]).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_purpose_and_each_secret_has_its_own_key() {
        let secrets = Secrets::new("new".into(), vec!["old".into(), "new".into()]);
        let purposes = [Purpose::Cookies, Purpose::RequestKeys, Purpose::SharedBoard];
        let mut keys: Vec<Key> = purposes.iter().flat_map(|purpose| secrets.keys(*purpose)).collect();
        assert_eq!(keys.len(), 6, "the current one is not its own predecessor");
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 6);
        assert_eq!(secrets.key(Purpose::Cookies), Secrets::from("new").key(Purpose::Cookies));
        assert_eq!(secrets.keys(Purpose::Cookies)[1], Secrets::from("old").key(Purpose::Cookies));
        assert!(!format!("{secrets:?}").contains("new"));
    }
}
