//! The tokens of API clients: those of the settings, which may book, and those that organizers have made, which say
//! what they allow ([`scopes`]). A client with a token is rate limited by it, not by its address.
//!
//! The page on which they are made does not belong here: see `admin::tokens`.

pub mod scopes;
mod site_tokens;
mod store;

use std::fmt;
use std::sync::Arc;

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::{HttpMessage as _, HttpRequest};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use self::scopes::{Scope, Scopes};
use self::site_tokens::SiteTokens;
use crate::db::Database;

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

/// All known tokens. `Debug` prints the names of those of the settings only.
#[derive(Clone, Default)]
pub struct ApiTokens {
    of_settings: Vec<Arc<ApiToken>>,
    /// `None`: there is no database yet.
    of_site: Option<Arc<SiteTokens>>,
}

/// A token, stored as its hash.
#[derive(Clone)]
pub struct ApiToken {
    /// The client's name, for the log.
    pub name: String,
    hash: [u8; 32],
    scopes: Scopes,
    /// Its id in the database; `None`: it comes from the settings.
    site_id: Option<i64>,
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
            () if self.of_settings.iter().any(|known| known.name == name) => Err("a name is repeated"),
            () if self.of_settings.iter().any(|known| known.hash == hash) => Err("a token is repeated"),
            () => {
                // A token of the settings names no scopes: it may book, and nothing else.
                let scopes = Scopes::new(&[Scope::BookingsWrite]);
                let token = ApiToken { name: name.to_owned(), hash, scopes, site_id: None };
                self.of_settings.push(Arc::new(token));
                Ok(())
            }
        }
    }

    /// Adds the tokens that organizers make.
    #[must_use]
    pub fn with_site(self, db: Database) -> Self {
        Self { of_site: Some(Arc::new(SiteTokens::new(db))), ..self }
    }

    /// The token, if it is known. Hashes are compared in constant time, and each one is compared.
    pub async fn find(&self, token: &str) -> Option<Arc<ApiToken>> {
        let hash = Sha256::digest(token);
        match (self.of_settings(&hash), &self.of_site) {
            (Some(known), _) => Some(known),
            (None, Some(site)) => site.find(&hash).await,
            (None, None) => None,
        }
    }

    fn of_settings(&self, hash: &[u8]) -> Option<Arc<ApiToken>> {
        let matching = |found, known: &Arc<ApiToken>| {
            if is_same(&known.hash, hash) { Some(Arc::clone(known)) } else { found }
        };
        self.of_settings.iter().fold(None, matching)
    }

    /// To be called when an organizer has made a token or revoked one: this server knows it at once, the others within
    /// a second.
    pub async fn changed(&self) {
        if let Some(site) = &self.of_site {
            site.forget().await;
        }
    }
}

fn is_same(known: &[u8; 32], hash: &[u8]) -> bool {
    known.ct_eq(hash).into()
}

impl ApiToken {
    /// A number that is the same on every server, and unique to this token.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.hash[..8].iter().fold(0, |id, &byte| id << 8 | u64::from(byte))
    }

    /// Distinguishes its client from every other: names in the settings have no `#`, and two tokens that
    /// organizers made may have the same name.
    #[must_use]
    pub fn client_key(&self) -> String {
        self.site_id.map_or_else(|| self.name.clone(), |id| format!("#{id}"))
    }

    #[must_use]
    pub fn allows(&self, scope: Scope) -> bool {
        self.scopes.allows(scope)
    }
}

impl fmt::Debug for ApiTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.of_settings.iter().map(|token| &token.name)).finish()
    }
}

/// The known token of a request, which the rate limiter has found before any handler runs. Only requests to the API
/// have one.
#[derive(Clone)]
pub(super) struct RequestToken(pub Arc<ApiToken>);

/// The known token that a request to the API bears. Elsewhere tokens mean nothing.
#[must_use]
pub fn of_request(request: &HttpRequest) -> Option<Arc<ApiToken>> {
    request.extensions().get::<RequestToken>().map(|RequestToken(token)| Arc::clone(token))
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

    #[actix_web::test]
    async fn only_whole_tokens_are_found() {
        let mut tokens = ApiTokens::default();
        assert!(tokens.find(ADA).await.is_none());
        tokens.add("ada", ADA).expect("a token");
        tokens.add("bob", BOB).expect("a token");
        assert_eq!(tokens.find(ADA).await.map(|token| token.name.clone()), Some("ada".into()));
        assert_eq!(tokens.find(BOB).await.map(|token| token.name.clone()), Some("bob".into()));
        assert_ne!(tokens.find(ADA).await.map(|it| it.id()), tokens.find(BOB).await.map(|it| it.id()));
        for wrong in ["", &ADA[1..], &ADA.to_uppercase(), "ada"] {
            assert!(tokens.find(wrong).await.is_none(), "{wrong}");
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
