//! A session: a random token in a sealed cookie, and the token's hash in the database, so that
//! signing out ends it on every server.
//!
//! A session ends after half an hour without activity, and 12 hours after the sign-in in
//! any case ([`SessionLimits::default`]). The polls of a page that refreshes itself are not activity.

use actix_web::cookie::{Cookie, SameSite};
use actix_web::{HttpRequest, web};
use chrono::{NaiveDateTime, TimeDelta, Utc};

use super::return_path::{ReturnPath, sign_in_url};
use super::session_record::{self, LiveSession, NewSession};
use super::store::sessions::{self, SessionOwner};
use super::store::throttle;
use super::throttle::FailureCounter;
use super::{Account, Auth, token};
use crate::audit::Actor;
use crate::error::Error;
use crate::guard::client_address;
use crate::role::AccountRole;

const COOKIE: &str = "session";

/// Between two updates of a session's last use, so that reading pages does not write each time.
const LAST_SEEN_INTERVAL: TimeDelta = TimeDelta::minutes(1);

/// The account that is signed in. This is not an extractor: a handler takes one of [`access`](super::access),
/// and so names the role that it needs.
#[derive(Debug, Clone)]
pub struct Admin {
    pub account_id: i64,
    pub username: String,
    pub role: AccountRole,
    pub client_address: String,
    token_hash: String,
    /// The account still has a first password: it opens the page that changes it and nothing else.
    pub must_change_password: bool,
    /// The session was started with a second factor.
    pub second_factor: bool,
    /// Owners require a second factor and the account has none: it opens the page that sets one up and nothing else.
    pub must_set_up_second_factor: bool,
}

impl Admin {
    /// The organizer as the audit log names them.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor { name: self.username.clone(), client_address: self.client_address.clone() }
    }

    /// The session's id in forms: see [`LiveSession::id`].
    #[must_use]
    pub fn session_id(&self) -> &str {
        session_record::id_of(&self.token_hash)
    }

    /// Whether the request belongs to this session.
    #[must_use]
    pub fn is_in(&self, session: &LiveSession) -> bool {
        session.token_hash == self.token_hash
    }
}

/// The account that is signed in. Its request counts as activity.
pub(super) async fn require_active(request: &HttpRequest) -> Result<Admin, Error> {
    let auth = auth_of(request)?;
    let (admin, last_seen_at) = require(auth, request).await?;
    let now = Utc::now().naive_utc();
    if now - last_seen_at >= LAST_SEEN_INTERVAL {
        let (auth, hash) = (auth.clone(), admin.token_hash.clone());
        // In the background: on SQLite it may wait for the desk.
        actix_web::rt::spawn(async move {
            let touched = auth.db.write(move |db| sessions::touch(db, &hash, now)).await;
            touched.unwrap_or_else(|e| log::warn!("cannot save the last use of a session: {e}"));
        });
    }
    Ok(admin)
}

/// The account that is signed in. Its request does not count as activity: a page that refreshes itself has
/// sent it.
pub(super) async fn require_passively(request: &HttpRequest) -> Result<Admin, Error> {
    Ok(require(auth_of(request)?, request).await?.0)
}

fn sign_in_required(request: &HttpRequest) -> Error {
    let wants_fragment = request.headers().contains_key("HX-Request");
    Error::SignInRequired { wants_fragment, url: sign_in_url(ReturnPath::of(request).as_ref()) }
}

fn auth_of(request: &HttpRequest) -> Result<&web::Data<Auth>, Error> {
    request.app_data().ok_or_else(|| Error::Internal("no Auth in the app's data".into()))
}

/// The organizer and when their session was last used, or the way to the sign-in page.
async fn require(auth: &Auth, request: &HttpRequest) -> Result<(Admin, NaiveDateTime), Error> {
    let token_hash = token_hash(auth, request).ok_or_else(|| sign_in_required(request))?;
    let owner = find(auth, token_hash.clone()).await?.ok_or_else(|| sign_in_required(request))?;
    let client_address = client_address::of(request).to_string();
    let admin = Admin {
        account_id: owner.account_id,
        username: owner.username,
        role: owner.role,
        client_address,
        token_hash,
        must_change_password: owner.must_change_password,
        second_factor: owner.second_factor,
        must_set_up_second_factor: owner.must_set_up_second_factor,
    };
    Ok((admin, owner.last_seen_at))
}

/// What the browser holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionState {
    None,
    Live,
    Ended,
}

/// The state of the browser's session.
pub async fn state(auth: &Auth, request: &HttpRequest) -> Result<SessionState, Error> {
    let Some(token_hash) = token_hash(auth, request) else { return Ok(SessionState::None) };
    let owner = find(auth, token_hash).await?;
    Ok(if owner.is_some() { SessionState::Live } else { SessionState::Ended })
}

async fn find(auth: &Auth, token_hash: String) -> Result<Option<SessionOwner>, Error> {
    let (limits, now) = (auth.session_limits, Utc::now().naive_utc());
    auth.db.read_primary(move |db| sessions::find(db, &token_hash, limits, now)).await
}

/// A session to be inserted, and the cookie that opens it. The token is new each time, so a token that an
/// attacker planted before the sign-in is worth nothing. `second_factor`: whether one was shown.
#[must_use]
pub fn prepare(
    auth: &Auth,
    account: &Account,
    client_address: &str,
    second_factor: bool,
) -> (NewSession, Cookie<'static>) {
    let token = token::random();
    let session = NewSession {
        token_hash: token::hash(&token),
        account_id: account.id,
        role: account.role,
        expires_at: Utc::now().naive_utc() + auth.session_limits.lifetime,
        client_address: client_address.to_owned(),
        second_factor,
    };
    (session, cookie(auth, &token))
}

/// Another token for the session, once the password was shown again. `counters`: those of the attempt.
pub(super) async fn renew(
    auth: &Auth,
    request: &HttpRequest,
    admin: &mut Admin,
    counters: Vec<FailureCounter>,
) -> Result<Cookie<'static>, Error> {
    let token = token::random();
    let (old, new, role) = (admin.token_hash.clone(), token::hash(&token), admin.role);
    let kept = new.clone();
    let renew = auth.db.write(move |db| {
        throttle::reset_after_success(db, &counters)?;
        sessions::renew(db, &old, role, &kept)
    });
    if !renew.await? {
        return Err(sign_in_required(request));
    }
    admin.token_hash = new;
    Ok(cookie(auth, &token))
}

fn cookie(auth: &Auth, token: &str) -> Cookie<'static> {
    auth.cookies.sealed(COOKIE, token).same_site(SameSite::Strict).finish()
}

/// The cookie that removes the session from the browser.
#[must_use]
pub fn removal(auth: &Auth) -> Cookie<'static> {
    auth.cookies.removal(COOKIE)
}

/// The key of the request's session in the database; `None` without a session cookie.
#[must_use]
pub fn token_hash(auth: &Auth, request: &HttpRequest) -> Option<String> {
    Some(token::hash(&auth.cookies.open(request, COOKIE)?))
}
