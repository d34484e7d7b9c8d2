//! The second factor: an account that has one is asked for a code after the password. The code is from an app
//! ([`totp`](super::totp)), or one of ten recovery codes. Each code is accepted once. Wrong codes are throttled like
//! wrong passwords, but for the account from all networks: somebody who guesses codes knows the password, and may
//! have many networks. A browser in which the account has signed in before is counted by itself.
//!
//! The database has the app's secret sealed with the site's secret, and the recovery codes as hashes.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use chrono::{NaiveDateTime, TimeDelta, Utc};

use super::totp::TotpSecret;
use super::{Account, password, token};
use crate::guard::cookies::Cookies;
use crate::guard::digits;
use crate::guard::sealing::Sealer;
use crate::guard::secret::{Purpose, Secrets};

/// What an app calls the site.
const ISSUER: &str = "TechKraft Tickets";
/// How many recovery codes are made at once.
pub const RECOVERY_CODES: usize = 10;
/// A code has 122 random bits; it is kept as a fast hash, so 112 are the least (OWASP ASVS 5.0, 6.5.2).
const RECOVERY_CODE_GROUPS: usize = 5;
/// How long after the password the code is accepted.
pub const PROOF_LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// Carries the proof that the password was right to the request with the code.
const COOKIE: &str = "second_factor";

/// The second factor of an account.
#[derive(Debug, Clone)]
pub struct SecondFactor {
    pub sealed_secret: String,
    /// The time step of the last code that was accepted.
    pub last_step: i64,
    /// UTC.
    pub created_at: NaiveDateTime,
    pub recovery_codes_left: i64,
}

/// A code as somebody typed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypedCode {
    Totp(u32),
    /// Its hash.
    Recovery(String),
}

impl TypedCode {
    /// Reads six digits of any script, or anything else as a recovery code. Blanks and hyphens do not count.
    #[must_use]
    pub fn parse(typed: &str) -> Self {
        let letters = typed.chars().filter(|c| !c.is_whitespace() && *c != '-');
        let code: String = letters.map(|c| digits::digit(c).unwrap_or(c)).collect::<String>().to_lowercase();
        match code.parse() {
            Ok(number) if code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()) => {
                Self::Totp(number)
            }
            _ => Self::Recovery(token::hash(&code)),
        }
    }
}

/// New recovery codes. They are shown once.
#[must_use]
pub fn new_recovery_codes() -> Vec<String> {
    (0..RECOVERY_CODES).map(|_| password::random_groups(RECOVERY_CODE_GROUPS)).collect()
}

/// What the database keeps of a recovery code.
#[must_use]
pub fn recovery_hash(code: &str) -> String {
    token::hash(&code.replace('-', ""))
}

/// Seals the secrets of apps.
#[derive(Clone)]
pub struct SecondFactors {
    sealer: Sealer,
}

impl SecondFactors {
    #[must_use]
    pub fn new(secrets: &Secrets) -> Self {
        Self { sealer: Sealer::new(secrets, Purpose::SecondFactors) }
    }

    /// Seals a secret for the database, and for the form that sets it up. Another account cannot open it.
    #[must_use]
    pub fn seal(&self, account_id: i64, secret: &TotpSecret) -> String {
        self.sealer.seal(&name(account_id), &secret.base32())
    }

    /// `None` if it was not sealed here for this account.
    #[must_use]
    pub fn open(&self, account_id: i64, sealed: &str) -> Option<TotpSecret> {
        TotpSecret::from_base32(&self.sealer.open(&name(account_id), sealed)?)
    }
}

fn name(account_id: i64) -> String {
    format!("second factor of account {account_id}")
}

/// What the QR code of an account says.
#[must_use]
pub fn app_url(secret: &TotpSecret, username: &str) -> String {
    secret.url(ISSUER, username)
}

/// An account whose password was right a moment ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordPassed {
    pub username: String,
    /// Unix time.
    at: i64,
    /// Of the password's hash.
    fingerprint: String,
}

impl PasswordPassed {
    /// The cookie that carries this proof.
    #[must_use]
    pub fn cookie(cookies: &Cookies, account: &Account) -> Cookie<'static> {
        let Account { username, password_hash, .. } = account;
        let value = format!("{} {} {username}", Utc::now().timestamp(), token::fingerprint(password_hash));
        let lifetime = Duration::seconds(PROOF_LIFETIME.num_seconds());
        cookies.sealed(COOKIE, &value).same_site(SameSite::Strict).max_age(lifetime).finish()
    }

    /// The proof that the browser holds, if it has not expired.
    #[must_use]
    pub fn of(cookies: &Cookies, request: &HttpRequest) -> Option<Self> {
        let value = cookies.open(request, COOKIE)?;
        let mut parts = value.splitn(3, ' ').map(ToOwned::to_owned);
        let (at, fingerprint) = (parts.next()?.parse().ok()?, parts.next()?);
        let shown = Self { at, fingerprint, username: parts.next()? };
        let age = Utc::now().timestamp() - shown.at;
        (0..PROOF_LIFETIME.num_seconds()).contains(&age).then_some(shown)
    }

    /// Whether it is still this account's password.
    #[must_use]
    pub fn is_of(&self, account: &Account) -> bool {
        self.username == account.username && self.fingerprint == token::fingerprint(&account.password_hash)
    }

    /// A cookie that makes the browser delete the proof.
    #[must_use]
    pub fn removal(cookies: &Cookies) -> Cookie<'static> {
        cookies.removal(COOKIE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_however_they_are_typed() {
        for typed in ["081804", " 081 804 ", "081-804", "٠٨١٨٠٤"] {
            assert_eq!(TypedCode::parse(typed), TypedCode::Totp(81_804), "{typed}");
        }
        let [code, other] = &new_recovery_codes()[..2] else { panic!("ten") };
        let known = TypedCode::Recovery(recovery_hash(code));
        for typed in [code.clone(), code.to_uppercase(), code.replace('-', " ")] {
            assert_eq!(TypedCode::parse(&typed), known, "{typed}");
        }
        assert_ne!(TypedCode::parse(other), known);
        // Seen to fail with four groups: 98 bits.
        let letters = code.chars().filter(|c| *c != '-').count();
        assert!(f64::from(u32::try_from(letters).unwrap()) * 30_f64.log2() >= 112.0, "{code}");
        for typed in ["", "81804", "0818040", "+81804"] {
            assert!(matches!(TypedCode::parse(typed), TypedCode::Recovery(_)), "{typed}");
        }
    }

    #[test]
    fn a_sealed_secret_is_of_one_account() {
        let seals = SecondFactors::new(&"a secret".into());
        let secret = TotpSecret::random();
        let sealed = seals.seal(7, &secret);
        assert!(!sealed.contains(&secret.base32()));
        assert!(seals.open(7, &sealed) == Some(secret));
        assert!(seals.open(8, &sealed).is_none());
        assert!(SecondFactors::new(&"another".into()).open(7, &sealed).is_none());
    }
}
