//! The tokens of API clients. A client with a token is rate limited by it, not by its address, and may book through the
//! API where others may not.

use std::fmt;

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::{HttpRequest, web};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::GuardSettings;
use crate::resource::is_api;

/// Fewest characters of a token: those of `openssl rand -hex 16`, 128 bits (OWASP's Session Management Cheat Sheet asks
/// for 64).
pub const LENGTH_MIN: usize = 32;

/// Who may book through the API.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ApiBookings {
    /// Clients with a token.
    #[default]
    Token,
    /// Everybody.
    Anonymous,
    /// Nobody.
    Off,
}

impl ApiBookings {
    #[must_use]
    pub fn needs_token(self) -> bool {
        self == Self::Token
    }

    #[must_use]
    pub fn is_off(self) -> bool {
        self == Self::Off
    }
}

/// All known tokens. `Debug` prints their names only.
#[derive(Clone, Default)]
pub struct ApiTokens(Vec<ApiToken>);

/// A token, stored as its hash.
#[derive(Clone)]
pub struct ApiToken {
    /// The client's name, for the log.
    pub name: String,
    hash: [u8; 32],
}

impl ApiTokens {
    /// Adds a token.
    ///
    /// # Errors
    /// The reason why it cannot be used.
    pub fn add(&mut self, name: &str, token: &str) -> Result<(), &'static str> {
        let hash = Sha256::digest(token).into();
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
        match () {
            () if name.is_empty() || !name.chars().all(is_name) => {
                Err("the name may have only letters, digits and - _ .")
            }
            () if token.len() < LENGTH_MIN => Err("a token has fewer than 32 characters"),
            () if !token.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Err("a token has characters other than printable ASCII")
            }
            () if self.0.iter().any(|known| known.name == name) => Err("a name is repeated"),
            () if self.0.iter().any(|known| known.hash == hash) => Err("a token is repeated"),
            () => {
                self.0.push(ApiToken { name: name.to_owned(), hash });
                Ok(())
            }
        }
    }

    /// The token, if it is known. Takes constant time: every hash is compared as a whole.
    #[must_use]
    pub fn find(&self, token: &str) -> Option<&ApiToken> {
        let hash = Sha256::digest(token);
        let matching = |found, known| if is_same(known, &hash) { Some(known) } else { found };
        self.0.iter().fold(None, matching)
    }
}

fn is_same(known: &ApiToken, hash: &[u8]) -> bool {
    known.hash.ct_eq(hash).into()
}

impl ApiToken {
    /// A number that is the same on every server, and unique to this token.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.hash[..8].iter().fold(0, |id, &byte| id << 8 | u64::from(byte))
    }
}

impl fmt::Debug for ApiTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|token| &token.name)).finish()
    }
}

/// The known token that a request to the API bears. Elsewhere tokens mean nothing.
#[must_use]
pub fn of_request(request: &HttpRequest) -> Option<&ApiToken> {
    let settings = request.app_data::<web::Data<GuardSettings>>()?;
    let token = bearer_token(request.headers()).filter(|_| is_api(request.match_info().as_str()))?;
    settings.api_tokens.find(token)
}

/// The bearer token of a request (RFC 6750, section 2.1). An unreadable one is returned as an empty, unknown token.
#[must_use]
pub fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    const SCHEME: &str = "bearer ";
    let credentials = headers.get(AUTHORIZATION)?.to_str().unwrap_or(SCHEME);
    let scheme = credentials.get(..SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME).then(|| credentials[SCHEME.len()..].trim())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    const ADA: &str = "3f0c4b1d9a7e46c2b85d0e1f2a3b4c5d";
    const BOB: &str = "3f0c4b1d9a7e46c2b85d0e1f2a3b4c5e";

    #[test]
    fn only_whole_tokens_are_found() {
        let mut tokens = ApiTokens::default();
        assert!(tokens.find(ADA).is_none());
        tokens.add("ada", ADA).expect("a token");
        tokens.add("bob", BOB).expect("a token");
        assert_eq!(tokens.find(ADA).map(|token| token.name.as_str()), Some("ada"));
        assert_eq!(tokens.find(BOB).map(|token| token.name.as_str()), Some("bob"));
        assert_ne!(tokens.find(ADA).map(ApiToken::id), tokens.find(BOB).map(ApiToken::id));
        for wrong in ["", &ADA[1..], &ADA.to_uppercase(), "ada"] {
            assert!(tokens.find(wrong).is_none(), "{wrong}");
        }
        assert_eq!(format!("{tokens:?}"), r#"["ada", "bob"]"#, "names alone");
        for (name, token) in
            [("ada", &ADA.replace('3', "4")), ("eve", &ADA.to_owned()), ("", &BOB.to_owned())]
        {
            assert!(tokens.add(name, token).is_err(), "{name}");
        }
        assert!(tokens.add("eve", &ADA[1..]).is_err());
        assert!(tokens.add("eve", &format!("{ADA} {BOB}")).is_err());
    }

    #[test]
    fn bearer_credentials_are_recognized() {
        let borne = |value: &'static str| {
            let header = (AUTHORIZATION, HeaderValue::from_static(value));
            super::bearer_token(&HeaderMap::from_iter([header])).map(str::to_owned)
        };
        assert_eq!(borne("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(borne("bEARER  abc ").as_deref(), Some("abc"));
        assert_eq!(borne("Bearer ").as_deref(), Some(""));
        for other in ["", "Bearer", "Basic YWRhOnNlY3JldA==", "Bearerabc"] {
            assert_eq!(borne(other), None, "{other}");
        }
        let unreadable = HeaderValue::from_bytes(b"Bearer \xff").expect("a value");
        assert_eq!(super::bearer_token(&HeaderMap::from_iter([(AUTHORIZATION, unreadable)])), Some(""));
    }
}
