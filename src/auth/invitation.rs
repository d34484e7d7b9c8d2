//! Invitations: a link that makes an account, once, within two days. For somebody who already has an account,
//! the link sets a new password. The database keeps only the hash of its token. The mail that brings the link
//! is stored sealed until it is sent.

use chrono::{DateTime, NaiveDateTime, TimeDelta};

use crate::guard::sealing::Sealer;
use crate::guard::secret::{Purpose, Secrets};
use crate::role::AccountRole;

/// How long an invitation is valid.
pub const LIFETIME: TimeDelta = TimeDelta::hours(48);
/// How many accounts and invitations one site may have together.
pub const TEAM_MAX: i64 = 200;

/// What the seal is bound to.
const NAME: &str = "invitation";

/// Fewest and most characters of a username.
const USERNAME_LENGTHS: std::ops::RangeInclusive<usize> = 3..=32;
/// The audit log uses these names for the server and for buyers.
const RESERVED: [&str; 2] = ["server", "buyer"];

/// An invitation that has not been used.
#[derive(Debug, Clone)]
pub struct Invitation {
    pub id: i64,
    pub email: String,
    pub role: AccountRole,
    /// A username.
    pub invited_by: String,
    /// UTC.
    pub expires_at: NaiveDateTime,
    /// The account that the address has already: the link sets its password.
    pub username: Option<String>,
}

/// An invitation to be made.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    pub token_hash: String,
    pub email: String,
    pub role: AccountRole,
    /// The account that the address has already.
    pub username: Option<String>,
    /// An account's id.
    pub invited_by: i64,
    /// UTC.
    pub expires_at: NaiveDateTime,
}

/// Why a text cannot be a username.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsernameError {
    Length,
    Characters,
    Taken,
}

/// A username as accounts have it, however it was typed: without spaces around it, and in lowercase.
#[must_use]
pub fn normalize_username(typed: &str) -> String {
    typed.trim().to_lowercase()
}

/// Reads a username: 3 to 32 lowercase letters, digits, dots, hyphens and underscores, beginning with a letter
/// or a digit. It is [normalized](normalize_username) first.
///
/// # Errors
/// Why the text cannot be a username.
pub fn parse_username(typed: &str) -> Result<String, UsernameError> {
    let name = normalize_username(typed);
    if !USERNAME_LENGTHS.contains(&name.chars().count()) {
        return Err(UsernameError::Length);
    }
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte);
    if !name.bytes().all(is_plain) || !name.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        return Err(UsernameError::Characters);
    }
    if RESERVED.contains(&name.as_str()) { Err(UsernameError::Taken) } else { Ok(name) }
}

/// A username to suggest to somebody with this address; empty if the address does not give one.
#[must_use]
pub fn suggest_username(email: &str) -> String {
    let local = email.split('@').next().unwrap_or_default();
    parse_username(local.split('+').next().unwrap_or_default()).unwrap_or_default()
}

/// Seals the content of an invitation's mail, and opens it when the mail is composed.
#[derive(Clone)]
pub struct InvitationSeal {
    sealer: Sealer,
}

/// What the mail says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationMail {
    pub token: String,
    pub role: AccountRole,
    /// A username.
    pub invited_by: String,
    /// UTC, in whole seconds.
    pub expires_at: NaiveDateTime,
    /// The account that gets a new password; `None` if the invitation makes an account.
    pub username: Option<String>,
}

impl InvitationSeal {
    #[must_use]
    pub fn new(secrets: &Secrets) -> Self {
        Self { sealer: Sealer::new(secrets, Purpose::Invitations) }
    }

    /// The mail's payload.
    #[must_use]
    pub fn seal(&self, mail: &InvitationMail) -> String {
        let InvitationMail { token, role, invited_by, expires_at, username } = mail;
        let until = expires_at.and_utc().timestamp();
        let username = username.as_deref().unwrap_or_default();
        self.sealer.seal(NAME, &format!("{token} {} {until} {invited_by} {username}", role.as_str()))
    }

    /// What is sealed; `None` if it was not sealed here.
    #[must_use]
    pub fn open(&self, sealed: &str) -> Option<InvitationMail> {
        let text = self.sealer.open(NAME, sealed)?;
        let mut parts = text.split(' ');
        Some(InvitationMail {
            token: parts.next()?.to_owned(),
            role: AccountRole::parse(parts.next()?)?,
            expires_at: DateTime::from_timestamp(parts.next()?.parse().ok()?, 0)?.naive_utc(),
            invited_by: parts.next()?.to_owned(),
            username: parts.next().filter(|name| !name.is_empty()).map(ToOwned::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_are_plain_and_nobody_elses_in_the_audit_log() {
        for (typed, name) in [("Grace", "grace"), (" b.o-x_9 ", "b.o-x_9"), ("007", "007")] {
            assert_eq!(parse_username(typed).as_deref(), Ok(name));
        }
        for (typed, error) in [
            ("", UsernameError::Length),
            ("ab", UsernameError::Length),
            (&"x".repeat(33), UsernameError::Length),
            ("grace hopper", UsernameError::Characters),
            ("zoë", UsernameError::Characters),
            ("-ada", UsernameError::Characters),
            ("a\0bc", UsernameError::Characters),
            ("Server", UsernameError::Taken),
            ("buyer", UsernameError::Taken),
        ] {
            assert_eq!(parse_username(typed), Err(error), "{typed:?}");
        }
        assert_eq!(suggest_username("Grace.Hopper+x@example.org"), "grace.hopper");
        assert_eq!(suggest_username("o'neill@example.org"), "");
    }

    #[test]
    fn a_mail_says_what_was_sealed_for_it_and_the_database_does_not() {
        let seal = InvitationSeal::new(&"a secret".into());
        let mail = InvitationMail {
            token: "a-token".into(),
            username: None,
            role: AccountRole::BoxOffice,
            invited_by: "admin".into(),
            expires_at: DateTime::from_timestamp(1_800_000_000, 0).expect("a time").naive_utc(),
        };
        let sealed = seal.seal(&mail);
        assert!(!sealed.contains("a-token"));
        assert_eq!(seal.open(&sealed).as_ref(), Some(&mail));
        let of_account = InvitationMail { username: Some("grace".into()), ..mail };
        assert_eq!(seal.open(&seal.seal(&of_account)), Some(of_account));
        assert_eq!(InvitationSeal::new(&"another".into()).open(&sealed), None);
        assert_eq!(seal.open("a-token gate 1800000000 admin"), None);
    }
}
