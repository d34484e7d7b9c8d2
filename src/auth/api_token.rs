//! The tokens that owners make for their programs. A token is shown once. The database keeps its hash,
//! its scopes, when it expires, and when it was last used. `guard::api_tokens` finds the token of a request.

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;

use super::token;
use crate::guard::api_tokens::scopes::Scopes;
use crate::schema::api_tokens;

/// Every token begins with this, so that people and secret scanners recognize one.
const PREFIX: &str = "tk_";

/// How many tokens may be valid at a time.
pub const TOKENS_MAX: i64 = 50;

/// A new token.
#[must_use]
pub fn random() -> String {
    format!("{PREFIX}{}", token::random())
}

/// A token that an owner has made.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
pub struct SiteToken {
    pub id: i64,
    pub name: String,
    /// As [`Scopes`] writes them.
    pub scopes: String,
    pub created_by: String,
    /// UTC.
    pub created_at: NaiveDateTime,
    /// UTC. `None`: it does not expire.
    pub expires_at: Option<NaiveDateTime>,
    /// UTC.
    pub last_used_at: Option<NaiveDateTime>,
    /// UTC.
    pub revoked_at: Option<NaiveDateTime>,
}

/// What an owner chose for a new token.
#[derive(Debug, Clone)]
pub struct NewSiteToken {
    pub name: String,
    pub scopes: Scopes,
    /// UTC.
    pub expires_at: Option<NaiveDateTime>,
}

/// How long a new token is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenLifetime {
    Days(i64),
    Unlimited,
}

impl TokenLifetime {
    pub const ALL: [Self; 4] = [Self::Days(30), Self::Days(90), Self::Days(365), Self::Unlimited];

    /// Its value in a form.
    #[must_use]
    pub fn value(self) -> String {
        match self {
            Self::Days(days) => days.to_string(),
            Self::Unlimited => "never".to_owned(),
        }
    }

    /// What a page says of it.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Days(365) => "In a year".to_owned(),
            Self::Days(days) => format!("In {days} days"),
            Self::Unlimited => "Never".to_owned(),
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.value() == text)
    }

    /// When a token that is made at `now` expires; `None`: never.
    #[must_use]
    pub fn ends_at(self, now: NaiveDateTime) -> Option<NaiveDateTime> {
        match self {
            Self::Days(days) => Some(now + TimeDelta::days(days)),
            Self::Unlimited => None,
        }
    }
}

impl SiteToken {
    #[must_use]
    pub fn is_valid(&self, now: NaiveDateTime) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| at > now)
    }
}
