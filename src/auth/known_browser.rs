//! The browsers in which an account has signed in before. Guessing from elsewhere does not slow these down.
//!
//! A sealed cookie marks them. It says nothing about who is signed in now. It ends 180 days after the last
//! sign-in. It also ends when the password changes or somebody signs out everywhere: it holds a fingerprint
//! of the password's hash, and both of these replace that hash.

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite, time};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{TimeDelta, Utc};

use super::{Auth, store, token};
use crate::error::Error;

const COOKIE: &str = "browser";
const REMEMBERED_DAYS: i64 = 180;

/// What a browser shows of an earlier sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownBrowser {
    id: String,
    /// Unix time.
    signed_in_at: i64,
    /// Of the password's hash.
    fingerprint: String,
    username: String,
}

impl KnownBrowser {
    /// The proof that the browser shows of an earlier sign-in to this account.
    #[must_use]
    pub fn of(auth: &Auth, request: &HttpRequest, username: &str) -> Option<Self> {
        Self::of_any_account(auth, request).filter(|it| it.username == username)
    }

    /// The browser's id, if it has signed in to this account, and the password is still that of the sign-in.
    pub async fn id_of(auth: &Auth, request: &HttpRequest, username: &str) -> Result<Option<String>, Error> {
        match Self::of(auth, request, username) {
            Some(browser) => browser.if_still_known(auth, username.to_owned()).await,
            None => Ok(None),
        }
    }

    /// The proof that the browser shows of an earlier sign-in, to any account.
    #[must_use]
    pub fn of_any_account(auth: &Auth, request: &HttpRequest) -> Option<Self> {
        let browser = Self::parse(&auth.cookies.open(request, COOKIE)?)?;
        let oldest = (Utc::now() - TimeDelta::days(REMEMBERED_DAYS)).timestamp();
        (browser.signed_in_at > oldest).then_some(browser)
    }

    /// The browser's id, if the account's password is still that of the sign-in.
    pub async fn if_still_known(self, auth: &Auth, username: String) -> Result<Option<String>, Error> {
        let account = auth.db.read_primary(move |db| store::accounts::find(db, &username)).await?;
        let is_same =
            account.is_some_and(|account| token::fingerprint(&account.password_hash) == self.fingerprint);
        Ok(is_same.then_some(self.id))
    }

    fn parse(value: &str) -> Option<Self> {
        let mut parts = value.splitn(4, ' ').map(ToOwned::to_owned);
        let (id, signed_in_at) = (parts.next()?, parts.next()?.parse().ok()?);
        Some(Self { id, signed_in_at, fingerprint: parts.next()?, username: parts.next()? })
    }
}

/// The cookie for a browser in which the account has just shown its password.
#[must_use]
pub fn cookie(auth: &Auth, request: &HttpRequest, username: &str, password_hash: &str) -> Cookie<'static> {
    let id = KnownBrowser::of(auth, request, username)
        .map_or_else(|| URL_SAFE_NO_PAD.encode(rand::random::<[u8; 18]>()), |browser| browser.id);
    let (now, fingerprint) = (Utc::now().timestamp(), token::fingerprint(password_hash));
    let cookie = auth.cookies.sealed(COOKIE, &format!("{id} {now} {fingerprint} {username}"));
    cookie.same_site(SameSite::Strict).max_age(time::Duration::days(REMEMBERED_DAYS)).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_complete_cookie_marks_a_browser() {
        let parsed = KnownBrowser::parse("id 1790000000 0123456789abcdef admin").expect("a complete one");
        assert_eq!((parsed.id.as_str(), parsed.username.as_str()), ("id", "admin"));
        for other in ["", "id admin", "id soon fingerprint admin", "id 1 fingerprint"] {
            assert_eq!(KnownBrowser::parse(other), None, "{other}");
        }
    }
}
