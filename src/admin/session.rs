//! The organiser's session: a random token in a sealed cookie, and its hash in the database, so that
//! signing out ends it on every server.

use std::future::Future;
use std::pin::Pin;

use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use chrono::{TimeDelta, Utc};
use sha2::{Digest as _, Sha256};

use super::store;
use crate::app::App;
use crate::booking::new_token;
use crate::error::Error;

const COOKIE: &str = "session";
const LIFETIME: TimeDelta = TimeDelta::hours(12);

/// The organiser who is signed in. A handler that takes one is closed to everybody else.
#[derive(Debug, Clone)]
pub struct Admin {
    pub username: String,
}

impl FromRequest for Admin {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let wants_fragment = request.headers().contains_key("HX-Request");
            let app = request.app_data::<web::Data<App>>().ok_or(Error::NotFound)?;
            let hash = token_hash(app, &request).ok_or(Error::SignInRequired { wants_fragment })?;
            let found =
                app.db.read_primary(move |db| store::find_session(db, &hash, Utc::now().naive_utc())).await?;
            found.map(|username| Self { username }).ok_or(Error::SignInRequired { wants_fragment })
        })
    }
}

/// Starts a session for the admin, and returns its cookie. A new token each time: a session that somebody
/// planted before the sign-in is worth nothing.
///
/// # Errors
/// What the database said.
pub async fn start(app: &App, admin_id: i64) -> Result<Cookie<'static>, Error> {
    let token = new_token();
    let (hash, now) = (hash(&token), Utc::now().naive_utc());
    app.db.write(move |db| store::insert_session(db, &hash, admin_id, now, now + LIFETIME)).await?;
    Ok(app.cookies.sealed(COOKIE, &token).same_site(SameSite::Strict).finish())
}

/// Ends the request's session, and returns the cookie that makes the browser forget it.
///
/// # Errors
/// What the database said.
pub async fn end(app: &App, request: &HttpRequest) -> Result<Cookie<'static>, Error> {
    if let Some(hash) = token_hash(app, request) {
        app.db.write(move |db| store::delete_session(db, &hash)).await?;
    }
    Ok(app.cookies.removal(COOKIE))
}

fn token_hash(app: &App, request: &HttpRequest) -> Option<String> {
    Some(hash(&app.cookies.open(request, COOKIE)?))
}

fn hash(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
