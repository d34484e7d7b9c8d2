//! Checks a username and a password.
//!
//! The throttle refuses from memory. Attempts that pass it wait in the password queue. At its front the waits
//! are also read from the database, because other servers, or attempts further ahead in the queue, may have
//! counted wrong passwords meanwhile. Only then is the password hashed, and a wrong one is counted and recorded
//! in the audit log. So an attempt that is throttled causes neither a hash nor a write, and guesses that are
//! sent together are counted one after another. An attempt at a username without an account takes the same
//! steps and the same time.
//!
//! Before the throttle the database is read only if the browser shows the cookie of an earlier sign-in.

use std::net::IpAddr;

use actix_web::{HttpRequest, web};
use chrono::{NaiveDateTime, TimeDelta, Utc};

use super::invitation::normalize_username;
use super::known_browser::KnownBrowser;
use super::password_queue::HashPermit;
use super::throttle::FailureCounter;
use super::{Account, Auth, password, store};
use crate::audit::{self, Action, Actor};
use crate::error::Error;
use crate::guard::client_address;
use crate::guard::limits::Client;
use crate::resource::RateClass;

/// A username and a password, and where they come from.
pub struct Attempt {
    /// As accounts have it: it finds the account and its counters.
    username: String,
    password: String,
    address: IpAddr,
    /// The browser's proof of an earlier sign-in to this account, if it has one.
    browser: Option<KnownBrowser>,
    /// How the audit log records a wrong password.
    failure: Action,
}

/// The account whose password was right. Until it is dropped, no other password is hashed.
pub struct Proof {
    pub account: Account,
    pub hash_permit: HashPermit,
    /// The counters of this attempt, to be reset with [`store::throttle::reset_after_success`].
    pub counters: Vec<FailureCounter>,
}

/// Why an attempt was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInRefusal {
    WrongPassword,
    /// The password was right, but it is a first password that has expired: they are valid for one day.
    FirstPasswordOver,
    /// Not checked: too soon after wrong passwords.
    Throttled {
        seconds: i64,
    },
    /// Not checked: too many attempts wait.
    Busy,
}

impl Attempt {
    #[must_use]
    pub fn new(
        request: &HttpRequest,
        auth: &Auth,
        username: &str,
        password: String,
        failure: Action,
    ) -> Self {
        // No account has a name with a NUL, which PostgreSQL cannot compare.
        let username = normalize_username(&username.replace('\0', ""));
        let browser = KnownBrowser::of(auth, request, &username);
        Self { username, password, address: client_address::of(request), browser, failure }
    }

    /// Checks the password.
    ///
    /// # Errors
    /// Database errors. A refusal is not an error.
    pub async fn check(self, auth: &web::Data<Auth>) -> Result<Result<Proof, SignInRefusal>, Error> {
        let auth = auth.clone();
        // A task of its own: a wrong password is counted even when the client disconnects.
        let checked = actix_web::rt::spawn(async move { self.check_in_turn(&auth).await }).await;
        match checked.map_err(|e| Error::Internal(format!("checking a password was interrupted: {e}")))? {
            Err(Error::Busy | Error::OutcomeUnknown) => Ok(Err(SignInRefusal::Busy)),
            checked => checked,
        }
    }

    async fn check_in_turn(self, auth: &Auth) -> Result<Result<Proof, SignInRefusal>, Error> {
        let network = client_address::network_of(self.address);
        let username = self.username;
        let browser = match self.browser {
            Some(browser) => browser.if_still_known(auth, username.clone()).await?,
            None => None,
        };
        let counters = FailureCounter::for_attempt(&username, network, browser.as_deref());
        if let Some(wait) = auth.throttle.wait(&counters, Utc::now().naive_utc()) {
            return Ok(Err(throttled(auth, network, wait)));
        }
        let hash_permit = match browser {
            Some(_) => auth.password_queue.acquire_for_known().await?,
            None => auth.password_queue.acquire_for_unknown(self.address).await?,
        };
        let now = Utc::now().naive_utc();
        let asked = counters.clone();
        let load = auth.db.read_primary(move |db| {
            Ok((store::accounts::find(db, &username)?, store::throttle::throttled(db, &asked, now)?))
        });
        let (account, throttled_until) = load.await?;
        auth.throttle.remember(throttled_until, now);
        if let Some(wait) = auth.throttle.wait(&counters, now) {
            return Ok(Err(throttled(auth, network, wait)));
        }
        let (password, hash) = (self.password, account.as_ref().map(|account| account.password_hash.clone()));
        let matches = hash_permit.run(move || password::verify(&password, hash.as_deref())).await?;
        let client_address = self.address.to_string();
        let actor = match account {
            Some(account) if matches => {
                if account.first_password_ends_at.is_some_and(|ends_at| ends_at <= now) {
                    let actor = Actor { name: account.username, client_address };
                    let over = Action::FirstPasswordOver;
                    auth.db.write(move |db| audit::store::record_failure(db, &actor, over)).await?;
                    return Ok(Err(SignInRefusal::FirstPasswordOver));
                }
                return Ok(Ok(Proof { account, hash_permit, counters }));
            }
            Some(account) => Actor { name: account.username, client_address },
            None => Actor::unknown_account(client_address),
        };
        if browser.is_none() {
            auth.password_queue.note_failure(self.address);
        }
        count_failure(auth, counters, actor, self.failure).await?;
        Ok(Err(SignInRefusal::WrongPassword))
    }
}

async fn count_failure(
    auth: &Auth,
    counters: Vec<FailureCounter>,
    actor: Actor,
    failure: Action,
) -> Result<(), Error> {
    let now = Utc::now().naive_utc();
    let count = auth.db.write(move |db| {
        // One wrong password in 256 cleans up, which is often enough.
        if rand::random::<u8>() == 0 {
            store::throttle::delete_surplus(db)?;
        }
        audit::store::record_failure(db, &actor, failure)?;
        store::throttle::count_failure(db, &counters, now)
    });
    auth.throttle.remember(count.await?, now);
    Ok(())
}

/// The refusal of an attempt that came too soon after wrong passwords or codes. Logs it, so that operators
/// notice guessing: one line a minute for each network.
pub fn throttled(auth: &Auth, network: IpAddr, wait: TimeDelta) -> SignInRefusal {
    let seconds = seconds_up(wait);
    if auth.rejection_log.is_due(RateClass::SignIn, Client::Network(network)) {
        log::warn!("sign-in from {network} refused for {seconds} s: too many wrong passwords or codes");
    }
    SignInRefusal::Throttled { seconds }
}

/// The longest of these waits. Each ends at a time in UTC.
#[must_use]
pub fn longest_wait(waits: &[(String, NaiveDateTime)], now: NaiveDateTime) -> TimeDelta {
    waits.iter().map(|(_, until)| *until - now).max().unwrap_or_default()
}

/// The wait in seconds, rounded up, and one at least.
fn seconds_up(wait: TimeDelta) -> i64 {
    let has_more = wait.subsec_nanos() > 0;
    (wait.num_seconds() + i64::from(has_more)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_rounded_up_to_whole_seconds() {
        assert_eq!(seconds_up(TimeDelta::zero()), 1);
        assert_eq!(seconds_up(TimeDelta::milliseconds(1)), 1);
        assert_eq!(seconds_up(TimeDelta::seconds(2)), 2);
        assert_eq!(seconds_up(TimeDelta::milliseconds(1_500)), 2);
    }
}
