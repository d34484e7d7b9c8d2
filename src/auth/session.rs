//! The organizer's session: a random token in a sealed cookie, and its hash in the database, so that
//! signing out ends it on every server.
//!
//! It ends by itself when nothing is done for `ADMIN_IDLE_MINUTES`, and `ADMIN_SESSION_HOURS` after the
//! sign-in whatever is done. A page that refreshes itself does nothing: its polls are answered as long as the
//! session lives, and do not prolong it.

use std::future::Future;
use std::pin::Pin;

use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{NaiveDateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};

use super::Auth;
use super::store::sessions::{self, SessionOwner};
use crate::audit::Actor;
use crate::error::Error;
use crate::guard::client_address;

const COOKIE: &str = "session";

/// Sessions of one account; the next one ends the oldest.
pub const SESSIONS_MAX: i64 = 20;

/// Between two notes that a session is used, so that reading pages is not writing.
const SEEN_AGAIN: TimeDelta = TimeDelta::minutes(1);

/// How long sessions last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// Without anything done.
    pub idle: TimeDelta,
    /// Whatever is done.
    pub lifetime: TimeDelta,
}

/// The organizer who is signed in. A handler that takes one is closed to everybody else, and asking it counts
/// as doing something.
#[derive(Debug, Clone)]
pub struct Admin {
    pub account_id: i64,
    pub username: String,
    pub client_address: String,
    token_hash: String,
}

impl Admin {
    /// The organizer as the audit log knows them.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor { name: self.username.clone(), client_address: self.client_address.clone() }
    }

    /// Whether the session is this very request's.
    #[must_use]
    pub fn is_in(&self, session: &LiveSession) -> bool {
        session.token_hash == self.token_hash
    }
}

/// The organizer whose page asks by itself: the session is none the younger for it.
#[derive(Debug, Clone)]
pub struct Watching(pub Admin);

/// A session to be.
pub struct NewSession {
    pub token_hash: String,
    pub account_id: i64,
    /// UTC.
    pub expires_at: NaiveDateTime,
    pub client_address: String,
}

/// A session as it is listed.
#[derive(Debug, Clone)]
pub struct LiveSession {
    pub token_hash: String,
    /// UTC.
    pub started_at: NaiveDateTime,
    /// UTC, to the minute.
    pub last_seen_at: NaiveDateTime,
    /// Where it was started. Empty when that is not known.
    pub client_address: String,
}

impl LiveSession {
    /// What forms call it. Of a hash, so it opens nothing.
    #[must_use]
    pub fn id(&self) -> &str {
        self.token_hash.get(..16).unwrap_or(&self.token_hash)
    }
}

impl FromRequest for Admin {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let auth = request.app_data::<web::Data<Auth>>().ok_or(Error::NotFound)?;
            let (admin, last_seen_at) = require(auth, &request).await?;
            let now = Utc::now().naive_utc();
            if now - last_seen_at >= SEEN_AGAIN {
                let (auth, hash) = (auth.clone(), admin.token_hash.clone());
                // The page does not wait for it, least of all while the desk is writing.
                actix_web::rt::spawn(async move {
                    let noted = auth.db.write(move |db| sessions::touch(db, &hash, now)).await;
                    noted.unwrap_or_else(|e| log::warn!("a session's use was not noted: {e}"));
                });
            }
            Ok(admin)
        })
    }
}

impl FromRequest for Watching {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let auth = request.app_data::<web::Data<Auth>>().ok_or(Error::NotFound)?;
            Ok(Self(require(auth, &request).await?.0))
        })
    }
}

async fn require(auth: &Auth, request: &HttpRequest) -> Result<(Admin, NaiveDateTime), Error> {
    let wants_fragment = request.headers().contains_key("HX-Request");
    let token_hash = token_hash(auth, request).ok_or(Error::SignInRequired { wants_fragment })?;
    let found = find(auth, token_hash.clone()).await?.ok_or(Error::SignInRequired { wants_fragment })?;
    let client_address = client_address::of(request).to_string();
    let SessionOwner { account_id, username, last_seen_at } = found;
    Ok((Admin { account_id, username, client_address, token_hash }, last_seen_at))
}

async fn find(auth: &Auth, token_hash: String) -> Result<Option<SessionOwner>, Error> {
    let (limits, now) = (auth.session_limits, Utc::now().naive_utc());
    auth.db.read_primary(move |db| sessions::find(db, &token_hash, limits, now)).await
}

/// A session for an account, to be written into the database, and the cookie that opens it. The token is new
/// each time: one that somebody planted before the sign-in is worth nothing.
#[must_use]
pub fn prepare(auth: &Auth, account_id: i64, client_address: &str) -> (NewSession, Cookie<'static>) {
    // 256 random bits, twice of what OWASP ASVS 5.0, 7.2.3 asks for.
    let token = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    let session = NewSession {
        token_hash: hash(&token),
        account_id,
        expires_at: Utc::now().naive_utc() + auth.session_limits.lifetime,
        client_address: client_address.to_owned(),
    };
    (session, auth.cookies.sealed(COOKIE, &token).same_site(SameSite::Strict).finish())
}

/// The cookie that makes the browser forget its session.
#[must_use]
pub fn removal(auth: &Auth) -> Cookie<'static> {
    auth.cookies.removal(COOKIE)
}

/// Whether the browser still holds a session that has ended.
///
/// # Errors
/// What the database said.
pub async fn has_ended(auth: &Auth, request: &HttpRequest) -> Result<bool, Error> {
    match token_hash(auth, request) {
        Some(token_hash) => Ok(find(auth, token_hash).await?.is_none()),
        None => Ok(false),
    }
}

/// What the database knows the request's session by; `None` when it brings none.
#[must_use]
pub fn token_hash(auth: &Auth, request: &HttpRequest) -> Option<String> {
    Some(hash(&auth.cookies.open(request, COOKIE)?))
}

fn hash(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
