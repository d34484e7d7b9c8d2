//! Whether somebody is who they say: the password is looked at, unless guessing has become slow for them.
//!
//! What costs least is asked first. Those who must wait are refused from memory; those who may go on stand in
//! the doorkeeper's line; at its front the database is asked again, for what other servers and those before
//! them in the line have counted; only then is the password looked at, and a wrong one counted and written
//! into the audit log. So a flood costs neither hashes nor writes, and guesses that are sent all at once are
//! counted one after another. Names that no account has go the same way, and take as long.

use std::net::IpAddr;

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponseBuilder, http::header::RETRY_AFTER, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{TimeDelta, Utc};

use super::password_queue::HashPermit;
use super::throttle::FailureCounter;
use super::{Account, Auth, password, store};
use crate::audit::{self, Action, Actor};
use crate::error::Error;
use crate::guard::client_address;

/// Shows that an account has signed in before in this browser, and says nothing of who is signed in now.
const BROWSER_COOKIE: &str = "browser";
const BROWSER_REMEMBERED: Duration = Duration::days(180);

/// Seconds after which a full line has moved.
const LINE_SECONDS: i64 = 2;

/// A name and a password, and where they come from.
pub struct Attempt {
    account: String,
    password: String,
    address: IpAddr,
    /// That of the browser cookie, when it is of this account.
    browser: Option<String>,
    /// What a wrong password is in the audit log.
    refused_as: Action,
}

/// The account whose password was right, with the doorkeeper's attention for what is done next.
pub struct Proof {
    pub account: Account,
    pub hash_permit: HashPermit,
    /// Those to be released.
    pub counters: Vec<FailureCounter>,
}

/// Why there is no proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInRefusal {
    Wrong,
    /// Not looked at: it is too soon after wrong ones.
    Slowed {
        seconds: i64,
    },
    /// Not looked at: too many others are being looked at.
    Busy,
}

impl SignInRefusal {
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Wrong => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Slowed { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// What the visitor reads; `wrong` is what it says when the password was.
    #[must_use]
    pub fn message(self, wrong: &str) -> String {
        match self {
            Self::Wrong => wrong.to_owned(),
            Self::Slowed { seconds } => {
                format!("Too many wrong passwords. Please wait {} and try again.", words(seconds))
            }
            Self::Busy => "Many are signing in right now. Please try again in a moment.".to_owned(),
        }
    }

    /// Adds when to come back.
    pub fn add_retry_after(self, response: &mut HttpResponseBuilder) {
        match self {
            Self::Wrong => {}
            Self::Slowed { seconds } => drop(response.insert_header((RETRY_AFTER, seconds))),
            Self::Busy => drop(response.insert_header((RETRY_AFTER, LINE_SECONDS))),
        }
    }
}

fn words(seconds: i64) -> String {
    match seconds {
        1 => "a second".to_owned(),
        ..=90 => format!("{seconds} seconds"),
        // In whole minutes, and never less than there are.
        _ => format!("{} minutes", (seconds + 59) / 60),
    }
}

impl Attempt {
    #[must_use]
    pub fn of(
        request: &HttpRequest,
        auth: &Auth,
        account: &str,
        password: String,
        refused_as: Action,
    ) -> Self {
        Self {
            account: account.to_owned(),
            password,
            address: client_address::of(request),
            browser: known_browser(auth, request, account),
            refused_as,
        }
    }

    /// Looks at the password.
    ///
    /// # Errors
    /// What the database said. A refusal is no error.
    pub async fn check(self, auth: &web::Data<Auth>) -> Result<Result<Proof, SignInRefusal>, Error> {
        let auth = auth.clone();
        // Goes on when its client hangs up: what is wrong is counted all the same.
        let checked = actix_web::rt::spawn(async move { self.check_in_turn(&auth).await }).await;
        match checked.map_err(|e| Error::Internal(format!("a check ended: {e}")))? {
            Err(Error::Busy) => Ok(Err(SignInRefusal::Busy)),
            checked => checked,
        }
    }

    async fn check_in_turn(self, auth: &Auth) -> Result<Result<Proof, SignInRefusal>, Error> {
        let network = client_address::network_of(self.address);
        let counters = FailureCounter::of(&self.account, network, self.browser.as_deref());
        if let Some(wait) = auth.throttle.wait(&counters, Utc::now().naive_utc()) {
            return Ok(Err(slowed(wait)));
        }
        let hash_permit = auth.password_queue.acquire(self.browser.is_some()).await?;
        let now = Utc::now().naive_utc();
        // PostgreSQL refuses to even compare a text with a NUL in it.
        let (account, keys) = (self.account.replace('\0', ""), counters.clone());
        let (found, slow) = auth
            .db
            .read_primary(move |db| {
                Ok((store::accounts::find(db, &account)?, store::throttle::slowed(db, &keys, now)?))
            })
            .await?;
        auth.throttle.remember(slow, now);
        if let Some(wait) = auth.throttle.wait(&counters, now) {
            return Ok(Err(slowed(wait)));
        }
        let (password, hash) = (self.password, found.as_ref().map(|account| account.password_hash.clone()));
        let matches = hash_permit.run(move || password::verify(&password, hash.as_deref())).await?;
        let address = self.address.to_string();
        match found {
            Some(account) if matches => Ok(Ok(Proof { account, hash_permit, counters })),
            Some(account) => {
                let actor = Actor { name: account.username, client_address: address };
                count_failure(auth, counters, actor, self.refused_as).await
            }
            None => count_failure(auth, counters, Actor::nobody(address), self.refused_as).await,
        }
    }
}

async fn count_failure(
    auth: &Auth,
    counters: Vec<FailureCounter>,
    actor: Actor,
    refused_as: Action,
) -> Result<Result<Proof, SignInRefusal>, Error> {
    let now = Utc::now().naive_utc();
    let slowed = auth
        .db
        .write(move |db| {
            if rand::random::<u8>() == 0 {
                store::throttle::keep_bounded(db)?;
            }
            audit::store::record(db, &actor, refused_as, "", 1)?;
            store::throttle::count_failure(db, &counters, now)
        })
        .await?;
    auth.throttle.remember(slowed, now);
    Ok(Err(SignInRefusal::Wrong))
}

/// In whole seconds, and never less than there are.
fn slowed(wait: TimeDelta) -> SignInRefusal {
    SignInRefusal::Slowed { seconds: wait.num_seconds() + 1 }
}

/// The cookie by which a browser in which the account has signed in is known again.
#[must_use]
pub fn browser_cookie(auth: &Auth, request: &HttpRequest, account: &str) -> Cookie<'static> {
    let browser = known_browser(auth, request, account)
        .unwrap_or_else(|| URL_SAFE_NO_PAD.encode(rand::random::<[u8; 18]>()));
    let cookie = auth.cookies.sealed(BROWSER_COOKIE, &format!("{browser} {account}"));
    cookie.same_site(SameSite::Strict).max_age(BROWSER_REMEMBERED).finish()
}

fn known_browser(auth: &Auth, request: &HttpRequest, account: &str) -> Option<String> {
    let value = auth.cookies.open(request, BROWSER_COOKIE)?;
    let (browser, of_account) = value.split_once(' ')?;
    (of_account == account).then(|| browser.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_said_in_words() {
        let said = |seconds| SignInRefusal::Slowed { seconds }.message("");
        assert_eq!(said(1), "Too many wrong passwords. Please wait a second and try again.");
        assert_eq!(said(33), "Too many wrong passwords. Please wait 33 seconds and try again.");
        assert_eq!(said(901), "Too many wrong passwords. Please wait 16 minutes and try again.");
        assert_eq!(slowed(TimeDelta::milliseconds(1)), SignInRefusal::Slowed { seconds: 1 });
    }
}
